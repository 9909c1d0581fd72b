"""Traces from outside: spans of real requests at a receiver, and servers whose receiver is gone."""

import json
import time
from pathlib import Path

import pytest

from tests.cases import turns
from tests.e2e.server import serving
from tests.e2e.surroundings import environment
from tests.services.spans import Receiver, receiving

TWO = ("--master", "--processes", "2")
ABOVE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
APP = """
import json

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({k: v for k, v in environ.items() if isinstance(v, str)}).encode()]
"""


def came(receiver: Receiver, count: int, seconds: float = 15.0) -> None:
    """Wait for so many spans."""
    end = time.monotonic() + seconds
    while len(receiver.spans) < count:
        assert time.monotonic() < end, receiver.spans
        time.sleep(0.05)


@pytest.mark.parametrize("master", turns([(), TWO], TWO), ids=["alone", "supervised"])
def test_every_request_has_a_span_and_the_last_are_sent_at_the_end(
    tmp_path: Path, master: tuple[str, ...]
) -> None:
    (tmp_path / "echo.py").write_text(APP)
    with receiving() as receiver:
        options = (*master, f"--otel={receiver.url}", "--otel-service-name", "shop", "--threads", "2")
        options += ("--pythonpath", str(tmp_path))
        with serving(tmp_path, *options, app="echo") as server, server.client() as client:
            first = client.get("/a?b=c", f"traceparent: {ABOVE}")
            again = client.get("/-/live")
            second = client.get("/d")
        assert again.status == 200
        came(receiver, 2)
    assert len(receiver.spans) == 2 and set(receiver.names) == {"shop"}
    spans = {span.span_id.hex(): span for span in receiver.spans}
    for reply, trace, above in ((first, ABOVE[3:35], ABOVE[36:52]), (second, "", "")):
        environ = json.loads(reply.body)
        _, number, own, flags = environ["HTTP_TRACEPARENT"].split("-")
        span = spans[own]
        assert span.trace_id.hex() == number and flags == "01"
        assert (number == trace or not trace) and span.parent_span_id.hex() == above
        assert environ["penstock.traceparent"] == (ABOVE if trace else "-")
        # The request's id comes with traces, and is the span's, too.
        told = {one.key: one.value.string_value for one in span.attributes}
        assert told["penstock.request_id"] == reply.headers["x-request-id"]
        assert span.start_time_unix_nano < span.end_time_unix_nano < time.time_ns()
        assert [event.name for event in span.events] == [
            "penstock.received",
            "penstock.started",
            "penstock.answered",
        ]


def test_a_receiver_that_is_gone_keeps_nobody(tmp_path: Path) -> None:
    (tmp_path / "echo.py").write_text(APP)
    options = ("--otel=http://127.0.0.1:9", "--threads", "2", "--pythonpath", str(tmp_path))
    with serving(tmp_path, *options, app="echo") as server:
        with server.client() as client:
            began = time.monotonic()
            for _ in range(200):
                assert client.get("/").status == 200
            assert time.monotonic() - began < 5
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 10


def test_the_variables_of_the_sdk_are_heard(tmp_path: Path) -> None:
    (tmp_path / "echo.py").write_text(APP)
    with receiving() as receiver:
        env = environment(
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url,
            OTEL_SERVICE_NAME="by-variable",
            OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=test",
        )
        options = ("--otel", "--pythonpath", str(tmp_path))
        with serving(tmp_path, *options, app="echo", env=env) as server, server.client() as client:
            assert client.get("/").status == 200
        assert receiver.names == ["by-variable"]


def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "echo.py").write_text(APP)
    # An SDK that cannot be imported, before the real one.
    broken = tmp_path / "shadow" / "opentelemetry"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('No module named opentelemetry')\n")
    env = environment()
    env["PYTHONPATH"] = f"{tmp_path / 'shadow'}:{env['PYTHONPATH']}"
    said = pytest.raises(AssertionError, match=r'pip install "penstock\[otel\]"')
    with said, serving(tmp_path, "--otel", "--pythonpath", str(tmp_path), app="echo", env=env):
        pass


def test_nothing_of_it_is_loaded_where_nobody_asks(tmp_path: Path) -> None:
    (tmp_path / "loaded.py").write_text(
        "import sys\n"
        "def application(environ, start_response):\n"
        "    start_response('200 OK', [])\n"
        "    return [','.join(n for n in sys.modules if 'telemetry' in n or 'otel' in n).encode() + b'.']\n"
    )
    with serving(tmp_path, "--pythonpath", str(tmp_path), app="loaded") as server, server.client() as client:
        reply = client.get("/", f"traceparent: {ABOVE}")
    assert reply.body == b"." and "x-request-id" not in reply.headers
