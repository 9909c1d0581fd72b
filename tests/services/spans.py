"""Records for the tests of traces, and a receiver of OTLP over HTTP."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from penstock.core.record import APPLICATION, Record


def record(**more: Any) -> Record:
    """A request of a tenth of a second, a part of it in each phase."""
    words: dict[str, Any] = {
        "started": 1000.0,
        "seconds": 0.1,
        "address": "192.0.2.7",
        "user": "",
        "method": "GET",
        "uri": "/shop/item?id=7",
        "protocol": "HTTP/1.1",
        "status": 200,
        "headers": 3,
        "header_bytes": 120,
        "body_bytes": 5,
        "variables": 12,
        "size": 300,
        "switches": 1,
        "core": 0,
        "via": "",
        "app": 0,
        "receive": 0.01,
        "queue": 0.02,
        "run": 0.05,
        "write": 0.02,
        "mount": "",
        "kind": APPLICATION,
        "faults": 0,
        "id": "",
        "said": ("", "", "", "", "", "http"),
        "logvars": None,
        "logged": True,
    }
    return Record(**{**words, **more})


class Receiver:
    """Where spans are sent to: ``spans`` as they came, ``names`` of the services that sent them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.paths: list[str] = []
        self.spans: list[Any] = []
        self.names: list[str] = []
        self.came = threading.Event()

    def take(self, path: str, body: bytes) -> None:
        """One request of an exporter."""
        self.paths.append(path)
        for part in ExportTraceServiceRequest.FromString(body).resource_spans:
            names = [a.value.string_value for a in part.resource.attributes if a.key == "service.name"]
            for scope in part.scope_spans:
                self.spans += scope.spans
                self.names += names * len(scope.spans)
        self.came.set()


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that listens inside the block."""

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receiver.take(self.path, self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Taking) as server:
        receiver = Receiver(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
