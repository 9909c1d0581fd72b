"""The access log's line is uWSGI's, and one line whatever a client says."""

import os
import re
from time import ctime

import pytest

from penstock.logs.access import LONGEST, UwsgiLine, escape
from penstock.logs.format import LogFormat
from penstock.logs.house import House
from tests.records import PLAIN, record


def line(**other: object) -> str:
    return UwsgiLine(House()).make(record(**other))


def test_the_line_is_uwsgis() -> None:
    assert line() == (
        f"[pid: {os.getpid()}|app: 0|req: 1/1] 127.0.0.1 () {{20 vars in 197 bytes}} "
        f"[{ctime(1795216000)}] GET /hi?a=b => generated 9 bytes in 1 msecs "
        "(HTTP/1.1 200) 2 headers in 58 bytes (2 switches on core 0)"
    )


def test_the_requests_of_other_workers_count_in_all_and_never_fewer() -> None:
    house = House()
    made = LogFormat(house, lambda record: True, UwsgiLine(house).make)
    seen = iter([10, 25, 3])
    house.others = lambda: next(seen)
    lines = [line for _ in range(3) for line in made.lines([PLAIN, PLAIN])]
    totals = [re.search(r"\|req: (\d+/\d+)\]", line) for line in lines]
    assert [found and found[1] for found in totals] == ["1/11", "2/12", "3/28", "4/29", "5/30", "6/31"]


def test_counters_are_by_application_and_in_all() -> None:
    make = UwsgiLine(House())
    make.make(PLAIN)
    make.make(record(app=1))
    assert make.lines([record(app=1, logged=False)]) == []
    assert "|app: 0|req: 2/4]" in make.make(PLAIN)
    assert "|app: -1|req: -1/5]" in make.make(record(app=-1))
    assert "|app: 1|req: 3/6]" in make.make(record(app=1))


@pytest.mark.parametrize("via", ["sendfile()", "route()", "offload()"])
def test_who_sent_it_is_named(via: str) -> None:
    assert f" 1 msecs via {via} (HTTP/1.1 200) " in line(via=via)


def test_times_in_microseconds() -> None:
    made = UwsgiLine(House(), micros=True).make(record(seconds=0.001901, via="sendfile()"))
    assert " bytes in 1901 micros via sendfile() (HTTP" in made


def test_a_virtual_host_comes_before_the_line() -> None:
    made = UwsgiLine(House(), vhost=True).make(record(said=('shop"\n',)))
    assert made.startswith("shop\\x22\\x0a [pid: ")


def test_memory_comes_before_the_line() -> None:
    house = House(memory=lambda: (300 << 20, (20 << 20) + 5), shares=lambda: (7 << 20, 6 << 20))
    made = UwsgiLine(house, vhost=True, memory=2)
    house.look()
    assert made.make(record(said=("h",))).startswith(
        "h {address space usage: 314572800 bytes/300MB} {rss usage: 20971525 bytes/20MB} "
        "{uss usage: 6291456 bytes/6MB} {pss usage: 7340032 bytes/7MB} [pid: "
    )


def test_memory_is_looked_at_only_where_a_line_has_it() -> None:
    asked: list[str] = []

    def memory() -> tuple[int, int]:
        asked.append("memory")
        return 1 << 20, 2 << 20

    def shares() -> tuple[int, int]:
        asked.append("shares")
        raise PermissionError

    house = House(memory=memory, shares=shares)
    UwsgiLine(house)
    house.look()
    assert asked == []
    made = UwsgiLine(house, memory=1)
    house.look()
    assert asked == ["memory"]
    assert " {rss usage: 2097152 bytes/2MB} [pid" in made.make(PLAIN)
    UwsgiLine(house, memory=2)
    house.look()
    assert asked == ["memory", "memory", "shares"]
    assert house.rss == 0  # what cannot be read is said to be nothing, not what was once


def test_a_line_beyond_uwsgis_buffer_has_its_short_form() -> None:
    room = LONGEST - 1 - len(line(uri=""))
    assert line(uri="x" * room).count("x") > room - 1
    short = line(uri="x" * (room + 1), user="me", address="192.0.2.7")
    assert short == (
        f"[pid: {os.getpid()}|app: 0|req: 1/1] 192.0.2.7 () {{20 vars in 197 bytes}} "
        f"[{ctime(1795216000)}] - - => generated 9 bytes in 1 msecs "
        "(- 200) 2 headers in 58 bytes (2 switches on core 0)"
    )
    assert " 0.0.0.0 () {20" in line(address="1.2.3.4, " * 1000)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("/plain?a=b", "/plain?a=b"),
        ('a"b', "a\\x22b"),
        ("a\\b", "a\\x5cb"),
        ("a\nb\rc", "a\\x0ab\\x0dc"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x00\x7f\xff\x80", "\\x00\\x7f\\xff\\x80"),
        ("\u2028", "\\x28"),
    ],
)
def test_what_a_client_says_is_escaped(text: str, safe: str) -> None:
    assert escape(text) == safe
    made = line(uri=text, user=text, address=text, method=text, protocol=text)
    assert made.isprintable()
    assert made.isascii()


def test_who_asks_again_and_again_is_escaped_each_time() -> None:
    make = UwsgiLine(House())
    who = [("a\nb", "me"), ("a\nb", "me"), ("192.0.2.7", "\x1b"), ("a\\x0ab", "me"), ("192.0.2.7", "me")]
    batch = [record(address=address, user=user) for address, user in who]
    for number, records in enumerate([batch, batch, *([one] for one in batch), batch]):
        lines = make.lines(records)
        assert all(each.isascii() and each.isprintable() for each in lines), number
        assert all("[pid: " in each and each.count("] ") == 2 for each in lines)
    assert [each.split("] ")[1].split(" {")[0] for each in make.lines(batch)] == [
        "a\\x0ab (me)", "a\\x0ab (me)", "192.0.2.7 (\\x1b)", "a\\x5cx0ab (me)", "192.0.2.7 (me)"
    ]  # fmt: skip


def test_endless_fields_are_cut() -> None:
    assert len(escape("x" * 100_000)) == LONGEST + 3


def test_one_that_is_escaped_among_others_changes_nothing_else() -> None:
    make = UwsgiLine(House())
    batch = [
        record(uri="/a"),
        record(uri="/a\n[pid: 1|app: 0]", app=-1),
        record(uri="/\xff"),
        record(via="route()"),
    ]
    found = make.lines(batch)
    one = UwsgiLine(House())
    assert found == [one.make(each) for each in batch]
    assert [line.partition("|req: ")[2].partition("]")[0] for line in found] == ["1/1", "-1/2", "2/3", "3/4"]
    assert found[1].count("\\x0a[pid") == 1
    assert make.lines([]) == []
