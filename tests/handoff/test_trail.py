"""Who waits for the kernel to have all of a reply is told once, or told that it never will."""

import os
import tempfile

from penstock.handoff.doorway import Marks
from penstock.handoff.lease import KEEP, Drained
from penstock.handoff.spool import FilePart
from penstock.handoff.trail import when_written, written
from tests.handoff.test_outbox import Case, Lessee


def test_a_reply_that_leaves_nothing_keeps_nobody_waiting() -> None:
    case, told = Case(), list[bool]()
    x = case.lend()
    case.outbox.put(x, b"all", KEEP)
    assert not x.trailing and not when_written(case.outbox, x, told.append)
    written(case.outbox)
    assert told == []


def test_what_is_left_is_waited_for_once() -> None:
    case, told = Case(room=2), list[bool]()
    x = case.lend()
    case.outbox.put(x, b"more than that", KEEP)
    assert x.trailing and when_written(case.outbox, x, told.append)
    case.sock.room = 100
    assert case.outbox.drain() is Drained.ENDED and told == []
    written(case.outbox)
    written(case.outbox)
    assert told == [True]
    assert not when_written(case.outbox, x, told.append)


def test_a_connection_that_ends_with_a_rest_says_so() -> None:
    case, told = Case(room=2), list[bool]()
    x = case.lend()
    case.outbox.put(x, b"more than that", KEEP)
    assert when_written(case.outbox, x, told.append)
    case.outbox.clear()
    assert told == [False]


def test_the_senders_last_byte_is_told_before_the_next_request_of_the_connection_can_begin() -> None:
    """Between its last byte and the sender's letting go the loop may lend the lease again."""
    case, told, next_told = Case(), list[bool](), list[bool]()
    x = case.lend()
    with tempfile.TemporaryFile() as file:
        part = FilePart(os.dup(file.fileno()), 0, 10, owned=True)
        case.outbox._append(x, part, KEEP)  # no sender runs: what its thread does is done by hand
        assert case.outbox.sending and when_written(case.outbox, x, told.append)
        sender = case.doorway.sender
        assert sender.sent(case.outbox, part, 4) and told == []
        assert not sender.sent(case.outbox, part, 6)
        assert not case.outbox.hear(), "nothing is left: the next request is not kept back"
        y = Lessee()
        case.outbox.lend(y, False)
        case.sock.room = 2
        case.outbox.put(y, b"the next reply", KEEP)
        assert when_written(case.outbox, y, next_told.append)
        sender.let_go(case.outbox)
        assert (told, next_told) == ([True], [])
        case.sock.room = 100
        case.outbox.drain()
        written(case.outbox)
        assert (told, next_told) == ([True], [True])


def test_the_time_in_which_a_thread_waits_for_the_client_is_counted() -> None:
    from threading import Thread
    from time import sleep

    case = Case(room=0, marks=Marks(reply_buffer=10, reply_spool=0))
    x = case.lend()
    case.outbox.put(x, b"0123456789")
    thread = Thread(target=lambda: case.outbox.put(x, b"abcdef", KEEP))
    thread.start()
    while case.outbox.waiter is None:
        sleep(0.001)
    sleep(0.05)
    case.sock.room = 100
    case.outbox.drain()
    thread.join(5)
    assert x.waited >= 0.05
