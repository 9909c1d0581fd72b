"""Options: what to serve, and the interpreter's surroundings it expects."""

from penstock.config.option import FLAG, INT, LIST, SECONDS, TEXT, Option, group, opt
from penstock.config.settings.declare import within

GROUP = "Application"

_o = within(GROUP)


@group
class ApplicationOptions:
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
    chdir2: str = opt(
        "", _o("chdir2", TEXT, "Change to this folder once the application is loaded.", metavar="FOLDER")
    )
    pythonpath: tuple[str, ...] = opt(
        (),
        _o(
            "pythonpath",
            LIST,
            "Put this folder (or glob) at the front of the Python path.",
            aliases=("python-path", "pp"),
            metavar="FOLDER",
            group="Python",
        ),
    )
    eval: str = opt(
        "", _o("eval", TEXT, "Take the application from this Python code.", metavar="CODE", group="Python")
    )
    mount: tuple[str, ...] = opt(
        (),
        _o(
            "mount",
            LIST,
            "Serve an application below a path: /path=module:callable, or a file.",
            aliases=("worker-mount",),
            metavar="MOUNT",
        ),
    )
    manage_script_name: bool = opt(
        False,
        _o(
            "manage-script-name",
            FLAG,
            "Split the path into SCRIPT_NAME and PATH_INFO by the mount points.",
            bare="true",
        ),
    )
    no_default_app: bool = opt(
        False, _o("no-default-app", FLAG, "Answer 404 where no application is mounted.", bare="true")
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
            group="Python",
        ),
    )
    env: tuple[str, ...] = opt(
        (), _o("env", LIST, "Set an environment variable, NAME=VALUE; NAME alone unsets.", metavar="PAIR")
    )
    pyargv: str = opt(
        "",
        _o(
            "pyargv",
            TEXT,
            "sys.argv after the program's name, split at blanks.",
            metavar="WORDS",
            group="Python",
        ),
    )


@group
class PoolOptions:
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
            "request-queue",
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
    loop: str = opt(
        "auto",
        Option(
            "event-loop",
            TEXT,
            "Threads",
            "Event loop: auto, uvloop or asyncio. --loop says the same.",
            own=True,
            metavar="NAME",
        ),
    )
