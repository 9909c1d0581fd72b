"""Metrics by uWSGI's names and numbers, collected as uWSGI collects them."""

from pathlib import Path
from typing import Any

import pytest

from penstock.config.observing.figures import Threshold, metric, threshold
from penstock.services.stats.metrics import Metrics, quotient
from penstock.services.stats.wanted import ABSOLUTE, ALIAS, COUNTER, GAUGE, metric_of
from tests.services.stats.example import server


def own(*texts: str) -> list[Any]:
    return [metric_of(metric(text)) for text in texts]


def values(metrics: Metrics) -> dict[str, int]:
    return {name: entry.shown for name, entry in metrics.entries.items()}


def collected(*texts: str, **more: Any) -> Metrics:
    metrics = Metrics(server(), own(*texts), **more)
    metrics.collect(server(), 0.0)
    return metrics


def test_names_in_uwsgis_order_with_their_numbers() -> None:
    told = collected().told()
    names = list(told)
    assert names[:6] == [
        *("core.routed_signals", "core.unrouted_signals", "core.busy_workers", "core.idle_workers"),
        *("core.overloaded", "worker.0.requests"),
    ]
    assert names[-9:] == [
        *("core.total_tx", "core.total_rss", "core.total_vsz", "core.avg_response_time"),
        *(
            "core.total_running_time",
            "socket.0.listen_queue",
            "socket.1.listen_queue",
            "rss_size",
            "vsz_size",
        ),
    ]
    assert told["worker.1.core.0.read_errors"] == {"type": COUNTER, "oid": "3.1.2.0.8", "value": 6}
    assert told["worker.1.delta_requests"] == {"type": ABSOLUTE, "oid": "3.1.2", "value": 4}
    assert told["core.total_tx"] == {"type": COUNTER, "oid": "5.100", "value": 1000}
    assert told["rss_size"] == {"type": ALIAS, "oid": "5.101", "value": 1010}
    assert told["socket.1.listen_queue"] == {"type": GAUGE, "oid": "7.1.1", "value": 4}


def test_values() -> None:
    found = values(collected())
    assert (found["core.busy_workers"], found["core.idle_workers"]) == (1, 1), "one rests"
    assert (found["worker.0.requests"], found["worker.1.requests"], found["worker.2.requests"]) == (
        30,
        10,
        20,
    )
    assert found["worker.0.total_tx"] == found["worker.0.respawns"] == 0, "uWSGI adds up requests alone"
    assert found["core.avg_response_time"] == (300 + 101) // 3
    assert found["core.total_running_time"] == 6_000_000
    cores = {name.rpartition(".")[2]: value for name, value in found.items() if ".1.core.0." in name}
    assert cores == {
        "requests": 8,
        "write_errors": 5,
        "routed_requests": 2,
        "static_requests": 1,
        "offloaded_requests": 3,
        "exceptions": 4,
        "read_errors": 6,
    }


def test_without_cores_and_with_workers_that_come_later() -> None:
    short = server()
    del short.workers[1:]
    metrics = Metrics(short, cores=False)
    assert "worker.2.requests" not in metrics.entries
    metrics.collect(server(), 0.0)
    assert values(metrics)["worker.2.requests"] == 20
    assert not [name for name in metrics.entries if ".core." in name]


