"""A vassal's steps, and what is told of it."""

import socket

from penstock.process.emperor.scan import Found, Realm
from penstock.process.emperor.vassal import STATES, State, Vassal


def vassal(**more: object) -> Vassal:
    found = Found("a.ini", 1_700_000_000 * 10**9, (1, 1), 33, 34)
    return Vassal(Realm(2, "/etc/vassals"), found, **more)  # type: ignore[arg-type]  # the fields' own


def test_every_state_but_the_last_leads_on_and_all_can_be_reached() -> None:
    reached = {following for steps in STATES.values() for following in steps.values()}
    assert reached == set(State)
    assert [state for state, steps in STATES.items() if not steps] == [State.GONE]


def test_only_steps_of_the_table_are_made() -> None:
    one = vassal()
    assert not one.move("dead") and one.state is State.DUE
    for event, state in (("start", "RUNNING"), ("leave", "LEAVING"), ("dead", "MOURNED"), ("gone", "GONE")):
        assert one.move(event) and one.state is State[state]
    assert not one.move("start")


def test_names_and_keys() -> None:
    assert (vassal().name, vassal().key) == ("a.ini", (2, "a.ini"))
    assert (vassal(helper=3).name, vassal(helper=3).key) == ("a.ini:zerg", (2, "a.ini:zerg"))


def test_a_life_begins_anew() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        one = vassal(loyal=True, told=True, ready=True, accepting=True)
        one.times.heartbeat = one.times.cursed = 7
        one.born(77, ours)
        assert (one.pid, one.loyal, one.told, one.ready, one.accepting) == (77, False, False, False, False)
        assert one.times.heartbeat == one.times.cursed == 0
        assert one.times.first_run == one.times.last_run > 0
        one.part()
        one.part()
        assert one.bond is None and ours.fileno() == -1


def test_the_statistics_have_uwsgis_names() -> None:
    figures = vassal(address="/run/a.sock").figures()
    assert list(figures) == [
        *("id", "pid", "born", "last_mod", "last_heartbeat", "loyal", "ready", "accepting", "last_loyal"),
        *("last_ready", "last_accepting", "first_run", "last_run", "cursed", "zerg", "on_demand", "uid"),
        *("gid", "monitor", "respawns"),
    ]
    assert (figures["pid"], figures["born"], figures["monitor"]) == (-1, 1_700_000_000, "/etc/vassals")
    assert (figures["uid"], figures["gid"], figures["on_demand"]) == (33, 34, "/run/a.sock")
