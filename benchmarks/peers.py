"""The servers of the comparison as data: what is installed for each, how it is started, what it lacks.

Equal settings are kept here: one worker process, ``THREADS`` threads, keep-alive of 75 s, the access log on
or off alike. Only the benchmark's own process reads this; it knows nothing of how anything is measured.
"""

from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).parents[1]
THREADS = 8
# More connections than any scenario opens, for those that hold thousands.
MANY = 25000
FRAMEWORKS = (
    "Flask==3.1.3",
    "Django==6.1.3; python_version >= '3.12'",
    "Django==5.2.19; python_version < '3.12'",
)


@dataclass(frozen=True)
class Peer:
    """One way to run one server.

    ``name`` is the word of the command line, ``title`` the one of the tables. ``venv`` names the environment
    (several peers may share one) with ``requires`` in it; ``package`` is whose version is reported.
    ``command`` and the lists beside it hold ``{program}`` (the environment's folder of programs), ``{app}``,
    ``{host}``, ``{port}``, ``{path}`` (a UNIX socket) and ``{threads}``. ``quiet`` or ``logged`` is added by
    the scenario's log, ``many`` where it holds thousands of connections, ``impatient`` where clients that
    stop reading should be given up after 5 s. ``lacks`` says why there is no access log, where that is so;
    ``remark`` is what a reader of its figures must know. ``main_only``: not in the lesser scenarios;
    ``only``: in the scenarios of these names.
    """

    name: str
    title: str
    venv: str
    package: str
    requires: tuple[str, ...]
    command: tuple[str, ...]
    protocol: str = "http"
    quiet: tuple[str, ...] = ()
    logged: tuple[str, ...] = ()
    many: tuple[str, ...] = ()
    impatient: tuple[str, ...] = ()
    lacks: str = ""
    remark: str = ""
    main_only: bool = False
    only: tuple[str, ...] = ()


PENSTOCK = ("{program}/python", "-m", "penstock", "{app}", "--threads", "{threads}")
GUNICORN = (
    *("{program}/gunicorn", "{app}", "--worker-class", "gthread", "--workers", "1", "--threads", "{threads}"),
    *("--keep-alive", "75", "--worker-connections", "1000", "--no-control-socket"),
)
# Without --master: the one process alone is lighter, and nothing of it is needed here.
UWSGI = (
    *("{program}/uwsgi", "--module", "{app}", "--processes", "1", "--threads", "{threads}"),
    *("--enable-threads", "--listen", "1024", "--die-on-term", "--virtualenv", "{program}/..", "--need-app"),
)
GRANIAN = (
    *("{program}/granian", "{app}", "--interface", "wsgi", "--host", "{host}", "--port", "{port}"),
    *("--workers", "1", "--blocking-threads", "{threads}", "--runtime-threads", "1", "--http", "1"),
    *("--no-ws", "--backlog", "1024"),
)
WAITRESS = (
    *("{program}/waitress-serve", "--listen={host}:{port}", "--threads={threads}", "--backlog=1024"),
    *("--connection-limit=1000", "--asyncore-use-poll"),
)
UVICORN = (
    *("{program}/uvicorn", "benchmarks.bridge:application", "--host", "{host}", "--port", "{port}"),
    *("--workers", "1", "--loop", "uvloop", "--http", "httptools", "--ws", "none", "--lifespan", "off"),
    *("--timeout-keep-alive", "75", "--interface", "asgi3"),
)

COMPILED = "penstock, compiled"  # stands for the wheel of benchmarks/compiled.py
_penstock = ("penstock", "penstock", ("-e", str(TOP)))
_compiled = ("penstock-compiled", "penstock", (COMPILED,))
_gunicorn = ("gunicorn", "gunicorn", ("gunicorn==27.0.1",))
_uwsgi = ("uwsgi", "uWSGI", ("uWSGI==2.0.31",))
_gunicorn_many = ("--worker-connections", str(MANY))
_patience = ("--socket-timeout", "5")

