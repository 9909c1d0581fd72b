"""Channels: whole messages in order with their descriptors, and a peer that can hurt nobody."""

import fcntl
import os
import resource
import select
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.interprocess.channel import (
    AT_ONCE,
    DESCRIPTORS,
    MARK,
    MORE,
    PACKET,
    TEXT,
    WAITING,
    WHOLE,
    Channel,
    pair,
)

Ends = tuple[Channel, Channel]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=50),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=9), inner, max_size=5),
    max_leaves=20,
)


@pytest.fixture
def ends() -> Iterator[Ends]:
    one, other = pair()
    yield one, other
    one.close()
    other.close()


def all_of(reader: Channel, writer: Channel | None = None) -> list[dict[str, Any]]:
    """Every message, while the writer sends what waits."""
    found: list[dict[str, Any]] = []
    while True:
        came = reader.receive()
        if writer is not None:
            writer.flush()
        found += [message for message, _ in came]
        if not came and (writer is None or not writer.pending):
            return found


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


# ---- Messages ---------------------------------------------------------------------------------------


@given(messages=st.lists(st.dictionaries(st.text(max_size=9), JSON, max_size=5), max_size=8))
@settings(max_examples=20, deadline=None)
def test_what_is_sent_is_received(messages: list[dict[str, Any]]) -> None:
    one, other = pair()
    for message in messages:
        one.send(message)
    assert all_of(other, one) == messages
    one.close()
    other.close()


def test_neither_end_waits_or_outlives_an_exec(ends: Ends) -> None:
    for end in ends:
        assert not os.get_inheritable(end.fileno())
        assert not os.get_blocking(end.fileno())
        assert end.receive() == []
        assert not end.ended


def test_what_json_cannot_say_is_the_callers_fault(ends: Ends) -> None:
    with pytest.raises(TypeError):
        ends[0].send({"a": object()})
    assert ends[1].receive() == []


# ---- Descriptors ------------------------------------------------------------------------------------


def test_descriptors_go_with_their_message(ends: Ends) -> None:
    read, write = os.pipe()
    ends[0].send({"n": 1})
    ends[0].send({"n": 2}, [write, read])
    os.close(write)
    first, second = ends[1].receive()
    assert first == ({"n": 1}, [])
    message, (theirs, back) = second
    assert message == {"n": 2}
    assert fcntl.fcntl(theirs, fcntl.F_GETFD) & fcntl.FD_CLOEXEC
    os.write(theirs, b"hello")
    os.close(theirs)
    assert os.read(read, 10) == b"hello"
    assert os.read(read, 10) == b"", "nobody else holds a copy"
    os.close(read)
    os.close(back)


def fill(channel: Channel) -> int:
    """Until the kernel takes no more; how many it took."""
    count = 0
    while not channel.pending:
        channel.send({"n": count})
        count += 1
    return count


def test_what_waits_keeps_copies_of_its_descriptors(ends: Ends) -> None:
    one, other = ends
    before = descriptors()
    count = fill(one)
    read, write = os.pipe()
    one.send({"n": count}, [write])
    os.close(write)
    assert descriptors() == before + 2, "the copy is kept until it is sent"
    got: list[tuple[dict[str, Any], list[int]]] = []
    while len(got) <= count:
        got += other.receive()
        one.flush()
    assert [message["n"] for message, _ in got] == list(range(count + 1))
    (theirs,) = got[-1][1]
    assert descriptors() == before + 2, "and then given back"
    os.close(theirs)
    assert os.read(read, 1) == b""
    os.close(read)


def test_copies_of_a_closed_end_are_given_back(ends: Ends) -> None:
    fill(ends[0])
    before = descriptors()
    ends[0].send({}, [0, 1, 2])
    assert descriptors() == before + 3
    ends[0].close()
    assert descriptors() == before - 1
    ends[0].close()
    ends[0].send({}, [0])
    assert ends[0].ended and not ends[0].pending


def test_more_descriptors_than_a_message_takes(ends: Ends) -> None:
    ends[0].send({}, [0] * DESCRIPTORS)
    with pytest.raises(ValueError, match="descriptors"):
        ends[0].send({}, [0] * (DESCRIPTORS + 1))
    (message, fds), *rest = ends[1].receive()
    assert (message, len(fds), rest) == ({}, DESCRIPTORS, [])
    for fd in fds:
        os.close(fd)


