"""What the operator reads at the start."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from penstock.config.assemble import assemble
from penstock.config.raw import RawOption
from penstock.config.settings import Settings
from penstock.logs.setup import Diary
from penstock.logs.sinks import Sink
from penstock.process import screen
from tests.sinks import file_sink


@pytest.fixture
def diary(tmp_path: Path) -> Iterator[Diary]:
    """A diary whose lines, and those of requests, are in a file."""
    sink = file_sink(str(tmp_path / "log"))
    made = Diary(sink, sink)
    yield made
    made.close()


def of(*lines: str) -> Settings:
    pairs = [line.partition(" = ") for line in ("http-socket = :0", *lines)]
    raws = [
        RawOption(key, value, f"app.ini:{at}", "app.ini", at) for at, (key, _, value) in enumerate(pairs, 1)
    ]
    return assemble(raws, application=True)


UNACTED = ("gevent = 4", "jailed = true", "snmp = x", "legion = x", "tornado = 4")


def test_few_warnings_have_a_line_each() -> None:
    settings = of(*UNACTED[:3], "vaccum = true")
    assert screen.notices(settings) == list(settings.notices)
    assert len(settings.notices) == 4


def test_masses_that_are_not_acted_on_are_one_line_and_slips_stay() -> None:
    first, last = screen.notices(of(*UNACTED, "vaccum = true", "gevent = 5"))
    assert first.startswith("app.ini:7: vaccum = true: there is no such option")
    assert last == (
        "5 options are taken, but not acted on: jailed, snmp, legion, tornado and gevent; "
        "penstock explain app.ini says why"
    )


def test_words_of_several_places_have_no_file() -> None:
    raws = [RawOption("bind", ":0", "command line")]
    raws += [RawOption(line.partition(" = ")[0], "4", "command line") for line in UNACTED]
    (line,) = screen.notices(assemble(raws, application=True))
    assert line.endswith(" and tornado; penstock explain says why")


def test_masses_of_other_warnings_are_counted() -> None:
    said = screen.notices(of(*(f"unheard-of-{number} = 1" for number in range(20))))
    assert len(said) == screen.MOST
    assert said[-1] == "13 more warnings: penstock check shows all of them"


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (list("abcdef"), "a, b, c, d, e and f"),
        (list("abcdefgh"), "a, b, c, d, e and 3 more"),
    ],
)
def test_several_names(names: list[str], said: str) -> None:
    assert screen.several(names) == said


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (Settings(module="shop.wsgi:app"), "application: shop.wsgi:app, imported in 1.25 s"),
        (Settings(module="shop", callable="web"), "application: shop:web, imported in 1.25 s"),
        (Settings(module="shop:app", callable="web"), "application: shop:app, imported in 1.25 s"),
        (Settings(wsgi_file="shop.py"), "application: shop.py, imported in 1.25 s"),
        (Settings(eval="x = 1"), "application: that of eval, imported in 1.25 s"),
        (Settings(mount=("/a=a", "/b=b")), "application: 2 mounted, imported in 1.25 s"),
        (Settings(module="shop", mount=("/a=a",)), "application: shop and 1 mounted, imported in 1.25 s"),
        (Settings(need_app=False), "no application: files and rules answer"),
    ],
)
def test_the_application(settings: Settings, said: str) -> None:
    assert screen.application(settings, 1.25) == said


def test_an_application_that_is_given_or_that_workers_import() -> None:
    assert screen.application(Settings(), 0.0, given=True) == "application: the object that was given"
    assert screen.application(Settings(module="a"), None) == "application: a, each worker imports it"


@dataclass
class Spoken:
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass
class Made:
    settings: Settings
    prototype: Spoken | None
    loads_lazily: bool = False


@pytest.mark.parametrize(
    ("generation", "count", "said"),
    [
        (Made(Settings(module="a"), Spoken({"seconds": 1.5})), 2, "imported in 1.50 s; 2 workers ready"),
        (
            Made(Settings(module="a"), Spoken({"seconds": 1.5}), True),
            1,
            "each worker imports it; 1 worker ready",
        ),
        (Made(Settings(module="a"), Spoken({"seconds": "x"})), 1, "each worker imports it; 1 worker ready"),
        (Made(Settings(module="a"), None), 1, "each worker imports it; 1 worker ready"),
    ],
)
def test_workers_are_ready(generation: Made, count: int, said: str) -> None:
    assert screen.ready(generation, count, 1.94) == f"application: a, {said} after 1.9 s"


def test_where_the_logs_are(diary: Diary) -> None:
    path = diary.error_sink.path
    assert screen.logs(Settings(), diary) == f"log: all of it to {path}"
    assert screen.logs(Settings(disable_logging=True, log_5xx=True, log_slow=1.0), diary) == (
        f"log: all of it to {path}; of requests only those that log-5xx or log-slow picks"
    )


@pytest.mark.parametrize(
    ("settings", "access", "said"),
    [
        (Settings(), Sink(1), "log: requests to stdout, all else to stderr"),
        (Settings(), None, "log: requests have no lines, all else to stderr"),
        (
            Settings(req_logger=("file:/a", "stdio"), log_syslog=("",)), Sink(1),
            "log: requests to file:/a and stdio, all else to log-syslog",
        ),
        (
            Settings(logger=("errors socket:@x", "file:/a")), Sink(1),
            "log: requests to stdout, all else to file:/a; by routes to errors socket:@x",
        ),
        (
            Settings(logger=("errors socket:@x",), disable_logging=True, log_4xx=True, log_zero=True),
            Sink(1),
            "log: requests that log-4xx or log-zero picks to stdout, all else to stderr; "
            "by routes to errors socket:@x",
        ),
    ],
)  # fmt: skip
def test_where_lines_go_otherwise(settings: Settings, access: Sink | None, said: str) -> None:
    assert screen.logs(settings, Diary(Sink(2), access)) == said


def test_a_log_server_is_called_by_its_address() -> None:
    sink = Sink(77)
    assert screen.place(sink, Settings(logto="192.0.2.1:514")) == "192.0.2.1:514"
    assert screen.place(sink, Settings()) == "descriptor 77"


def test_where_to_look() -> None:
    assert (
        screen.sights(Settings(), 7) == "to look: health at /-/live and /-/ready, penstock ctl --pid 7 status"
    )
    settings = Settings(health_live="off", metrics_path="/m", status_page="/s", control_socket="off")
    assert screen.sights(settings, 7) == "to look: health at /-/ready, metrics at /m, status page at /s"
    nothing = Settings(health_live="off", health_ready="off", control_socket="off", status_page=":9101")
    assert screen.sights(nothing, 7) == ""


def test_all_of_it(diary: Diary) -> None:
    settings = Settings(health_live="off", health_ready="off", control_socket="off")
    screen.welcome(settings, diary, ["http://127.0.0.1:1", "uwsgi://@x"], ["2 threads", ""])
    diary.flush()
    assert Path(diary.error_sink.path).read_text().splitlines() == [
        "penstock: listening on http://127.0.0.1:1",
        "penstock: listening on uwsgi://@x",
        "penstock: 2 threads",
        f"penstock: log: all of it to {diary.error_sink.path}",
    ]
    assert diary.pid == os.getpid()
