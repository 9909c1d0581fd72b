"""The doorway out: one connection's write lease, and what the kernel did not take yet.

The thread that answers holds the lease and sends straight to the socket; what does not fit is left to
the loop, which drains it when the socket is writable. Both halves stand in this file. Nothing here
knows what a reply is made of. Every change of hands is made under the doorway's lock.

The lease in one table (``exchange`` is the lessee, None while the lease is the loop's):

    LOOP    --lend-->     THREAD    (loop: a request goes to the pool)
    THREAD  --put last--> LOOP      (thread: the reply is complete, or its rest is left to the loop)
    THREAD  --reclaim-->  LOOP      (loop: only while nothing of the reply was begun)
    THREAD  --abandon-->  LOOP      (thread: the reply cannot be completed; the connection ends)
A thread that lost the lease can never write again: each send begins with "is it still mine?".
"""

import errno
import os
import socket
from _thread import LockType, allocate_lock
from time import monotonic
from typing import Any

from penstock.core.errors import Disconnected
from penstock.handoff.doorway import Doorway
from penstock.handoff.lease import CLOSE, MORE, Drained, Lessee
from penstock.handoff.post import SEVERAL, SMALL
from penstock.handoff.remainder import NOTHING
from penstock.handoff.sockets import NOW, Socket, at_end, end, send_slice, shut
from penstock.handoff.spool import FilePart, ReplySpool
from penstock.handoff.trail import written