def test_who_expects_no_descriptors_is_given_none(ends: Ends) -> None:
    before = descriptors()
    ends[1].descriptors = False
    for _ in range(5):
        ends[0].send({"a": 1}, [0, 1])
    ends[0].send({"b": 1})
    assert ends[1].receive() == [({"b": 1}, [])]
    assert ends[1].malformed == 5
    assert descriptors() == before


def test_without_a_descriptor_left_nothing_half_is_delivered(ends: Ends) -> None:
    """The kernel delivers as many as fit, and says that there were more."""
    ends[0].send({"a": 1}, [0, 1, 2, 3])
    before = descriptors()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    top = max(map(int, os.listdir("/proc/self/fd")))
    resource.setrlimit(resource.RLIMIT_NOFILE, (top + 2, hard))
    taken = []
    try:
        try:
            while True:
                taken.append(os.dup(0))
        except OSError:
            os.close(taken.pop())  # one is free, four come
        got = ends[1].receive()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for fd in taken:
            os.close(fd)
    assert got == [] and ends[1].malformed == 1
    assert descriptors() == before


# ---- A peer that does not read ------------------------------------------------------------------------


def test_what_does_not_fit_waits_in_order(ends: Ends) -> None:
    count = fill(ends[0])
    for number in range(count, count + 50):
        ends[0].send({"n": number})
    assert len(ends[0].pending) == 51
    assert all_of(*reversed(ends)) == [{"n": number} for number in range(count + 50)]
    assert not ends[0].pending and ends[0].dropped == 0


def test_what_waits_goes_with_the_next_send(ends: Ends) -> None:
    count = fill(ends[0])
    assert len(ends[1].receive()) == min(count - 1, AT_ONCE)
    ends[0].send({"n": count})
    assert not ends[0].pending


def test_a_peer_that_never_reads_costs_a_bounded_memory(ends: Ends) -> None:
    count = fill(ends[0])
    for number in range(WAITING + 10):
        ends[0].send({"n": count + number})
    assert len(ends[0].pending) == WAITING
    assert ends[0].dropped == 11
    assert not ends[0].ended


# ---- A peer that is gone ------------------------------------------------------------------------------


def test_a_peer_that_is_gone_is_no_error(ends: Ends) -> None:
    ends[0].send({"n": 1})
    ends[0].close()
    assert ends[1].receive() == [({"n": 1}, [])]
    assert ends[1].ended
    ends[1].send({"n": 2})
    ends[1].flush()
    assert ends[1].receive() == []


def test_sending_finds_out_too_and_last_words_are_heard_still(ends: Ends) -> None:
    ends[1].send({"last": "words"})
    ends[0].send({"never": "read"})
    ends[1].close()
    ends[0].send({"n": 1})
    ends[0].send({"n": 2})
    assert ends[0].ended
    assert ends[0].receive() == [({"last": "words"}, [])]


def test_last_words_of_one_that_did_not_read_ours(ends: Ends) -> None:
    """The kernel says ECONNRESET once, before it gives what was sent."""
    ends[0].send({"never": "read"})
    ends[1].send({"is": "failed"})
    ends[1].close()
    assert ends[0].receive() == [({"is": "failed"}, [])]
    assert ends[0].ended


def test_what_waits_for_one_that_is_gone_is_given_up(ends: Ends) -> None:
    fill(ends[0])
    before = descriptors()
    ends[0].send({}, [0])
    ends[1].close()
    ends[0].flush()
    assert ends[0].ended and not ends[0].pending
    assert descriptors() == before - 1


# ---- A peer that is broken ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "packet",
    [
        b"\xff\xfe",
        b"{",
        b"[1]",
        b"null",
        b'"text"',
        b'{"a":' + b"9" * 5000 + b"}",
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b"",
        MORE,
    ],
    ids=lambda packet: repr(packet[:12]),
)
def test_what_is_no_message_is_counted_and_nothing_else(ends: Ends, packet: bytes) -> None:
    ends[0].sock.send(packet)
    ends[0].sock.send(b"nonsense")
    ends[0].send({"n": 1})
    assert ends[1].receive() == [({"n": 1}, [])]
    assert 1 <= ends[1].malformed <= 2
    assert not ends[1].ended


