"""One accepted socket on the loop: its place in the poll, its way out, its one end. Runs on the loop.

A descriptor is dangerous here: with uvloop a wrong order of closing kills the worker, silences a reader
or spins. So everything that registers, unregisters or closes stands in this file, and nowhere else.
"""

import socket
from array import array
from fcntl import ioctl
from termios import TIOCOUTQ
from time import monotonic

from penstock.handoff.lease import Drained
from penstock.handoff.outbox import Outbox
from penstock.handoff.sockets import Socket, end
from penstock.handoff.trail import written
from penstock.net.door import Door
from penstock.net.pace import Pace, often


class Stream:
    """The base of a connection.

    ``away``: a thread has the lease of this never registered socket and may close it at any time, so the
    loop keeps its hands off the descriptor until it is rung. One that a thread took at the door, answered and
    closed is never in the loop's table (``Outbox.adopted``).
    """

    # What most connections of one request never change stands here, not in ``__init__``: of so short a life
    # each attribute that is set is a fair part.
    bucket = 0
    closed = False
    away = False
    reading = False
    writing = False
    pace: Pace | None = None

    def __init__(self, door: Door, sock: Socket) -> None:
        self.door = door
        self.loop = door.loop
        self.sock = sock
        self.outbox = Outbox(sock, door.doorway, self)

    # ---- What a connection makes of it --------------------------------------------------------------

    def on_readable(self) -> None:
        """Bytes, an end or an error wait on the socket."""

    def returned(self) -> None:
        """The lease came back."""

    def flushed(self) -> None:
        """A reply has ended and all that was left of it is with the kernel."""

    def check(self, now: float) -> float | None:
        """What is due; when to look again."""
        return None

    def adopt(self) -> None:
        """Loop: into the table, and never to be waited for from here on."""
        if not self.closed:
            self.sock.setblocking(False)
        self.outbox.adopted = True
        self.door.connections.add(self)

    # ---- The poll -----------------------------------------------------------------------------------

    def read_on(self) -> None:
        """Have the loop tell of bytes."""
        if self.reading or self.closed or self.away or self.outbox.eof:
            return
        try:
            # The socket object, not its number: uvloop then holds it open until it is removed.
            self.loop.add_reader(self.sock, self.on_readable)
        except (RuntimeError, OSError):
            # uvloop after a reset: its handle is closed, and it says so only here.
            self.outbox.broken = True
            self.lost()
            return
        self.outbox.registered = self.reading = True

    def read_off(self) -> None:
        """Leave bytes in the kernel: backpressure reaches the client by its window."""
        if self.reading:
            self.reading = False
            self.loop.remove_reader(self.sock)

    def write_on(self) -> None:
        """Have the loop tell when the socket takes more."""
        if not self.writing and not self.closed:
            try:
                self.loop.add_writer(self.sock, self.on_writable)
            except (RuntimeError, OSError):
                self.outbox.broken = True
                self.lost()
                return
            self.outbox.registered = self.writing = True
        self.watch_writing()

    def watch_writing(self) -> None:
        """What is left is not taken at once: from here on the client's pace is watched."""
        if self.unwatched:
            now = monotonic()
            self.pace = Pace(now, self.taken)
            self.door.buckets.file(self, now + often(self.door.patience.write))

    @property
    def unwatched(self) -> bool:
        """Whether nobody watched this reply yet; a pace may be of the one before, whose end did not ring."""
        return self.pace is None or self.pace.window_at < self.outbox.finished_at

    def on_writable(self) -> None:
        """The socket takes more."""
        try:
            self.flush()
        except Exception as error:
            self.door.fault(self, error)

    def write_off(self) -> None:
        if self.writing:
            self.writing = False
            self.loop.remove_writer(self.sock)

    # ---- Bytes out ----------------------------------------------------------------------------------

    @property
    def taken(self) -> int:
        """A count of bytes that moves as the client takes what was left, not as the kernel does: that keeps
        megabytes of a reply and tells of room only when a third of it is free, so that a client who reads
        80 KB a second would seem to stand still for ten seconds."""
        return self.outbox.sent - (unsent(self.sock) if self.outbox.registered else 0)

    def flush(self) -> None:
        """Send what was left (rung by the thread, and by the loop when the socket is writable)."""
        self.away = False
        if not self.outbox.adopted:
            self.adopt()
        if self.closed:
            return
        if self.outbox.sending:
            self.write_off()  # the sender rings when there is something else to do
            return
        state = self.outbox.drain()
        if state is Drained.BLOCKED:
            self.write_on()
            return
        self.write_off()
        if state is Drained.FILE:
            self.offload()
            return
        self.pace = None
        if state is Drained.BROKEN:
            self.lost()
        elif state is Drained.ENDED:
            self.outbox.finished_at = monotonic()  # idle from now on, however long that took
            written(self.outbox)
            self.flushed()

    def offload(self) -> None:
        """A file's turn: the sender's thread has it, because a cold file blocks."""
        try:
            self.door.doorway.sender.offer(self.outbox)
        except OSError as error:
            self.door.report(f"a connection was cut: its file cannot be sent: {error.strerror}")
            self.outbox.broken = True
            self.lost()
            return
        self.watch_writing()

    # ---- The end ------------------------------------------------------------------------------------

    def lost(self) -> None:
        """Nothing more can come of it. Whoever still uses the descriptor is told, and comes back first."""
        if self.closed:
            return
        outbox = self.outbox
        self.read_off()
        self.write_off()
        with self.door.doorway.lock:
            leased = outbox.exchange is not None or outbox.closed  # closed: by a thread, which is at it
            leased = leased or outbox.sending
            outbox.news = True
        if leased or self.away:
            outbox.cut()  # also where it is broken already: a thread may wait for room
            return
        self.close()

    def orphan(self) -> None:
        """The loop will not run again: a thread that still has the lease closes, whenever it comes back."""
        self.write_off()
        self.read_off()
        with self.door.doorway.lock:
            self.outbox.registered = False

    def close(self) -> None:
        """The one end that the loop gives: writer, reader, shutdown, close, in that order, in one go."""
        self.closed = True
        self.write_off()
        self.read_off()
        end(self.sock, socket.SHUT_RDWR, self.outbox.reset)
        self.struck()
        self.door.forget(self)

    def struck(self) -> None:
        """Closed, by us or by a thread: free what it held."""
        self.closed = True
        self.outbox.clear()


def unsent(sock: Socket) -> int:
    """Bytes that the kernel has and the peer has not acknowledged (UNIX sockets: not read); 0 where the
    system does not tell."""
    count = array("i", [0])
    try:
        ioctl(sock.fileno(), TIOCOUTQ, count)  # Linux calls it SIOCOUTQ (tcp(7))
    except (OSError, ValueError):
        return 0
    return count[0]
