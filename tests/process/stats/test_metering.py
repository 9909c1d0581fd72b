"""Metrics of a server: whether there are any, what cannot be, and what is kept of them."""

from pathlib import Path
from typing import Any

import pytest

from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.process.stats import metering
from penstock.process.stats.metering import Meter
from penstock.services.stats.figures import BUSY
from tests.services.stats.example import server


@pytest.mark.parametrize(
    "options",
    [
        {"enable_metrics": True},
        {"metric": ("a",)},
        {"metric_threshold": ("key=rss_size,value=1",)},
        {"metrics_dir": "/"},
        {"metrics_dir_restore": True},
        {"metrics_no_cores": True},
        {"stats_push": ("statsd:127.0.0.1:1",)},
        {"carbon_use_metrics": True},
    ],
    ids=lambda options: next(iter(options)),
)
def test_each_of_them_asks_for_metrics(options: dict[str, Any]) -> None:
    assert metering.asked(Settings(**options))
    assert not metering.asked(Settings(stats="x", carbon=("127.0.0.1:1",)))


def test_what_cannot_be_is_said_before_anybody_collects(tmp_path: Path) -> None:
    metering.check(
        Settings(metric_threshold=("key=worker.2.core.1.requests,value=1",), processes=2, threads=2)
    )
    for options in (
        {"metric_threshold": ("key=worker.3.requests,value=1",), "processes": 2},
        {"metric_threshold": ("key=worker.1.core.0.requests,value=1",), "metrics_no_cores": True},
        {"metric": ("name=a,collector=ptr",)},
        {"metric": ("name=a,type=alias,alias=b",)},
        {"metrics_dir": str(tmp_path / "nothing")},
    ):
        with pytest.raises(StartError, match="metric"):
            metering.check(Settings(**options))


def test_kept_and_restored(tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    folder.mkdir()
    said: list[str] = []
    settings = Settings(metrics_dir=str(folder), metrics_dir_restore=True, metric=("mine",))
    meter = Meter(settings, server(), said.append)
    meter.collect(server(), lambda name, text: None)
    assert (folder / "worker.1.requests").read_text() == "10\n"
    assert (folder / "mine").read_text() == (folder / "core.overloaded").read_text() == "0\n", "all of them"
    assert (folder / "rss_size").read_text() == "1010\n"
    (folder / "core.overloaded").write_text("untouched")
    meter.collect(server(), lambda name, text: None)
    assert (folder / "core.overloaded").read_text() == "untouched", "what has not changed is not written"
    (folder / "core.overloaded").write_text("3")
    again = Meter(settings, server(), said.append)
    again.collect(server(), lambda name, text: None)
    assert (folder / "worker.1.requests").read_text() == "20\n", "it counts on"
    assert again.metrics.entries["core.overloaded"].shown == 3 and said == []
    other = Meter(Settings(metrics_dir=str(folder)), server(), said.append)
    other.collect(server(), lambda name, text: None)
    assert (folder / "worker.1.requests").read_text() == "10\n", "without metrics-dir-restore it does not"


def test_alarms() -> None:
    raised = []
    settings = Settings(metric_threshold=("key=worker.1.requests,value=10,alarm=a,msg=hello",))
    meter = Meter(settings, server(), lambda text: None)
    meter.collect(server(), lambda name, text: raised.append((name, text)))
    assert raised == [("a", "hello")]


def test_in_the_document() -> None:
    meter = Meter(Settings(enable_metrics=True), server(), lambda text: None)
    assert metering.told(None, Settings()) is None
    assert metering.told(meter, Settings(stats_no_metrics=True)) is None
    found = metering.told(meter, Settings())
    assert found is not None and "core.busy_workers" in found


def test_overload() -> None:
    found = server()
    assert not metering.overloaded(found)
    for worker in found.workers:
        worker.status = BUSY
    assert metering.overloaded(found)
    found.workers.clear()
    assert not metering.overloaded(found)
