"""Alarms that are raised: what each does, what is too much, and what comes of it."""

import errno
import json
import time
from typing import Any

import pytest

from penstock.process.alarms.raising import AT_ONCE, LONGEST, WAITING, Ended, Job, Raising
from tests.process.supervisor.recording import settings


class Means:
    """Lists of what was asked; ``end`` has the first program end."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.jobs: list[Job] = []
        self.ends: list[Ended] = []
        self.mules: list[tuple[int, bytes]] = []
        self.mule_takes = True
        self.broken = False

    def say(self, text: str) -> None:
        self.said.append(text)

    def run(self, job: Job, ended: Ended) -> None:
        if self.broken:
            raise OSError(errno.EAGAIN, "no more processes")
        self.jobs.append(job)
        self.ends.append(ended)

    def tell_mule(self, number: int, message: bytes) -> bool:
        self.mules.append((number, message))
        return self.mule_takes

    def end(self, status: int = 0) -> None:
        self.ends.pop(0)(status)


@pytest.fixture
def means() -> Means:
    return Means()


def raising(means: Means, **options: Any) -> Raising:
    it = Raising(means)
    it.take(settings(**options))
    return it


def test_a_line_is_written(means: Means) -> None:
    it = raising(means, alarm=["a log:", "b log:look out"])
    it.raise_("a", b"a line\n")
    it.tell("b", "a text")
    assert means.said == ["ALARM: a line", "ALARM: look out a text"]


def test_a_command_reads_the_message(means: Means) -> None:
    raising(means, alarm="a cmd:mail -s 'x' ops").raise_("a", b"a line\n")
    assert means.jobs == [Job("mail -s 'x' ops", b"a line\n", 'alarm "a"', LONGEST)]


def test_a_mule_is_told(means: Means) -> None:
    it = raising(means, alarm="a mule:2")
    it.raise_("a", b"x")
    means.mule_takes = False
    it.raise_("a", b"y")
    assert means.mules == [(2, b"x"), (2, b"y")]
    assert means.said == ["alarm a: no mule takes it"]


def test_what_is_sent_is_nowhere_in_the_command_line(means: Means) -> None:
    it = raising(means, alarm="a curl:http://u:p@example.org/secret;timeout=7;subject=s")
    it.raise_("a", b"line one\nline two\n")
    (job,) = means.jobs
    assert "secret" not in job.command and "penstock.process.alarms.webhook" in job.command
    assert job.seconds == 8.0
    head, _, message = job.stdin.partition(b"\n")
    assert message == b"line one\nline two\n"
    told = json.loads(head)
    assert (told["url"], told["timeout"], told["subject"]) == ("http://u:p@example.org/secret", 7.0, "s")


def test_the_same_message_counts_once_in_a_while(means: Means) -> None:
    it = raising(means, alarm=["a log:", "b log:"], alarm_freq=0.1)
    for name in ("a", "a", "b"):
        it.raise_(name, b"x")
    it.raise_("a", b"y")
    it.raise_("a", b"x")
    assert means.said == ["ALARM: x", "ALARM: x", "ALARM: y", "ALARM: x"]
    time.sleep(0.11)
    it.raise_("a", b"x")
    assert len(means.said) == 5


def test_it_counts_each_time_where_that_is_asked_for(means: Means) -> None:
    it = raising(means, alarm="a log:", alarm_freq=0)
    it.raise_("a", b"x")
    it.raise_("a", b"x")
    assert len(means.said) == 2


def test_a_text_is_cut_and_a_line_is_not(means: Means) -> None:
    it = raising(means, alarm="a log:", alarm_msg_size=4)
    it.tell("a", "123456")
    it.raise_("a", b"abcdef")
    assert means.said == ["ALARM: 1234", "ALARM: abcdef"]


def test_programs_of_one_alarm_are_so_many_and_what_waits_has_its_turn(means: Means) -> None:
    it = raising(means, alarm="a cmd:true")
    count = AT_ONCE + WAITING + 3
    for number in range(count):
        it.raise_("a", b"%d" % number)
    assert len(means.jobs) == AT_ONCE
    while means.ends:
        means.end()
        assert it.alarms["a"].running <= AT_ONCE
    assert [job.stdin for job in means.jobs] == [b"%d" % number for number in range(AT_ONCE + WAITING)]
    assert means.said == ["alarm a: 3 messages were not told, too many came at once"]
    it.raise_("a", b"again")
    assert len(means.ends) == 1


def test_what_is_sent_goes_one_after_the_other(means: Means) -> None:
    it = raising(means, alarm="a http://example.org/")
    it.raise_("a", b"1")
    it.raise_("a", b"2")
    assert len(means.jobs) == 1
    means.end()
    assert len(means.jobs) == 2


@pytest.mark.parametrize(("status", "said"), [(3, "exit status 3"), (-9, "killed by signal 9")])
def test_a_bad_end_is_told(means: Means, status: int, said: str) -> None:
    raising(means, alarm="a cmd:x").raise_("a", b"x")
    means.end(status)
    assert means.said == [f"alarm a: its cmd ended with {said}"]


def test_a_program_that_cannot_be_started_is_told_of_and_is_not_counted(means: Means) -> None:
    it = raising(means, alarm="a cmd:x")
    means.broken = True
    it.raise_("a", b"x")
    assert means.said == ["alarm a: no process could be started: no more processes"]
    assert it.alarms["a"].running == 0


def test_one_that_is_not_there_is_told_of_once(means: Means) -> None:
    it = raising(means, alarm="nobody speech:x")
    for name in ("b", "b", "nobody"):
        it.tell(name, "x")
    assert means.said == ["alarm b: there is no such alarm, so it is not raised"]
    for number in range(2 * WAITING):
        it.tell(f"no{number}", "x")
    assert len(means.said) == WAITING, "the application may make up as many names as it likes"


def test_other_settings_keep_what_was_told_last(means: Means) -> None:
    it = raising(means, alarm=["a log:", "a log:second", "b log:"])
    it.raise_("a", b"x")
    it.raise_("b", b"x")
    it.take(settings(alarm=["a log:", "b log:changed"]))
    it.raise_("a", b"x")
    it.raise_("b", b"x")
    assert means.said == ["ALARM: x", "ALARM: x", "ALARM: changed x"]
