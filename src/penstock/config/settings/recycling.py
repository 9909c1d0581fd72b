"""Options: when workers are replaced, and what makes the whole reload. Read at boot only."""

from penstock.config.option import FLAG, INT, LIST, MEGABYTES, SECONDS, group, opt
from penstock.config.settings.declare import within

GROUP = "Reloading"
BRUTAL = "the new workers are ready before the old ones are cut; uWSGI cuts them first"
EVIL = "the worker goes when its replacement is ready; uWSGI kills it at once"
MESSAGE = "uWSGI compares it with the message of the exception"

_o = within(GROUP)


@group
class ReloadOptions:
    """What makes the server reload, and how long the old workers have."""

    touch_reload: tuple[str, ...] = opt(
        (), _o("touch-reload", LIST, "Reload when this file changes.", metavar="FILE")
    )
    touch_workers_reload: tuple[str, ...] = opt(
        (), _o("touch-workers-reload", LIST, "Replace the workers when this file changes.", metavar="FILE")
    )
    touch_chain_reload: tuple[str, ...] = opt(
        (),
        _o("touch-chain-reload", LIST, "Replace the workers one by one when this file changes.",
           metavar="FILE"),
    )  # fmt: skip
    fs_reload: tuple[str, ...] = opt(
        (), _o("fs-reload", LIST, "Reload when a file or folder changes.", metavar="PATH")
    )
    fs_brutal_reload: tuple[str, ...] = opt(
        (),
        _o("fs-brutal-reload", LIST, "Reload when a file or folder changes, and cut what still runs.",
           metavar="PATH", note=BRUTAL),
    )  # fmt: skip
    reload_on_fd: tuple[str, ...] = opt(
        (), _o("reload-on-fd", LIST, "Reload when this descriptor has something to read.", metavar="FD")
    )
    brutal_reload_on_fd: tuple[str, ...] = opt(
        (),
        _o("brutal-reload-on-fd", LIST, "The same, and cut what still runs.", metavar="FD", note=BRUTAL),
    )  # fmt: skip
    exit_on_reload: bool = opt(
        False, _o("exit-on-reload", FLAG, "End where a reload is asked for.", bare="true")
    )
    py_autoreload: float = opt(
        0.0,
        _o("py-autoreload", SECONDS, "Look this often for changed modules, and reload.", metavar="TIME",
           aliases=("py-auto-reload", "python-auto-reload", "python-autoreload")),
    )  # fmt: skip
    py_auto_reload_ignore: tuple[str, ...] = opt(
        (), _o("py-auto-reload-ignore", LIST, "Do not watch this module.", metavar="MODULE")
    )
    worker_reload_mercy: float = opt(
        60.0,
        _o("worker-reload-mercy", SECONDS, "Time that the requests of a replaced worker have to finish.",
           metavar="TIME"),
    )  # fmt: skip
    reload_mercy: float | None = opt(
        None,
        _o("reload-mercy", SECONDS,
           "Time that daemons and commands have to end; sets --worker-reload-mercy where it is not given.",
           metavar="TIME"),
    )  # fmt: skip


@group
class RecyclingOptions:
    """When a worker is worn out."""

    max_requests: int = opt(
        0, _o("max-requests", INT, "Replace a worker after this many requests.", short="R", metavar="N")
    )
    max_requests_delta: int = opt(
        0,
        _o("max-requests-delta", INT, "Worker N gets N-1 times this many requests more.",
           metavar="N"),
    )  # fmt: skip
    min_worker_lifetime: float = opt(
        10.0,
        _o("min-worker-lifetime", SECONDS, "No worker is replaced for its age, requests or memory before.",
           metavar="TIME"),
    )  # fmt: skip
    max_worker_lifetime: float = opt(
        0.0, _o("max-worker-lifetime", SECONDS, "Replace a worker after this time.", metavar="TIME")
    )
    max_worker_lifetime_delta: float = opt(
        0.0,
        _o("max-worker-lifetime-delta", SECONDS, "Worker N gets N-1 times this much longer.",
           metavar="TIME"),
    )  # fmt: skip
    reload_on_as: int = opt(
        0,
        _o("reload-on-as", MEGABYTES, "Replace a worker whose address space reaches this, in MB.",
           metavar="MB"),
    )  # fmt: skip
    reload_on_rss: int = opt(
        0, _o("reload-on-rss", MEGABYTES, "Replace a worker whose memory reaches this, in MB.", metavar="MB")
    )
    reload_on_pss: int = opt(
        0,
        _o("reload-on-pss", MEGABYTES, "Replace a worker whose share of memory reaches this, in MB.",
           metavar="MB"),
    )  # fmt: skip
    reload_on_uss: int = opt(
        0,
        _o("reload-on-uss", MEGABYTES, "Replace a worker whose own memory reaches this, in MB.",
           metavar="MB"),
    )  # fmt: skip
    evil_reload_on_as: int = opt(
        0,
        _o("evil-reload-on-as", MEGABYTES, "Like --reload-on-as, by the supervisor and at any age.",
           metavar="MB", note=EVIL),
    )  # fmt: skip
    evil_reload_on_rss: int = opt(
        0,
        _o("evil-reload-on-rss", MEGABYTES, "Like --reload-on-rss, by the supervisor and at any age.",
           metavar="MB", note=EVIL),
    )  # fmt: skip
    mem_collector_freq: float = opt(
        3.0, _o("mem-collector-freq", SECONDS, "Measure the workers' memory this often.", metavar="TIME")
    )
    reload_on_exception: bool = opt(
        False,
        _o("reload-on-exception", FLAG, "Replace a worker after an exception of the application.",
           bare="true"),
    )  # fmt: skip
    reload_on_exception_type: tuple[str, ...] = opt(
        (),
        _o("reload-on-exception-type", LIST, "Replace a worker after an exception of this class.",
           metavar="NAME", note=MESSAGE),
    )  # fmt: skip
    reload_on_exception_value: tuple[str, ...] = opt(
        (),
        _o("reload-on-exception-value", LIST, "Replace a worker after an exception with this message.",
           metavar="TEXT"),
    )  # fmt: skip
    reload_on_exception_repr: tuple[str, ...] = opt(
        (),
        _o("reload-on-exception-repr", LIST, "Replace a worker after such an exception, Class: message.",
           metavar="TEXT", note=MESSAGE),
    )  # fmt: skip
