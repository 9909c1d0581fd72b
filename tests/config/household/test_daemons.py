"""``attach-daemon`` and its kin taken apart."""

import pytest

from penstock.config.household.daemons import (
    PARSERS,
    Daemon,
    attached,
    controlling,
    parse,
    smart,
    smart2,
    split,
    unquoted,
)


def test_a_command_is_taken_as_it_is() -> None:
    line = "celery -A shop, x=y  \\, 'a b'"
    assert attached(line) == Daemon(command=line)
    assert controlling(line) == Daemon(command=line, control=True)
    assert attached(line).stop_signal == "TERM"


def test_a_pidfile_before_the_command() -> None:
    assert smart("/run/a.pid a --bg") == Daemon(command="a --bg", pidfile="/run/a.pid")
    assert smart("/run/a.pid,30 a") == Daemon(command="a", pidfile="/run/a.pid", freq=30)
    assert smart2("p  a") == Daemon(command=" a", pidfile="p", daemonize=True)


def test_every_key() -> None:
    found = parse(
        "command=c,freq=3,pidfile=p,control=1,daemonize=1,touch=a;b,stopsignal=2,reloadsignal=hup,stdin=1,"
        "uid=www-data,gid=33,ns_pid=1,chdir=/srv,max_throttle=9,notifypid=1"
    )
    assert found == Daemon(
        command="c", freq=3, pidfile="p", control=True, daemonize=True, touch=("a", "b"), stop_signal="2",
        reload_signal="HUP", stdin=True, uid="www-data", gid="33", own_pid_space=True, folder="/srv",
        max_throttle=9, notify=True,
    )  # fmt: skip


@pytest.mark.parametrize("key", ["command", "cmd", "exec"])
def test_names_of_the_command(key: str) -> None:
    assert parse(f"{key}=a b").command == "a b"


def test_other_names() -> None:
    assert parse("cmd=a,stop_signal=SIGINT,reload_signal=10,daemon=,pidfile=p") == Daemon(
        command="a", stop_signal="INT", reload_signal="10", daemonize=True, pidfile="p",
        doubtful=("daemon= switches it on: only a key that is left out is off",),
    )  # fmt: skip


def test_a_reload_signal_of_0_is_none() -> None:
    assert parse("cmd=a,reloadsignal=0").reload_signal == ""
    assert parse("cmd=a,reloadsignal=64").reload_signal == "64"


def test_the_last_of_a_key_counts() -> None:
    assert parse("cmd=a,exec=b,freq=1,freq=2") == Daemon(command="b", freq=2)


def test_backslashes_go() -> None:
    assert parse(r"cmd=a\,b \\x \n=1").command == r"a,b \x n=1"


def test_a_command_may_have_equals_signs() -> None:
    assert parse("cmd=env A=1 B=2 run").command == "env A=1 B=2 run"


def test_a_comma_that_was_not_meant_is_told() -> None:
    found = parse("cmd=celery -Q a,b,color=red")
    assert found.command == "celery -Q a"
    assert [text.split(" is")[0] for text in found.doubtful] == ["'b'", "'color'"]


@pytest.mark.parametrize("off", ["0", "false", "no", "off", "OFF"])
def test_a_flag_is_on_whatever_it_is(off: str) -> None:
    found = parse(f"cmd=a,control={off}")
    assert found.control
    assert found.doubtful == (f"control={off} switches it on: only a key that is left out is off",)
    assert parse("cmd=a,control=yes").doubtful == ()


@pytest.mark.parametrize(
    ("option", "text", "expected"),
    [
        ("attach-daemon", " ", "a command is expected"),
        ("attach-control-daemon", "", "a command is expected"),
        ("smart-attach-daemon", "/run/a.pid", "PIDFILE COMMAND is expected"),
        ("smart-attach-daemon", ",3 a", "PIDFILE COMMAND is expected"),
        ("smart-attach-daemon2", "/run/a.pid,x a", "freq: a number"),
        ("smart-attach-daemon2", "/run/a.pid ", "a command is expected"),
        ("attach-daemon2", "freq=3", "a command=… is expected"),
        ("attach-daemon2", "", "a command=… is expected"),
        ("attach-daemon2", "cmd=a,daemonize=1", "needs a pidfile"),
        ("attach-daemon2", "cmd=a,freq=-1", "freq: a number"),
        ("attach-daemon2", "cmd=a,max_throttle=1s", "max_throttle: a number"),
        ("attach-daemon2", "cmd=a,stopsignal=0", "stopsignal: a signal"),
        ("attach-daemon2", "cmd=a,stopsignal=65", "stopsignal: a signal"),
        ("attach-daemon2", "cmd=a,stopsignal=QUITE", "stopsignal: a signal"),
        ("attach-daemon2", "cmd=a,reloadsignal=99999", "reloadsignal: a signal"),
    ],
)
def test_what_cannot_be_taken_apart(option: str, text: str, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        PARSERS[option](text)


def test_splitting() -> None:
    assert split("a,,b,", ",") == ["a", "", "b"]
    assert split("", ",") == []
    assert unquoted("a;'b;c';\"d'\"\\;;e", ";") == ["a", "b;c", "d';", "e"]
    assert unquoted("", ";") == []
