"""Options of pushes and of Graphite: how often, how often again, under which name."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.config.settings import Settings
from penstock.process.stats.metering import Meter
from penstock.process.stats.pushing import pushers
from tests.e2e.surroundings import environment
from tests.process.stats.served import served
from tests.process.stats.test_graphite import Listening, graphite
from tests.services.stats.example import server


def test_pushes_without_a_time_of_their_own_have_the_usual_one() -> None:
    texts = ("statsd:127.0.0.1:8125", "file:/run/site.json", "file:path=/run/site.json,freq=2")
    said: list[str] = []
    settings = Settings(stats_push=texts, stats_pusher_default_freq=7.0)
    assert [pusher.freq for pusher in pushers(settings, said.append)] == [7.0, 7.0, 2.0]
    assert [pusher.freq for pusher in pushers(Settings(stats_push=texts), said.append)] == [3.0, 3.0, 2.0]


def test_it_is_tried_as_often_again_as_carbon_max_retry_says(tmp_path: Path) -> None:
    said: list[str] = []
    gone = Listening()
    address = gone.address
    gone.close()
    with served(tmp_path) as on:
        sending = graphite(on, said, address, carbon_retry_delay=1.0, carbon_max_retry=2)
        sending.push(server(), None, 99)
        on.until(lambda: sending.targets[0].failures == 3)
        on.turn(1.2)
        assert sending.targets[0].failures == 3 and not sending.busy
        sending.close()


RENAMED = """
import ctypes, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
if libc.unshare(0x04000000):  # CLONE_NEWUTS: a name of its own, which ends with the process
    sys.exit(77)
socket.sethostname("web.example.org")
from penstock.config.settings import Settings
from penstock.process.stats.graphite import wording
settings = (Settings(), Settings(carbon_hostname_dots="_-"))
print(*(wording(one).host for one in settings))
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a machine another name")
def test_dots_of_the_hosts_name() -> None:
    done = subprocess.run(
        [sys.executable, "-c", RENAMED], env=environment(), capture_output=True, text=True, timeout=30
    )
    if done.returncode == 77:
        pytest.skip("no namespace for a name can be had here")
    assert done.stdout == "web.example.org web_example_org\n", done.stderr


def test_metrics_no_cores_keeps_none_of_threads() -> None:
    names = {
        given: Meter(Settings(metrics_no_cores=given), server(), print).metrics.entries.keys()
        for given in (False, True)
    }
    of_threads = {name for name in names[False] if ".core." in name}
    assert of_threads and names[True] == names[False] - of_threads


@pytest.mark.parametrize(
    ("given", "line"), [(False, b".site.requests 30 99"), (True, b".worker.1.requests 10 99")]
)
def test_carbon_use_metrics_sends_them_by_their_names(given: bool, line: bytes, tmp_path: Path) -> None:
    meter = Meter(Settings(enable_metrics=True), server(), print)
    meter.collect(server(), lambda name, text: None)
    one = Listening()
    with served(tmp_path) as on:
        sending = graphite(on, [], one.address, carbon_use_metrics=given)
        sending.push(server(), meter.metrics, 99)
        data = one.heard(on)
    one.close()
    assert line in data
    assert (b"core.overloaded" in data) == given