class Outbox:
    """One per connection. ``exchange``: the lessee or None; ``news``: the loop must hear of the end (rules:
    bytes read ahead, reader removed, peer gone, body incomplete, draining); ``registered``: the loop has the
    socket in its poll, so only the loop may close it; ``adopted``: the connection is in its table."""

    __slots__ = (
        "adopted",
        "broken",
        "closed",
        "closing",
        "doorway",
        "ended",
        "eof",
        "exchange",
        "finished_at",
        "left",
        "news",
        "owner",
        "registered",
        "remainder",
        "reset",
        "sending",
        "sent",
        "sock",
        "spool",
        "waiter",
    )

    def __init__(self, sock: Socket, doorway: Doorway, owner: Any) -> None:
        self.sock = sock
        self.doorway = doorway
        self.owner = owner
        self.exchange: Lessee | None = None
        self.news = self.adopted = self.registered = self.reset = self.eof = False
        self.broken = self.closing = self.closed = self.ended = self.sending = False
        self.finished_at = 0.0
        self.remainder, self.left = NOTHING, NOTHING.pieces
        self.sent = 0
        self.spool: ReplySpool | None = None
        self.waiter: LockType | None = None

    def ring(self, stuck: bool = False) -> None:
        """Have the loop call the connection: the lease came back, or something was left (``stuck``)."""
        owner = self.owner  # once: the loop may be at the connection's end by now
        if owner is not None:
            self.doorway.bell.ring(owner.flush if stuck else owner.returned)

    # ---- THREAD ----

    def put(self, x: Lessee, data: bytes, then: int = MORE) -> None:
        """Send ``data`` for ``x``, or leave what does not fit to the loop; waits only above the marks.

        Raises Disconnected when the lease is not (or no longer) ``x``'s or the client is gone."""
        doorway = self.doorway
        if doorway.kin.foreign:
            os._exit(0)  # a child that the application forked came back out of it
        post, lock = doorway.post, doorway.lock
        wait = then != MORE and post.open and self.registered and not x.begun and len(data) <= SMALL
        lock.acquire()  # on every request's way: ``with`` is twice as dear
        try:
            if self.exchange is not x or self.broken:
                raise Disconnected(errno.ECONNABORTED, "the client is gone")
            x.begun = True
            queue = bool(self.left)
            wait = wait and not queue and post.open  # what ``shut`` did not find must not come after it
            if wait:
                post.waiting.append((self, x, data, then))
        finally:
            lock.release()
        if queue:
            self._leave(x, memoryview(data), then)
        elif not wait:
            self.send_now(x, data, then)
        elif len(post.waiting) >= SEVERAL:
            post.send()

    def send_now(self, x: Lessee, data: bytes, then: int, now: float = 0.0) -> None:
        """What ``put`` does in the end, at once or (``now``) in the post: ``x`` has begun, nothing waits."""
        if self.broken:
            raise Disconnected(errno.ECONNABORTED, "the client is gone")
        try:
            count = self.sock.send(data, NOW)
        except (BlockingIOError, InterruptedError):
            count = 0
        except OSError as error:
            self._failed()
            raise Disconnected(error.errno, "the client is gone") from error
        if count != len(data):
            self._leave(x, memoryview(data)[count:], then)
        elif then:
            self._end(then, now)

    def put_file(self, x: Lessee, fd: int, offset: int, count: int, then: int) -> None:
        """Send ``count`` bytes of the open file ``fd`` from ``offset`` by os.sendfile.

        What the socket does not take at once is left to the sender's thread, and this one goes on; the file
        may be closed by its owner then. Raises Disconnected, or OSError when the file itself fails.
        """
        with self.doorway.lock:
            if self.exchange is not x or self.broken:
                raise Disconnected(errno.ECONNABORTED, "the client is gone")
            x.begun = True
            queue = bool(self.left)
        stop = offset + count
        if not queue and count:
            # At once behind the head, or the client is woken twice; and no more of it than one slice.
            try:
                offset += send_slice(self.sock, fd, offset, stop)
            except (BrokenPipeError, ConnectionError) as error:
                self._failed()
                raise Disconnected(error.errno, "the client is gone") from error
        if offset < stop:
            self.doorway.sender.start()  # what cannot be had is known before the lease is given away
            self._append(x, FilePart(os.dup(fd), offset, stop, owned=True), then)
        elif then:
            self._end(then)

    def _end(self, then: int, now: float = 0.0) -> None:
        """The reply went out whole: give the lease back, and ring only if the loop must hear of it."""
        self.doorway.lock.acquire()  # see ``put``
        try:
            alone = then == CLOSE and not self.registered and not self.broken
            self.closed = self.closed or alone
            self.closing = self.closing or (then == CLOSE and not alone)
            ring = self.news or self.closing
            if not alone:
                self.finished_at = now or monotonic()
            self.exchange = None  # last: see ``hear``
        finally:
            self.doorway.lock.release()
        if alone:
            # Never in the loop's poll: the holder of the lease closes, and no bell is needed.
            self._close()
        elif ring:
            self.ring()

    def _close(self) -> None:
        end(self.sock, socket.SHUT_WR, self.reset)
        if self.adopted:
            self.doorway.gone.append(self.owner)
        else:
            self.owner.struck()  # nobody else ever knew it

    def _leave(self, x: Lessee, data: memoryview, then: int) -> None:
        """Memory up to its mark, then the file up to its mark; beyond both the thread waits."""
        marks = self.doorway.marks
        if self.remainder.in_memory + len(data) <= marks.reply_buffer:
            self._append(x, data, then)
            return
        step = max(marks.reply_buffer, 1 << 16)
        while data:
            piece, data = data[:step], data[step:]
            last = MORE if data else then
            if not (marks.reply_spool and self._to_spool(x, piece, last)):
                self._wait(x, marks.reply_buffer // 2)
                self._append(x, piece, last)

    def _to_spool(self, x: Lessee, data: memoryview, then: int) -> bool:
        """Leave ``data`` in the temporary file; False when there can be none (the disk is full)."""
        marks = self.doorway.marks
        try:
            if self.spool is None:
                self.spool = ReplySpool(marks.spool_dir)
            if self.spool.written >= marks.reply_spool:
                self._wait(x, 0)
            with self.doorway.lock:
                empty = not self.remainder.in_spool
            if empty and self.spool.written:
                self.spool.rewind()
            start, end = self.spool.write(data)
        except Disconnected:
            raise
        except OSError:
            return False
        self._append(x, FilePart(self.spool.fd, start, end, owned=False), then)
        return True

    def _append(self, x: Lessee, piece: memoryview | FilePart, then: int) -> None:
        """Leave a piece to the loop; ring when it is the first one. A file goes to the sender straight away,
        where the loop has the connection: the tick looks at it, and nothing else is to be done."""
        with self.doorway.lock:
            if self.exchange is not x or self.broken:
                if isinstance(piece, FilePart):
                    piece.close()
                raise Disconnected(errno.ECONNABORTED, "the client is gone")
            first = not self.left
            self.remainder = self.remainder.grown(piece)
            self.left = self.remainder.pieces
            if then:
                self.ended, self.closing = True, self.closing or then == CLOSE
                self.finished_at = monotonic()
                x.trailing, self.remainder.behind = True, x
                self.exchange = None
            straight = first and isinstance(piece, FilePart) and piece.owned and self.registered
            if straight:
                # Set where it is still at the end of the one before: then it sees this one by itself.
                straight, self.sending = not self.sending, True
                first = False
        if straight:
            self.doorway.sender.submit(self)
        elif first:
            self.ring(stuck=True)

    def _wait(self, x: Lessee, low: int) -> None:
        """Park until the loop has brought the box down to ``low`` bytes in memory and none in the file.

        The one place where a reply holds its thread. The loop lets go at the low mark, when the client
        is gone, and when it was cut for being too slow.
        """
        lock = allocate_lock()
        lock.acquire()
        with self.doorway.lock:
            if self.exchange is not x or self.broken:
                raise Disconnected(errno.ECONNABORTED, "the client is gone")
            if self.remainder.in_memory <= low and not self.remainder.in_spool:
                return
            self.waiter = lock
        since = monotonic()
        lock.acquire()
        x.waited += monotonic() - since

    def _failed(self) -> None:
        with self.doorway.lock:
            self.broken = True

    def abandon(self, x: Lessee, reset: bool = False) -> None:
        """End an incomplete reply: what was left goes out, then the connection ends (``reset``: by one)."""
        if self.doorway.kin.foreign:
            os._exit(0)
        with self.doorway.lock:
            if self.exchange is not x:
                return
            self.closing, self.ended, self.finished_at = True, bool(self.left), monotonic()
            self.broken, self.reset = self.broken or reset, reset
            alone = self.closed = not self.registered and not self.left
            self.exchange = None
        if alone:
            self._close()
        else:
            self.ring()

    def disconnected(self) -> bool:
        """Thread: whether the client has gone, by what is known and by a look that takes nothing."""
        return self.eof or self.broken or self.closed or at_end(self.sock)

    def __call__(self) -> bool:
        """The same, as environs offer it: a bound method for each is a thirtieth of a small request."""
        return self.disconnected()

    # ---- LOOP ----

    def lend(self, x: Lessee, news: bool) -> None:
        """Give the lease to ``x``; with ``news`` the end of its reply rings."""
        self.doorway.lock.acquire()  # see ``put``
        try:
            self.exchange, self.news, self.ended = x, news, False
        finally:
            self.doorway.lock.release()

    def hear(self) -> bool:
        """Ask to hear of the end while the lease is out, a reply drains or its end is told; else False."""
        if self.exchange is None and not (self.left or self.news or self.closing):
            return False  # without the lock: it is back, and who gives it back sets nothing after it
        self.doorway.lock.acquire()  # see ``put``
        try:
            self.news = self.exchange is not None or bool(self.left) or self.news or self.closing
            return self.news
        finally:
            self.doorway.lock.release()

    def reclaim(self, x: Lessee) -> bool:
        """Take the lease back from ``x`` before it began its reply; False when it is too late."""
        with self.doorway.lock:
            if self.exchange is not x or x.begun:
                return False
            self.exchange, x.reclaimed = None, True
            return True

    def say(self, data: bytes, then: int = MORE) -> None:
        """Loop, holding the lease: send something of its own (an interim reply or a refusal)."""
        count = 0
        if not self.left:
            try:
                count = self.sock.send(data, NOW)
            except (BlockingIOError, InterruptedError):
                pass
            except OSError:
                self._failed()
                count = len(data)
        with self.doorway.lock:
            self.closing = self.closing or then == CLOSE
            self.ended = then != MORE
            self.finished_at = monotonic()
            if count < len(data):
                self.remainder = self.remainder.grown(memoryview(data)[count:])
                self.left = self.remainder.pieces

    def drain(self) -> Drained:
        """Send what was left until it is gone or the socket is full."""
        while True:
            with self.doorway.lock:
                if self.broken:
                    return Drained.BROKEN
                if not self.left:
                    return Drained.ENDED if self.ended else Drained.EMPTY
                pieces = self.remainder.front()
            if not pieces:
                return Drained.FILE
            try:
                count = self.sock.send(pieces[0], NOW) if len(pieces) == 1 else self.sock.sendmsg(pieces)
            except (BlockingIOError, InterruptedError):
                return Drained.BLOCKED
            except OSError:
                self._failed()
                return Drained.BROKEN
            if not self._drop(pieces, count):
                return Drained.BLOCKED

    def _drop(self, pieces: list[memoryview], count: int) -> bool:
        """Strike ``count`` sent bytes off the front; True when all of ``pieces`` went."""
        with self.doorway.lock:
            self.sent += count
            whole = self.remainder.strike(pieces, count)
            waiter = self.at_low_mark()
        if waiter:
            waiter.release()
        return whole

    def at_low_mark(self) -> LockType | None:
        """Under the lock: the waiting thread, when it is to be let go."""
        waiter, left = self.waiter, self.remainder
        if waiter is None or left.in_spool or left.in_memory > self.doorway.marks.reply_buffer // 2:
            return None
        self.waiter = None
        return waiter

    def cut(self, x: Lessee | None = None) -> bool:
        """Loop: end it now (False where it is not ``x``'s any more). The kernel forgets what was left."""
        with self.doorway.lock:
            if x is not None and self.exchange is not x:
                return False
            self.broken = self.news = True
            waiter, self.waiter = self.waiter, None
            if not self.closed and not self.registered:
                # The one call that is allowed without the lease. Under the lock, because a thread may
                # close an unregistered connection at any time and the number be another client's.
                shut(self.sock)
        if self.registered:
            shut(self.sock)  # only the loop, so only we, can close this one
        if waiter:
            waiter.release()
        return True

    def clear(self) -> None:
        """Loop, at the very end: free what was left and the temporary file."""
        if self.remainder.behind is not None:  # set by whoever had the lease, which is back
            written(self)
        files, spool = list[FilePart](), self.spool
        if self.remainder is not NOTHING or spool is not None or not self.closed:  # else a thread did it all
            with self.doorway.lock:
                self.closed, self.spool = True, None
                files = self.remainder.clear()
        # Connection and outbox know each other: apart, both go at once instead of with the next collection.
        self.owner = None
        for part in files:
            part.close()
        if spool is not None:
            spool.close()
