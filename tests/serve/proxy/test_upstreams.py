"""Kept connections: the warm one first, none for ever, none twice."""

import socket
import threading
from collections import deque
from collections.abc import Iterator

import pytest

from penstock.serve.proxy.link import Link
from penstock.serve.proxy.target import Target
from penstock.serve.proxy.upstreams import IDLE, KEPT, TARGETS, Upstreams

HERE = Target("here", path="/here")


class Pairs:
    """Links with an open other end."""

    def __init__(self) -> None:
        self.ends: list[socket.socket] = []

    def link(self) -> Link:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        self.ends += [ours, theirs]
        return Link(ours)


@pytest.fixture
def pairs() -> Iterator[Pairs]:
    made = Pairs()
    yield made
    for end in made.ends:
        end.close()


def is_open(link: Link) -> bool:
    return link.sock.fileno() >= 0


def test_the_last_one_comes_first(pairs: Pairs) -> None:
    store = Upstreams()
    first, second = pairs.link(), pairs.link()
    assert store.take(HERE) is None
    store.give(HERE, first)
    store.give(HERE, second)
    assert store.take(Target("there", path="/there")) is None
    assert [store.take(HERE), store.take(HERE), store.take(HERE)] == [second, first, None]
    assert (first.served, second.served) == (1, 1)


def test_what_ended_or_spoke_meanwhile_is_not_given_out(pairs: Pairs) -> None:
    store = Upstreams()
    good, ended, spoke = pairs.link(), pairs.link(), pairs.link()
    for link in (good, ended, spoke):
        store.give(HERE, link)
    pairs.ends[3].close()
    pairs.ends[5].send(b"x")
    assert store.take(HERE) is good
    assert [is_open(link) for link in (good, ended, spoke)] == [True, False, False]


def test_none_is_kept_for_longer_than_its_time(pairs: Pairs) -> None:
    store = Upstreams()
    old, new = pairs.link(), pairs.link()
    store.give(HERE, old)
    old.since -= IDLE + 1
    store.swept -= 2
    store.give(Target("there", path="/there"), new)
    assert [is_open(link) for link in (old, new)] == [False, True], "another server's, too"
    store.give(HERE, pairs.link())
    store.kept[HERE][0].since -= IDLE + 1
    assert store.take(HERE) is None


def test_no_more_are_kept_than_so_many(pairs: Pairs) -> None:
    store = Upstreams()
    links = [pairs.link() for _ in range(KEPT + 3)]
    for link in links:
        store.give(HERE, link)
    assert [is_open(link) for link in links] == [False] * 3 + [True] * KEPT


def test_nor_to_more_servers(pairs: Pairs) -> None:
    store = Upstreams()
    for n in range(TARGETS):
        store.kept[Target(str(n), path=str(n))] = deque()
    link = pairs.link()
    store.give(HERE, link)
    assert not is_open(link) and HERE not in store.kept


def test_close_ends_all(pairs: Pairs) -> None:
    store = Upstreams()
    links = [pairs.link() for _ in range(3)]
    for link in links:
        store.give(HERE, link)
    store.close()
    assert not any(is_open(link) for link in links)
    assert store.take(HERE) is None


def test_threads_never_share_one(pairs: Pairs) -> None:
    """Each takes, marks, looks whether anybody else has, and gives back."""
    store = Upstreams()
    for _ in range(3):
        store.give(HERE, pairs.link())
    held: set[int] = set()
    errors: list[str] = []

    def work() -> None:
        for _ in range(400):
            link = store.take(HERE)
            if link is None:
                continue
            if id(link) in held:
                errors.append("two have it")
            held.add(id(link))
            held.discard(id(link))
            store.give(HERE, link)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not errors and len(store.kept[HERE]) == 3
