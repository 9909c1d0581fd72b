"""What sockets, statsd and Graphite are sent."""

from typing import Any

from penstock.services.stats.figures import IDLE
from penstock.services.stats.lines import NONE, ZERO, Carbon, Statsd, socket_lines
from penstock.services.stats.metrics import Metrics
from tests.services.stats.example import server


def metrics() -> Metrics:
    found = Metrics(server())
    found.collect(server(), 0.0)
    return found


def test_for_a_socket() -> None:
    lines = list(socket_lines(metrics(), "site"))
    assert lines[0] == b"site.core.routed_signals 0 0"
    assert b"site.worker.1.delta_requests 2 4" in lines and b"site.rss_size 3 1010" in lines
    assert len(lines) == len(metrics().entries)


def test_statsd_is_sent_what_has_come_since() -> None:
    statsd, found = Statsd("site"), metrics()
    first = list(statsd.lines(found))
    assert b"site.worker.1.requests:10|c" in first and b"site.worker.1.avg_response_time:300|g" in first
    assert b"site.rss_size:1010|g" in first, "an alias of a gauge is one"
    again = list(statsd.lines(found))
    assert b"site.worker.1.requests:0|c" in again and b"site.worker.1.avg_response_time:300|g" in again
    assert b"site.worker.1.delta_requests:4|c" in again, "what is absolute stays what it is"
    more = server()
    more.workers[0].requests = 13
    found.collect(more, 1.0)
    assert b"site.worker.1.requests:3|c" in list(statsd.lines(found))
    more.workers[0].requests = 2
    found.collect(more, 2.0)
    assert b"site.worker.1.requests:2|c" in list(statsd.lines(found)), "it has begun anew"


def test_statsd_with_less() -> None:
    lines = list(Statsd("s", gauges=True, workers=False).lines(metrics()))
    assert all(line.endswith(b"|g") and b".worker." not in line for line in lines)
    assert b"s.core.total_tx:1000|g" in lines


def test_statsd_takes_no_gauge_below_zero_for_a_change() -> None:
    found = metrics()
    found.entries["core.total_rss"].value = -5
    lines = list(Statsd("s").lines(found))
    at = lines.index(b"s.core.total_rss:-5|g")
    assert lines[at - 1] == b"s.core.total_rss:0|g"


def carbon(**more: Any) -> Carbon:
    return Carbon("uwsgi.", "host", "site", 10, **more)


def told(one: Carbon, figures: Any = None) -> dict[str, int]:
    figures = figures or server()
    one.look(figures)
    found = {}
    for line in one.lines(figures, 99):
        name, value, when = line.decode().removesuffix("\n").split(" ")
        assert name.startswith("uwsgi.host.site.") and when == "99"
        found[name.removeprefix("uwsgi.host.site.")] = int(value)
    return found


def test_for_graphite() -> None:
    found = told(carbon(memory=True, cheaper=True))
    assert list(found) == [
        "requests",
        *(
            f"worker{wid}.{name}"
            for wid in (1, 2, 3)
            for name in ("requests", "rss_size", "vsz_size", "avg_rt", "tx", "busyness", "harakiri")
        ),
        *(
            "rss_size",
            "vsz_size",
            "avg_rt",
            "tx",
            "busyness",
            "active_workers",
            "cheaped_workers",
            "harakiri",
        ),
    ]
    assert (found["requests"], found["tx"], found["harakiri"], found["rss_size"]) == (30, 1000, 2, 1010)
    assert (found["active_workers"], found["cheaped_workers"]) == (2, 1)
    assert (found["worker1.busyness"], found["worker2.busyness"], found["busyness"]) == (50, 10, 30)
    assert (found["worker1.avg_rt"], found["avg_rt"], found["worker3.avg_rt"]) == (300, 200, 0)


def test_graphite_without_workers_and_memory() -> None:
    assert list(told(carbon(workers=False))) == [
        *("requests", "avg_rt", "tx", "busyness", "active_workers", "harakiri"),
    ]


def test_how_busy_since_the_last_time() -> None:
    one = carbon()
    told(one)
    one.sent(server())
    again = told(one)
    assert again["worker2.busyness"] == 0, "it has done nothing since"
    assert again["worker1.busyness"] == 100, "its first request runs for all that time"
    one.sent(server())
    rested = server()
    rested.workers[0].status = IDLE
    assert told(one, rested)["worker1.busyness"] == 0
    wild = server()
    wild.workers[1].running = 10**12
    assert told(one, wild)["worker2.busyness"] == 100


def test_the_average_while_there_are_no_requests() -> None:
    zero, none, last = carbon(idle=ZERO), carbon(idle=NONE), carbon()
    for one in (zero, none, last):  # the first time nothing is known of requests
        first = told(one)
        one.sent(server())
    assert told(last)["avg_rt"] == first["avg_rt"] == 200
    assert told(zero)["avg_rt"] == told(zero)["worker1.avg_rt"] == 0
    assert "avg_rt" not in told(none) and "worker1.avg_rt" not in told(none)
    more = server()
    more.workers[1].requests += 1
    assert told(zero, more)["worker1.avg_rt"] == told(none, more)["worker1.avg_rt"] == 300


def test_graphite_by_metrics() -> None:
    lines = list(carbon().metric_lines(metrics(), 7))
    assert lines[5] == b"uwsgi.host.site.worker.0.requests 30 7\n"
    assert len(lines) == len(metrics().entries)
