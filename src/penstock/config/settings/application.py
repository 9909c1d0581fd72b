"""Options: what to serve, and the interpreter's surroundings it expects."""

from pydantic import BaseModel

from penstock.config.option import FLAG, INT, LIST, SECONDS, TEXT, Option, opt

GROUP = "Application"


def _o(name: str, kind: str, text: str, **more: object) -> Option:
    return Option(name, kind, GROUP, text, **more)  # type: ignore[arg-type]  # typed where they are used


class ApplicationOptions(BaseModel):
    """Where the application is."""

    module: str = opt(
        "",
        _o(
            "module",
            TEXT,
            "Import the application: pkg.mod, pkg.mod:callable, pkg.mod:factory().",
            short="w",
            aliases=("wsgi",),
            metavar="MODULE",
        ),
    )
    wsgi_file: str = opt(
        "", _o("wsgi-file", TEXT, "Run this Python file for it.", aliases=("file",), metavar="FILE")
    )
    callable: str = opt(
        "", _o("callable", TEXT, "Its name there; application, then app, without it.", metavar="NAME")
    )
    need_app: bool = opt(
        True,
        _o(
            "need-app",
            FLAG,
            "End with status 22 when no application loads; =false serves 500 instead.",
            bare="true",
        ),
    )
    chdir: str = opt("", _o("chdir", TEXT, "Change to this folder first.", metavar="FOLDER"))
    pythonpath: tuple[str, ...] = opt(
        (),
        _o(
            "pythonpath",
            LIST,
            "Put this folder (or glob) at the front of the Python path.",
            aliases=("python-path", "pp"),
            metavar="FOLDER",
        ),
    )
    virtualenv: str = opt(
        "",
        _o(
            "virtualenv",
            TEXT,
            "Use this virtual environment's packages.",
            short="H",
            aliases=("home", "venv", "pyhome"),
            metavar="FOLDER",
        ),
    )
    env: tuple[str, ...] = opt(
        (), _o("env", LIST, "Set an environment variable, NAME=VALUE; NAME alone unsets.", metavar="PAIR")
    )
    pyargv: str = opt(
        "", _o("pyargv", TEXT, "sys.argv after the program's name, split at blanks.", metavar="WORDS")
    )
    procname: str = opt("", _o("procname", TEXT, "Title of the process (extra: proctitle).", metavar="TEXT"))


class PoolOptions(BaseModel):
    """Threads and the queue before them."""

    threads: str = opt(
        "",
        Option(
            "threads",
            TEXT,
            "Threads",
            "Requests served at once; auto sizes it from the processors. 1 with uWSGI's options, else auto.",
            metavar="N|auto",
        ),
    )
    queue: int = opt(
        1024,
        Option(
            "queue",
            INT,
            "Threads",
            "Requests that may wait for a thread; one more is answered 503.",
            own=True,
            metavar="N",
        ),
    )
    queue_timeout: float = opt(
        30.0,
        Option(
            "queue-timeout",
            SECONDS,
            "Threads",
            "Longest wait for a thread; then 503 with Retry-After.",
            own=True,
            metavar="TIME",
        ),
    )
    shutdown_timeout: float = opt(
        25.0,
        Option(
            "shutdown-timeout",
            SECONDS,
            "Threads",
            "Time that running requests have to finish after TERM, INT or QUIT.",
            own=True,
            metavar="TIME",
        ),
    )
    linger: float = opt(
        2.0,
        Option(
            "linger",
            SECONDS,
            "Threads",
            "Time that an idle connection stays for a request on its way when the server leaves.",
            own=True,
            metavar="TIME",
        ),
    )
    loop: str = opt(
        "auto",
        Option("loop", TEXT, "Threads", "Event loop: auto, uvloop or asyncio.", own=True, metavar="NAME"),
    )
