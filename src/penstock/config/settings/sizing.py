"""Options: how the number of workers follows the load. Read at boot only."""

from penstock.config.option import FLAG, INT, SECONDS, SIZE, TEXT, group, opt
from penstock.config.settings.declare import within

GROUP = "Scaling"
ALGORITHMS = ("spare", "spare2", "backlog", "manual", "busyness")

_o = within(GROUP)


@group
class SizingOptions:
    """Fewer workers while little is asked."""

    cheaper: int = opt(
        0,
        _o("cheaper", INT, "Keep at least this many workers, and start more under load.", metavar="N"),
    )
    cheaper_initial: int = opt(0, _o("cheaper-initial", INT, "Start with this many workers.", metavar="N"))
    cheaper_algo: str = opt(
        "spare",
        _o("cheaper-algo", TEXT, "How the number follows: spare, spare2, backlog, manual or busyness.",
           metavar="NAME"),
    )  # fmt: skip
    cheaper_step: int = opt(1, _o("cheaper-step", INT, "Start this many workers at a time.", metavar="N"))
    cheaper_overload: int = opt(
        3,
        _o("cheaper-overload", INT, "Cycles that a load must last before workers are started; backlog: "
           "connections that wait.", metavar="N"),
    )  # fmt: skip
    cheaper_idle: float = opt(
        0.0, _o("cheaper-idle", SECONDS, "Stop a worker that has been idle for this long.", metavar="TIME")
    )
    cheaper_rss_limit_soft: int = opt(
        0,
        _o("cheaper-rss-limit-soft", SIZE, "Start no more workers beyond this memory of all together.",
           metavar="BYTES"),
    )  # fmt: skip
    cheaper_rss_limit_hard: int = opt(
        0,
        _o("cheaper-rss-limit-hard", SIZE, "Stop workers beyond this memory of all together.",
           metavar="BYTES"),
    )  # fmt: skip
    cheap: bool = opt(False, _o("cheap", FLAG, "Start workers at the first connection.", bare="true"))
    idle: float = opt(
        0.0, _o("idle", SECONDS, "Stop the workers after this time without requests.", metavar="TIME")
    )
    die_on_idle: bool = opt(
        False,
        _o("die-on-idle", FLAG, "End the server instead of only its workers when it is idle.", bare="true"),
    )


@group
class BusynessOptions:
    """What ``cheaper-algo = busyness`` goes by."""

    cheaper_busyness_max: int = opt(
        50,
        _o("cheaper-busyness-max", INT, "Start a worker when the others are busier than this, in percent.",
           metavar="N"),
    )  # fmt: skip
    cheaper_busyness_min: int = opt(
        25,
        _o("cheaper-busyness-min", INT, "Stop a worker when all are less busy than this, in percent.",
           metavar="N"),
    )  # fmt: skip
    cheaper_busyness_multiplier: int = opt(
        10,
        _o("cheaper-busyness-multiplier", INT, "Wait so many cycles before an idle worker is stopped.",
           metavar="N"),
    )  # fmt: skip
    cheaper_busyness_penalty: int = opt(
        2,
        _o("cheaper-busyness-penalty", INT, "Wait longer when a worker had to be started again at once.",
           metavar="N"),
    )  # fmt: skip
    cheaper_busyness_verbose: bool = opt(
        False,
        _o("cheaper-busyness-verbose", FLAG, "Log each decision about the number of workers.", bare="true"),
    )
    cheaper_busyness_backlog_alert: int = opt(
        33,
        _o("cheaper-busyness-backlog-alert", INT, "Start further workers when this many connections wait.",
           metavar="N"),
    )  # fmt: skip
    cheaper_busyness_backlog_multiplier: int = opt(
        3,
        _o("cheaper-busyness-backlog-multiplier", INT, "Wait so many cycles before those further workers are "
           "stopped.", metavar="N"),
    )  # fmt: skip
    cheaper_busyness_backlog_step: int = opt(
        1,
        _o("cheaper-busyness-backlog-step", INT, "Start this many further workers at a time.", metavar="N"),
    )
    cheaper_busyness_backlog_nonzero: float = opt(
        60.0,
        _o("cheaper-busyness-backlog-nonzero", SECONDS, "Start further workers when connections have waited "
           "for this long.", metavar="TIME"),
    )  # fmt: skip
