"""A program: workers that share one listener and one scoreboard, to see how connections spread over them.

``python -m tests.net.sharing WORKERS THREADS [alone]`` prints the port; for each line on its input it prints
what the workers' cells say, as JSON; at the end of its input all are killed. A path ``/sleep/0.2`` or
``/spin/0.002`` says for how many seconds a request waits or computes; ``/meet/4`` is answered when so many
such requests have begun, in whichever workers, and with ``alone`` where they do not within ``PATIENCE``.
The word ``alone`` leaves the siblings out.
"""

import fcntl
import json
import os
import signal
import socket
import sys
import time
from functools import partial
from typing import Any

from penstock.codecs.decoder import Limits
from penstock.codecs.http1 import Http1Decoder
from penstock.handoff.doorway import Doorway
from penstock.handoff.exchange import Exchange
from penstock.handoff.lease import CLOSE, KEEP
from penstock.handoff.pool import Pool
from penstock.handoff.porter import Porter
from penstock.interprocess.scoreboard import ACCEPTING, Cell, Scoreboard
from penstock.interprocess.siblings import Siblings
from penstock.net.acceptor import Acceptor
from penstock.net.door import Door, Intake, Patience
from penstock.net.listener import Listener
from penstock.net.listening import bind_tcp
from penstock.net.loop import make_loop
from penstock.net.trust import Forwarding, Peers

PATIENCE = 5.0  # seconds
ALONE = b"alone"


def meet(met: int, count: int) -> bool:
    """Whether so many were within at once. ``met``: all workers' file, with a byte for each that came."""
    os.write(met, b".")
    end = time.monotonic() + PATIENCE
    while os.fstat(met).st_size < count:
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def answer(met: int, x: Exchange, index: int) -> None:
    """The application; its body is the worker's process number."""
    body = str(os.getpid()).encode()
    _, kind, seconds, *_ = (x.request.vars["PATH_INFO"] + "//").split("/")
    if kind == "sleep":
        time.sleep(float(seconds))
    elif kind == "spin":
        end = time.thread_time() + float(seconds)
        while time.thread_time() < end:
            pass
    elif kind == "meet" and not meet(met, int(seconds)):
        body = ALONE
    data = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    x.outbox.put(x, data, KEEP if x.request.keep_alive else CLOSE)


def serve(sock: socket.socket, board: Scoreboard, slot: int, threads: int, met: int, alone: bool) -> None:
    """One worker, until it is killed."""
    sys.setswitchinterval(0.0005)  # as where penstock owns the process
    loop = make_loop()
    doorway = Doorway(loop, failed=lambda text: print(text, file=sys.stderr))
    pool = Pool(loop, doorway, threads, queue=1000)
    door = Door(loop, doorway, pool, Patience(), Intake())
    if not alone:
        door.siblings = Siblings(board, slot)
    acceptor = Acceptor(door, Listener(sock, "http", Http1Decoder({}, Limits()), {}, Forwarding(Peers(()))))
    cell = board.cell(slot)

    def tick(now: float) -> None:
        cell.pid, cell.beat, cell.state = os.getpid(), time.monotonic_ns(), ACCEPTING
        cell.requests, cell.connections = pool.done, len(door.connections)

    door.on_tick.append(tick)
    pool.start(partial(answer, met))
    porter = Porter(pool, {sock.fileno(): acceptor.take_request}, acceptor.attend)
    assert porter.pool is pool
    acceptor.listen()
    door.tick()
    loop.run_forever()


def said(cell: Cell) -> dict[str, Any]:
    """A cell's words, and the CPU that its worker has used."""
    fields = open(f"/proc/{cell.pid}/stat").read().rpartition(")")[2].split()
    return cell.read() | {"cpu": (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")}


def main(workers: int, threads: int, alone: bool) -> None:
    """The parent: it only holds what they share."""
    (sock,) = bind_tcp("127.0.0.1", 0, 1000)
    board = Scoreboard.create(workers)
    children = []
    met = os.memfd_create("met")
    fcntl.fcntl(met, fcntl.F_SETFL, os.O_APPEND)  # else two that come at once may write the same byte
    for slot in range(workers):
        pid = os.fork()
        if not pid:
            try:
                serve(sock, board, slot, threads, met, alone)
            finally:
                os._exit(1)
        children.append(pid)
    while not all(board.cell(slot).state == ACCEPTING for slot in range(workers)):
        time.sleep(0.01)
    print(sock.getsockname()[1], flush=True)
    for _ in sys.stdin:
        print(json.dumps([said(board.cell(slot)) for slot in range(workers)]), flush=True)
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), "alone" in sys.argv)
