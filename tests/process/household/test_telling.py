"""What people are told of daemons, crons and mules."""

import time
from pathlib import Path

from penstock.process.household.telling import SHOWN, lines_of, short

BEGUN = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(86400.0 * 366))


def test_a_line_for_each() -> None:
    daemon = {
        "option": "attach-daemon",
        "command": "redis-server",
        "pid": 12,
        "state": "running",
        "starts": 3,
    }
    quiet = {**daemon, "pid": 0, "state": "waiting", "starts": 1}
    cron = {"option": "cron", "command": "backup", "times": [0, 3, -1, -1, -1], "running": [], "last": 0.0}
    busy = {**cron, "running": [7, 8], "last": 86400.0 * 366}
    mule = {"mule": 1, "pid": 9, "work": "mail.py", "generation": 2, "age": 1.0, "leaving": ""}
    bare = {**mule, "pid": 0, "work": "", "leaving": "a reload"}
    household = {"daemons": [daemon, quiet], "cron": [cron, busy], "mules": [mule, bare]}
    assert lines_of(household) == [
        'daemon "redis-server": running, pid 12, started 3 times',
        'daemon "redis-server": waiting',
        'cron 0 3 -1 -1 -1 "backup": waits',
        'cron 0 3 -1 -1 -1 "backup": runs, pid 7, 8; last begun ' + BEGUN,
        "mule 1 (mail.py): pid 9, generation 2",
        "mule 1: starting, generation 2, leaving: a reload",
    ]
    assert lines_of({}) == []


def test_the_lines_of_the_page() -> None:
    begun = time.mktime((2026, 11, 20, 3, 0, 0, 0, 0, -1))
    lines = lines_of(
        {
            "daemons": [{"command": "celery -A shop worker", "pid": 51101, "state": "running", "starts": 2}],
            "cron": [
                {
                    "option": "cron", "command": "./manage.sh clearsessions", "times": [0, 3, -1, -1, -1],
                    "running": [], "last": begun,
                },
            ],
            "mules": [{"mule": 1, "pid": 51131, "work": "tasks.py", "generation": 3, "leaving": ""}],
        }
    )  # fmt: skip
    page = Path(__file__).parents[3] / "docs" / "control.md"
    assert "```\n" + "\n".join(lines) + "\n```\n" in page.read_text()


def test_a_long_command_is_cut() -> None:
    assert short("a\n  b") == "a b"
    assert len(short("x" * 100)) == SHOWN and short("x" * 100).endswith("…")
