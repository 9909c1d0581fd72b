"""What is learned of packets decides how fast one is read, and never what it says."""

import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.codecs import uwsgi
from penstock.codecs.habit import BASES, LONGEST, MOST, PATIENCE, Habit, sized
from penstock.codecs.uwsgi import UwsgiDecoder, encode_request
from penstock.core.errors import ProtocolError
from penstock.core.request import Request

USUAL = {
    "QUERY_STRING": "page=1",
    "REQUEST_METHOD": "GET",
    "CONTENT_TYPE": "",
    "REQUEST_URI": "/shop?page=1",
    "DOCUMENT_ROOT": "/srv/www",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "REMOTE_PORT": "50001",
    "SERVER_NAME": "shop.example",
    "HTTP_HOST": "shop.example",
}
VOLATILE = {"QUERY_STRING": "page=22", "REQUEST_URI": "/shop?page=22", "REMOTE_PORT": "50002"}


@pytest.fixture
def habit() -> Iterator[Habit]:
    """The decoders' own, with nothing learned."""
    known, uwsgi.HABIT = uwsgi.HABIT, Habit()
    yield uwsgi.HABIT
    uwsgi.HABIT = known


def block_of(pairs: Mapping[str, str] | list[tuple[str, str]]) -> bytes:
    items = pairs.items() if isinstance(pairs, Mapping) else pairs
    return b"".join(sized(name) + sized(value) for name, value in items)


def read(block: bytes) -> dict[str, Any] | str:
    """The pairs, or what is said against them."""
    try:
        return UwsgiDecoder({}).variables(block)[0]
    except ProtocolError as error:
        return f"{error.status} {error.reason}"


def taught(habit: Habit) -> None:
    for _ in range(2 * PATIENCE):
        read(block_of(USUAL))
        read(block_of(USUAL | VOLATILE))


def test_it_learns_which_values_stay(habit: Habit) -> None:
    taught(habit)
    assert [step[1] for step in habit.plan.steps] == [
        "QUERY_STRING",
        "REQUEST_URI",
        "REMOTE_PORT",
        "HTTP_HOST",
    ]
    assert habit.plan.constant == {
        name: USUAL[name] for name in USUAL if name not in (*VOLATILE, "HTTP_HOST")
    }
    before = habit.misses
    assert read(block_of(USUAL | {"QUERY_STRING": "", "REMOTE_PORT": "1"})) == USUAL | {
        "QUERY_STRING": "",
        "REMOTE_PORT": "1",
    }
    assert habit.misses == before, "a packet that is as usual is no miss"


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(USUAL | {"REQUEST_METHOD": "POST"}, id="another value"),
        pytest.param({name: USUAL[name] for name in reversed(USUAL)}, id="another order"),
        pytest.param({name: value for name, value in USUAL.items() if name != "REMOTE_PORT"}, id="one less"),
        pytest.param(USUAL | {"HTTP_ACCEPT": "*/*"}, id="one more"),
        pytest.param({"QUERY_STRING": ""}, id="the first alone"),
        pytest.param({"HTTP_X": "y"}, id="nothing of it"),
        pytest.param(USUAL | {"HTTP_HOST": "x" * 300}, id="a long last value"),
        pytest.param(USUAL | {"QUERY_STRING": "x" * 70}, id="a long volatile value"),
        pytest.param({}, id="nothing"),
    ],
)
def test_another_packet_is_read_as_it_is(habit: Habit, packet: dict[str, str]) -> None:
    taught(habit)
    assert read(block_of(packet)) == packet


def test_a_name_that_comes_again_is_found_in_both_halves(habit: Habit) -> None:
    taught(habit)
    twice = [*USUAL.items(), ("SERVER_NAME", "other.example")]
    assert read(block_of(twice)) == USUAL | {"SERVER_NAME": "other.example"}
    assert read(block_of([*USUAL.items(), ("HTTP_HOST", "b")])) == "400 HTTP_HOST comes twice"


