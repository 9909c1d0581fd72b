"""The harness's reading of what a configuration has run beside its application."""

import pytest

from tests.compat.corpus.programs import ENDS, LEAVES, STAYS, Program, every_minute, found, kinds


@pytest.mark.parametrize(
    ("key", "value", "program"),
    [
        (
            "attach-daemon",
            "celery -A shop",
            Program("daemons", "/usr/local/sbin/celery", ("celery", "-A", "shop"), STAYS),
        ),
        (
            "attach-daemon",
            "A=1 B=2 /bin/x",
            Program("daemons", "/bin/x", ("/bin/x",), STAYS, (("A", "1"), ("B", "2"))),
        ),
        ("smart-attach-daemon", "/p,3 /bin/x", Program("daemons", "/bin/x", ("/bin/x",), LEAVES, (), "/p")),
        ("smart-attach-daemon2", "/p /bin/x", Program("daemons", "/bin/x", ("/bin/x",), STAYS, (), "/p")),
        (
            "attach-daemon2",
            "cmd=/bin/x y,pidfile=/p",
            Program("daemons", "/bin/x", ("/bin/x", "y"), LEAVES, (), "/p"),
        ),
        (
            "attach-daemon2",
            "cmd=/bin/x,pidfile=/p,daemonize=1",
            Program("daemons", "/bin/x", ("/bin/x",), STAYS, (), "/p"),
        ),
        ("cron", "-5 3 -1 -1 -1 /bin/x $(NONE) y", Program("cron", "/bin/x", ("/bin/x", "y"), ENDS)),
        ("cron2", "minute=-5,unique=1 /bin/x a\\/b", Program("cron", "/bin/x", ("/bin/x", "a/b"), ENDS)),
        ("hook-accepting1", "exec:/bin/x y", Program("hooks", "/bin/x", ("/bin/x", "y"), ENDS)),
        ("exec-as-root", "/bin/x 'a b'", Program("hooks", "/bin/x", ("/bin/x", "a b"), ENDS)),
    ],
)
def test_a_program(key: str, value: str, program: Program) -> None:
    assert list(found([(key, value)])) == [program]


def test_what_runs_no_program() -> None:
    pairs = [("hook-asap", "print:x"), ("module", "shop"), ("mule", "mule.py"), ("emperor", "/sites")]
    assert list(found(pairs)) == []
    assert kinds(pairs) == ["mules", "emperor"]
    assert kinds([("hook-master-start", "unix_signal:15 gracefully_kill_them_all")]) == ["hooks"]
    assert kinds([("hook-asap", "print:x"), ("emperor", "true")]) == []


@pytest.mark.parametrize(
    ("line", "sooner"),
    [
        ("cron = 0 3 -1 -1 -1 clean up", "cron = -1 -1 -1 -1 -1 clean up"),
        ("cron2 = minute=-5,hour=3 x=1", "cron2 = minute=-1 x=1"),
        ("unique-cron= 59 2 -1 -1 -1 x", "unique-cron= -1 -1 -1 -1 -1 x"),
        ("# cron = 0 3 -1 -1 -1 x", "# cron = 0 3 -1 -1 -1 x"),
        ("module = cron", "module = cron"),
    ],
)
def test_nobody_waits_for_three_at_night(line: str, sooner: str) -> None:
    assert every_minute(f"[uwsgi]\n{line}\n") == f"[uwsgi]\n{sooner}\n"