@given(packets=st.lists(st.binary(max_size=200) | st.binary(max_size=20).map(MORE.__add__), max_size=20))
@settings(max_examples=100, deadline=None)
def test_any_bytes_do_no_harm(packets: list[bytes]) -> None:
    one, other = pair()
    for packet in packets:
        one.sock.send(packet)
    one.sock.send(b"end of a part")
    one.send({"n": 1})
    assert other.receive()[-1] == ({"n": 1}, [])
    assert not other.ended
    one.close()
    other.close()


def test_descriptors_of_what_is_no_message_are_closed(ends: Ends) -> None:
    before = descriptors()
    for packet in (b"nonsense", MORE + b"part", b""):
        socket.send_fds(ends[0].sock, [packet], [0, 1])
        assert ends[1].receive() == []
    assert ends[1].malformed == 3 and not ends[1].ended
    assert descriptors() == before


def test_a_packet_larger_than_any_is_thrown_away(ends: Ends) -> None:
    ends[0].sock.send(b'{"a":"' + b"x" * PACKET + b'"}')
    ends[0].send({"n": 1})
    assert ends[1].receive() == [({"n": 1}, [])]
    assert ends[1].malformed == 1


def test_one_who_sends_without_an_end_does_not_have_the_reader_for_itself(ends: Ends) -> None:
    ends[0].sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    count = fill(ends[0]) - 1
    assert len(ends[1].receive()) == min(count, AT_ONCE)
    assert bool(select.select([ends[1]], [], [], 0)[0]) == (count > AT_ONCE), "what is left is told of"
    assert len(all_of(ends[1])) == max(0, count - AT_ONCE)


def test_parts_without_an_end_cost_a_bounded_memory(ends: Ends) -> None:
    for _ in range(2 * WHOLE // PACKET):
        ends[0].sock.send(MORE + b"x" * (PACKET - 1))
        assert ends[1].receive() == []
    assert len(ends[1].part) <= WHOLE
    assert ends[1].malformed >= 1


# ---- What is long ------------------------------------------------------------------------------------


@pytest.mark.parametrize("letter", ["x", "é", "\N{PILE OF POO}", "\n", "\x00"])
@pytest.mark.parametrize("length", [PACKET - 30, PACKET, 3 * PACKET])
def test_a_long_text_is_cut_in_its_middle_to_fit_one_packet(ends: Ends, letter: str, length: int) -> None:
    text = "begin " + letter * length + " end"
    ends[0].send({"is": "failed", "deep": [{"text": text}], "reason": "one line"})
    assert not ends[0].pending
    ((message, _),) = ends[1].receive()
    found = message["deep"][0]["text"]
    assert (message["is"], message["reason"]) == ("failed", "one line")
    assert found.startswith("begin ") and found.endswith(" end")
    assert found == text or MARK in found
    assert len(found) >= min(len(text), TEXT // 2)


def test_the_longest_is_cut_first(ends: Ends) -> None:
    ends[0].send({"a": "a" * 20_000, "b": "b" * 200_000})
    ((message, _),) = ends[1].receive()
    assert message["a"] == "a" * 20_000
    assert 30_000 < len(message["b"]) < 46_000


def test_many_short_texts_come_whole_in_parts(ends: Ends) -> None:
    files = [f"/srv/application/package/module_{number}.py" for number in range(20_000)]
    read, write = os.pipe()
    ends[0].send({"is": "files", "files": files}, [write])
    ends[0].send({"n": 2})
    got: list[tuple[dict[str, Any], list[int]]] = []
    while len(got) < 2:
        got += ends[1].receive()
        ends[0].flush()
    assert [message for message, _ in got] == [{"is": "files", "files": files}, {"n": 2}]
    for fd in (read, write, *got[0][1]):
        os.close(fd)
    assert len(got[0][1]) == 1


def test_what_is_too_large_altogether_is_not_sent(ends: Ends) -> None:
    ends[0].send({"files": ["x" * 100] * 60_000})
    assert ends[0].dropped == 1
    assert ends[1].receive() == [] and not ends[1].ended


def test_the_callers_message_is_not_changed(ends: Ends) -> None:
    message = {"stack": ["x" * 200_000]}
    ends[0].send(message)
    assert len(message["stack"][0]) == 200_000
