"""One program beside the server: its pauses, its signals, and its name in the log."""

import signal

from penstock.config.household.daemons import SIGNALS, Daemon
from penstock.process.household.attached import Pace, label_of, number_of


def test_the_pause_counts_quick_ends_in_a_row() -> None:
    pace = Pace(0)
    assert [pace.after(0.1) for _ in range(4)] == [1, 2, 3, 4]
    assert pace.after(3.5) == 0
    assert pace.after(3.0) == 1
    assert [Pace(2).after(0) for _ in range(3)] == [1, 1, 1]
    bounded = Pace(2)
    assert [bounded.after(0) for _ in range(4)] == [1, 2, 2, 2]
    assert max(pace.after(0) for _ in range(400)) == 300


def test_every_name_of_a_signal_has_a_number() -> None:
    assert {number_of(name) for name in SIGNALS} <= set(signal.Signals)
    assert (number_of("TERM"), number_of("40")) == (15, 40)


def test_a_long_command_is_cut_in_the_log() -> None:
    assert label_of(Daemon(command="sleep\n  60")) == 'daemon "sleep 60"'
    assert label_of(Daemon(command="x" * 40)) == f'daemon "{"x" * 40}"'
    # What tells two commands of one long path apart is still in it.
    command = "/srv/shop/venv/bin/celery -A shop.celery worker -Q mail"
    assert label_of(Daemon(command=command)) == f'daemon "{command}"'
    assert label_of(Daemon(command="x" * 61)) == f'daemon "{"x" * 59}…"'