PEERS = (
    Peer(
        *("penstock", "penstock", *_penstock),
        (*PENSTOCK, "--bind", "{host}:{port}"),
        quiet=("--disable-logging",),
        logged=("--access-log", "stdout"),
        impatient=("--write-timeout", "5"),
    ),
    Peer(
        *("penstock-compiled", "penstock, compiled by mypyc", *_compiled),
        (*PENSTOCK, "--bind", "{host}:{port}"),
        quiet=("--disable-logging",),
        logged=("--access-log", "stdout"),
        impatient=("--write-timeout", "5"),
        main_only=True,
    ),
    # What the log costs is a ratio of two runs of one server, and they are to be in the same rounds.
    Peer(
        *("penstock-silent", "penstock, no log", *_penstock),
        (*PENSTOCK, "--bind", "{host}:{port}"),
        logged=("--disable-logging",),
        only=("browser-log",),
    ),
    Peer(
        *("penstock-compiled-silent", "penstock, compiled by mypyc, no log", *_compiled),
        (*PENSTOCK, "--bind", "{host}:{port}"),
        logged=("--disable-logging",),
        only=("browser-log",),
    ),
    Peer(
        *("granian", "granian", "granian", "granian", ("granian==2.8.7",)),
        GRANIAN,
        quiet=("--no-access-log",),
        logged=("--access-log",),
        many=("--backlog", str(MANY), "--backpressure", str(MANY)),
    ),
    Peer(
        *("gunicorn", "gunicorn gthread", *_gunicorn),
        (*GUNICORN, "--bind", "{host}:{port}"),
        logged=("--access-logfile", "-"),
        many=_gunicorn_many,
    ),
    Peer(
        *("uwsgi-http", "uWSGI --http-socket", *_uwsgi),
        # It closes after each reply without a word; the header tells clients so.
        (*UWSGI, "--http-socket", "{host}:{port}", "--add-header", "Connection: close"),
        quiet=("--disable-logging",),
        impatient=_patience,
        remark="closes after each reply; wrk counts a reply without Content-Length that ends so as an error",
    ),
    Peer(
        *("uwsgi-http11", "uWSGI --http11-socket", *_uwsgi),
        (*UWSGI, "--http11-socket", "{host}:{port}"),
        quiet=("--disable-logging",),
        impatient=_patience,
        remark="keeps a thread for each connection: of more connections than threads the rest waits, "
        "and its latencies are those of the served; a reply without Content-Length has no end",
    ),
    Peer(
        *("waitress", "waitress", "waitress", "waitress", ("waitress==3.0.2",)),
        (*WAITRESS, "{app}"),
        many=(f"--connection-limit={MANY}",),
        impatient=("--channel-timeout=5", "--cleanup-interval=1"),
        lacks="has no access log",
    ),
    Peer(
        *("uvicorn", "uvicorn + a2wsgi", "uvicorn", "uvicorn"),
        ("uvicorn==0.54.0", "a2wsgi==1.10.10", "uvloop==0.23.0", "httptools==0.9.0"),
        UVICORN,
        quiet=("--no-access-log",),
    ),
    Peer(
        *("penstock-uwsgi", "penstock, uwsgi", *_penstock),
        (*PENSTOCK, "--uwsgi-socket", "{path}"),
        "uwsgi",
        quiet=("--disable-logging",),
        logged=("--access-log", "stdout"),
    ),
    Peer(
        *("penstock-compiled-uwsgi", "penstock, uwsgi, compiled by mypyc", *_compiled),
        (*PENSTOCK, "--uwsgi-socket", "{path}"),
        "uwsgi",
        quiet=("--disable-logging",),
        logged=("--access-log", "stdout"),
        main_only=True,
    ),
    Peer(
        *("uwsgi", "uWSGI --socket", *_uwsgi),
        (*UWSGI, "--socket", "{path}", "--chmod-socket=666"),
        "uwsgi",
        quiet=("--disable-logging",),
    ),
    Peer(
        *("gunicorn-uwsgi", "gunicorn --protocol uwsgi", *_gunicorn),
        (*GUNICORN, "--bind", "unix:{path}", "--protocol", "uwsgi"),
        "uwsgi",
        logged=("--access-logfile", "-"),
    ),
)
BY_NAME = {peer.name: peer for peer in PEERS}
# What the others are set beside, by protocol.
OURS = {"http": "penstock", "uwsgi": "penstock-uwsgi"}


def arguments(peer: Peer, added: tuple[str, ...], words: dict[str, str]) -> list[str]:
    """The command that starts ``peer`` with ``added`` options, every ``{word}`` replaced.

    waitress wants its application last; every other takes options anywhere.
    """
    last = (peer.command[-1],) if peer.command[-1] == "{app}" else ()
    first = peer.command[: -1 if last else None]
    return [part.format(**words) for part in (*first, *added, *last)]