def test_what_is_wrong_is_refused_behind_what_is_usual(habit: Habit) -> None:
    taught(habit)
    block = block_of(USUAL)
    for cut in range(1, len(block)):
        assert read(block[:cut]) == dict_or_past(block[:cut])
    assert read(block_of(USUAL | {"QUERY_STRING": "a\r\nb"})) == "400 a control character in QUERY_STRING"
    assert read(block_of(USUAL | {"HTTP_HOST": "a\0b"})) == "400 a control character in HTTP_HOST"
    assert read(block_of(USUAL) + block_of({"": "x"})) == "400 an empty key"
    assert read(block_of(USUAL) + block_of({"wsgi.input": "x"})) == USUAL


def dict_or_past(block: bytes) -> dict[str, str] | str:
    """What a walk that learns nothing says."""
    pairs: dict[str, str] = {}
    at = 0
    while at < len(block):
        words = []
        for _ in range(2):
            if at + 2 > len(block) or at + 2 + (size := block[at] | block[at + 1] << 8) > len(block):
                return f"400 {uwsgi.PAST}"
            words.append(block[at + 2 : at + 2 + size].decode("latin-1"))
            at += 2 + size
        pairs[words[0]] = words[1]
    return pairs


def test_what_is_learned_has_bounds(habit: Habit) -> None:
    habit.learn({"HTTP_COOKIE": "x" * (LONGEST + 1), "HTTP_HOST": "a", "HTTP_ACCEPT": "b"})
    assert [step[1] for step in habit.plan.steps] == ["HTTP_COOKIE", "HTTP_ACCEPT"]
    before = habit.plan
    for _ in range(2 * PATIENCE):
        habit.missed({f"HTTP_{at}": "" for at in range(MOST + 1)})
    assert habit.plan is before, "too many pairs to learn from"


def test_nothing_is_learned_of_whoever_sets_a_proxy(habit: Habit) -> None:
    for _ in range(2 * PATIENCE):
        assert read(block_of(USUAL | {"HTTP_PROXY": "http://evil.example"})) == USUAL
    assert not habit.plan.steps


def test_each_base_has_its_own_beginning(habit: Habit) -> None:
    taught(habit)
    bases = [{"SERVER_PORT": str(port)} for port in range(BASES + 3)]
    for base in [*bases, *bases]:
        assert UwsgiDecoder(base).variables(block_of(USUAL)) == (USUAL | base, len(USUAL))
        assert base.keys() == {"SERVER_PORT"}
    assert len(habit.plan.begun) <= BASES


def test_a_name_that_is_gone_is_forgotten(habit: Habit) -> None:
    habit.learn({"A": "1", "B": "1"})
    habit.learn({"A": "2", "B": "1"})
    habit.learn({"B": "1"})
    assert habit.volatile == frozenset()


NAMES = st.sampled_from(["A", "B", "HTTP_C", "HTTP_HOST", "CONTENT_LENGTH", "D" * 300, "", "wsgi.x", "a b"])
VALUES = st.sampled_from(["", "1", "2", "x" * 255, "x" * 256, "\x01\0A", "\r", "\xff"])
BLOCKS = st.lists(st.tuples(NAMES, VALUES), max_size=6).map(block_of)


@settings(deadline=None)
@given(before=st.lists(BLOCKS, max_size=6), block=BLOCKS, cut=st.integers(0, 40))
def test_hypothesis_the_same_with_and_without(before: list[bytes], block: bytes, cut: int) -> None:
    known = uwsgi.HABIT
    try:
        uwsgi.HABIT = learned = Habit()
        for one in before:
            pairs = read(one)
            if isinstance(pairs, dict):
                learned.learn(pairs)
        short = block[: max(0, len(block) - cut)]
        with_it = [read(block), read(short)]
        uwsgi.HABIT = Habit()
        without = [read(block), read(short)]
    finally:
        uwsgi.HABIT = known
    assert with_it == without


def test_several_threads_learn_at_once(habit: Habit) -> None:
    wrong: list[object] = []

    def work(number: int) -> None:
        for at in range(400):
            packet = USUAL | {"REQUEST_URI": f"/{number}/{at}", "SERVER_NAME": f"{at % 3}.example"}
            if at % 5 == number:
                packet[f"HTTP_{number}"] = "x"
            request = UwsgiDecoder({}).receive(encode_request(packet))[0]
            if not isinstance(request, Request) or request.vars != packet:
                wrong.append(request)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
