"""A file's bytes on their way out: from memory, by sendfile, in blocks, and in parts.

Runs on pool threads, behind a head that the caller has set with ``begin``. Knows calls and entries; not why
this file, nor what was said of it.
"""

import errno
import os

from penstock.core.errors import Disconnected
from penstock.handoff.lease import MORE
from penstock.serve.static.entry import Entry
from penstock.serve.static.ranges import Parts, Span
from penstock.serve.wsgi.call import Call

BLOCK = 128 << 10  # bytes read at once where sendfile is not used


def send_span(call: Call, entry: Entry, fd: int, span: Span, sendfile: bool = True) -> None:
    """Send the bytes of ``span`` as the whole body; ``fd`` is the open entry, or -1 where its content is in
    memory. The head that was begun declares their number as its Content-Length.

    Raises Disconnected. A file that has become shorter is said, and ends the connection, so that the client
    knows (RFC 9112 §8).
    """
    start, stop = span
    if fd < 0:
        data = entry.small or b""
        call.whole(data if (start, stop) == (0, entry.size) else data[start:stop])
        return
    try:
        if sendfile:
            call.file(fd, start, stop - start)
        else:
            send_blocks(call, fd, span)
            call.end()
    except Disconnected:
        raise
    except OSError as error:
        cut(call, entry, error)


def send_blocks(call: Call, fd: int, span: Span) -> None:
    """Read and send the bytes of ``span`` behind what was sent. Raises OSError when the file is shorter."""
    offset, stop = span
    while offset < stop:
        data = os.pread(fd, min(BLOCK, stop - offset), offset)
        if not data:
            raise OSError(errno.EIO, "the file ended before its announced length")
        offset += len(data)
        call.block(data)


def send_parts(call: Call, entry: Entry, fd: int, parts: Parts, sendfile: bool = True) -> None:
    """Send a multipart body; as ``send_span``. No slow reader holds the thread, where sendfile is used and
    nobody transforms the body."""
    if fd < 0:
        data = entry.small or b""
        pieces = [
            piece
            for head, (a, b) in zip(parts.heads, parts.spans, strict=True)
            for piece in (head, data[a:b])
        ]
        call.whole(b"".join((*pieces, parts.tail)))
        return
    try:
        if sendfile and type(call) is Call:
            send_files(call, fd, parts)
        else:
            for head, span in zip(parts.heads, parts.spans, strict=True):
                call.block(head)
                send_blocks(call, fd, span)
            call.block(parts.tail)
            call.end()
    except Disconnected:
        raise
    except OSError as error:
        cut(call, entry, error)


def send_files(call: Call, fd: int, parts: Parts) -> None:
    """The parts one after the other, the file's share of each by sendfile."""
    x, outbox = call.x, call.outbox
    before = call.head(parts.length)
    for head, (start, stop) in zip(parts.heads, parts.spans, strict=True):
        outbox.put(x, before + head)
        before = b""
        outbox.put_file(x, fd, start, stop - start, MORE)
    call.via = "sendfile()"
    call.body_sent, call.remaining = parts.length, 0
    outbox.put(x, parts.tail, call.fate())
    call.finished = True


def cut(call: Call, entry: Entry, error: OSError) -> None:
    """The body cannot be completed."""
    call.manner.warn("", f"{call.line()}: {entry.path}: {error.strerror or error}; the reply was cut")
    call.fail()
