"""What is measured, as data: the application, the load, the settings that differ, and how often.

Read by the benchmark's own process only; a scenario names no server. ``kind`` says which measure takes it:
``load`` (wrk alone), ``crowd`` (wrk beside slow clients), ``stuck`` (readers that stop) or ``idle``.
"""

import hashlib
from dataclasses import dataclass

from benchmarks.applications import BIG, BODY, CHUNK, CHUNKS

MEGABYTE = b"0123456789abcdef" * 65536
DIGEST = hashlib.sha256(MEGABYTE).hexdigest().encode()
APPLICATIONS = "benchmarks.applications"


@dataclass(frozen=True)
class Scenario:
    """One table of the report.

    ``app`` is ``module:callable``. ``script`` names a file of ``lua/``, ``headers`` go with each request of
    wrk. ``reply`` is what a reply must contain and ``size`` how long it must be (``None``: any) in the one
    request that is checked before measuring. A round has so many ``slices``, more of them where servers are
    close and their applications' time varies. ``main`` scenarios run all rounds at full length, others at
    most ``rounds`` of at most ``seconds``. ``clients`` counts slow or idle ones, ``what`` is what these do.
    """

    name: str
    title: str
    app: str
    kind: str = "load"
    protocol: str = "http"
    connections: int = 64
    main: bool = False
    slices: int = 1
    rounds: int = 3
    seconds: int = 1
    script: str = ""
    headers: tuple[str, ...] = ()
    reply: bytes = BODY
    size: int | None = None
    upload: bytes = b""
    logged: bool = False
    clients: int = 0
    what: str = ""
    note: str = ""


def app(name: str) -> str:
    """The address of an application of this package."""
    return f"{APPLICATIONS}:{name}"


KINDS_OF_SLOW = {
    "head": "send a request head byte by byte",
    "body": "send a request body byte by byte",
    "half": "send half of a body and stop",
    "reader": "ask for 512 KB and do not read",
}
BROWSER = "10 varied headers of a browser"

SCENARIOS = (
    *(
        Scenario(
            f"hello-{count}",
            f"Hello, keep-alive, one repeated request, {count} connection{'s' * (count > 1)}",
            app("hello"),
            connections=count,
        )
        for count in (1, 4, 64)
    ),
    Scenario(
        *("browser", f"Hello, keep-alive, {BROWSER}", app("hello")),
        main=True,
        slices=2,
        script="browser.lua",
    ),
    Scenario(
        *("browser-log", f"Hello, keep-alive, {BROWSER}, access log on", app("hello")),
        main=True,
        slices=3,
        script="browser.lua",
        logged=True,
        note="Each server writes its own access log, in its own default form, to the same kind of file.",
    ),
    Scenario(
        *("close", "Hello, a new connection for each request", app("hello")),
        main=True,
        slices=2,
        headers=("Connection: close",),
    ),
    Scenario(
        *("uwsgi", "Hello, the uwsgi protocol behind nginx over a UNIX socket", app("hello")),
        protocol="uwsgi",
        main=True,
        slices=2,
        note="nginx runs beside the load; its CPU is not counted.",
    ),
    Scenario(
        *("flask", "Flask, JSON", "benchmarks.flask_page:application"),
        main=True,
        slices=4,
        reply=b'"items":[{"id":0,',
    ),
    Scenario(
        *("django", "Django, a template page", "benchmarks.django_page:application"),
        main=True,
        slices=4,
        reply=b"item &lt;19&gt;",
    ),
    Scenario("big", "A reply of 100 KB", app("big"), reply=BIG, size=len(BIG)),
    Scenario(
        *("stream", "A reply of 1,000 chunks, no Content-Length", app("stream")),
        connections=16,
        reply=CHUNK,
        size=len(CHUNK) * CHUNKS,
    ),
    Scenario(
        *("upload", "An upload of 1 MB", app("upload")),
        connections=16,
        script="upload.lua",
        reply=DIGEST,
        upload=MEGABYTE,
    ),
    Scenario(
        *("sleep", "An application that sleeps 10 ms, at twice its capacity", app("sleeping")),
        connections=16,
        note="8 threads can answer 800 a second; 16 connections ask as soon as they are answered, so that "
        "as many requests wait as run. None waits as long as penstock's --queue-timeout (30 s by default): "
        "no 503 is due.",
    ),
    *(
        Scenario(
            f"slow-{what}",
            f"500 clients that {text}, beside normal requests",
            app("mixed"),
            "crowd",
            connections=4,
            rounds=1,
            seconds=2,
            clients=500,
            what=what,
            note="Without and with these clients in turns, three of each server; penstock's, which have a "
            "bound, are taken again, nine times at most, while others have more than a tenth of a core.",
        )
        for what, text in KINDS_OF_SLOW.items()
    ),
    Scenario(
        *("stuck", "16 clients that stop reading a reply of 1 GB", app("mixed"), "stuck"),
        rounds=1,
        seconds=15,
        clients=16,
        what="endless",
        note="Servers that have a time limit for writing run with 5 s. All threads are free when 8 requests "
        "that each hold a thread for 0.5 s are answered side by side.",
    ),
    Scenario(
        *("idle", "Idle keep-alive connections by the thousand", app("mixed"), "idle"),
        connections=4,
        rounds=1,
        seconds=2,
        clients=5000,
        what="idle",
        note="Limits on connections are raised above that number in every server that has one.",
    ),
)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