def test_collectors(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("12 -34 56x\n")
    metrics = collected(
        "plain",
        "name=begun,initial_value=7",
        f"name=word,collector=file,arg1={tmp_path / 'f'},arg1n=1",
        f"name=tail,collector=file,arg1={tmp_path / 'f'},arg1n=2",
        f"name=none,collector=file,arg1={tmp_path / 'nothing'},initial_value=3",
        "name=both,collector=sum,children=worker.1.requests;worker.2.requests",
        "name=mean,collector=avg,children=worker.1.requests;worker.2.requests",
        "name=more,collector=adder,arg1n=5,children=both",
        "name=times,collector=multiplier,arg1n=3,children=both",
        "name=all,collector=accumulator,children=both",
        "name=other,type=alias,alias=both",
        "name=gauge,type=gauge,oid=1.2.3",
    )
    found = values(metrics)
    assert (found["plain"], found["begun"], found["word"], found["tail"]) == (0, 7, -34, 56)
    assert (found["none"], found["both"], found["mean"], found["more"], found["times"]) == (3, 30, 15, 35, 90)
    assert (found["all"], found["other"]) == (30, 30)
    metrics.collect(server(), 1.0)
    assert values(metrics)["all"] == 60
    told = metrics.told()
    assert told["gauge"] == {"type": GAUGE, "oid": "1.2.3", "value": 0}
    assert told["other"]["type"] == ALIAS


def test_as_often_as_it_says(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("1")
    metrics = collected(f"name=slow,collector=file,arg1={tmp_path / 'f'},freq=10")
    (tmp_path / "f").write_text("2")
    metrics.collect(server(), 9.0)
    assert values(metrics)["slow"] == 1
    metrics.collect(server(), 10.0)
    assert values(metrics)["slow"] == 2


def test_one_of_uwsgis_can_be_another() -> None:
    metrics = collected("name=worker.1.requests,initial_value=5")
    assert values(metrics)["worker.1.requests"] == 5
    assert len(metrics.told()) == len(collected().told())


def test_what_is_restored_is_what_it_begins_with() -> None:
    kept = {"worker.1.requests": 1000, "mine": 50}
    metrics = collected("name=mine,initial_value=7", restored=lambda name: kept.get(name, 0))
    assert (values(metrics)["worker.1.requests"], values(metrics)["mine"]) == (1010, 50)


def test_what_has_changed() -> None:
    metrics = Metrics(server())
    metrics.collect(server(), 0.0)
    assert metrics.changed["worker.1.requests"] == 10 and "core.routed_signals" not in metrics.changed
    metrics.collect(server(), 1.0)
    assert metrics.changed == {}
    more = server()
    more.workers[0].tx = 901
    metrics.collect(more, 2.0)
    assert metrics.changed == {"worker.1.total_tx": 901, "core.total_tx": 1001}


def test_what_begins_anew_once_it_was_sent() -> None:
    metrics = collected("name=peak,initial_value=1,reset_after_push=1", "name=stays,initial_value=2")
    metrics.entries["peak"].value = metrics.entries["stays"].value = 9
    metrics.sent()
    assert (values(metrics)["peak"], values(metrics)["stays"]) == (1, 9)


def watched(*texts: str) -> Metrics:
    return Metrics(server(), own("mine"), [threshold(text) for text in texts])


def test_thresholds() -> None:
    metrics = watched(
        "key=worker.1.requests,value=10,alarm=a",
        "key=worker.1.requests,value=11,alarm=b",
        "key=worker.2.requests,value=1,alarm=c,rate=5,msg=too many",
    )
    assert metrics.collect(server(), 0.0) == [("a", "worker.1.requests"), ("c", "too many")]
    assert metrics.collect(server(), 1.0) == [("a", "worker.1.requests")], "every second, and every 5"
    assert metrics.collect(server(), 5.0) == [("a", "worker.1.requests"), ("c", "too many")]


def test_a_threshold_that_sets_back() -> None:
    metrics = watched("key=mine,value=3,reset=1", "key=rss_size,value=1,reset=0")
    metrics.entries["mine"].value = 2
    assert metrics.collect(server(), 0.0) == []
    assert values(metrics)["mine"] == 2
    metrics.entries["mine"].value = 3
    assert metrics.collect(server(), 1.0) == [], "no alarm is named"
    assert values(metrics)["mine"] == 1
    assert values(metrics)["rss_size"] == values(metrics)["core.total_rss"] == 0, "what it stands for"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name=a!b", "letters, digits"),
        ("name=a,oid=x", "numbers with dots"),
        ("name=a,type=alias", "belong together"),
        ("name=a,alias=rss_size", "belong together"),
        ("name=a,collector=sum,children=rss_size;nobody", "there is no metric nobody"),
        ("name=a,type=alias,alias=nobody", "there is no metric nobody"),
    ],
)
def test_what_cannot_be(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Metrics(server(), own(text))


def test_a_threshold_of_nothing() -> None:
    with pytest.raises(ValueError, match="there is no metric nobody"):
        Metrics(server(), thresholds=[Threshold("nobody", 1)])


@pytest.mark.parametrize(
    ("total", "count", "mean"), [(7, 2, 3), (-7, 2, -3), (5, 0, 0), (1 << 60, 3, (1 << 60) // 3)]
)
def test_means_as_in_c(total: int, count: int, mean: int) -> None:
    assert quotient(total, count) == mean
