"""Options: how long a request may run, and what becomes of it then. Read at boot only."""

from penstock.config.option import INT, SECONDS, TEXT, group, opt
from penstock.config.settings.declare import within

GROUP = "Deadlines"

_o = within(GROUP)


@group
class DeadlineOptions:
    """The deadline of each request."""

    harakiri: float = opt(
        0.0,
        _o("harakiri", SECONDS, "End a request that runs longer than this, with 504; its neighbours finish.",
           short="t", metavar="TIME",
           note="it ends the request alone; harakiri-mode = process ends the worker, as uWSGI does"),
    )  # fmt: skip
    harakiri_grace: float = opt(
        5.0,
        _o("harakiri-grace", SECONDS, "Time that a thread has to come out of an ended request; "
           "then its worker is replaced.", own=True, metavar="TIME"),
    )  # fmt: skip
    harakiri_mode: str = opt(
        "request",
        _o("harakiri-mode", TEXT, "What ends: the request alone, or its whole worker process, as in uWSGI.",
           own=True, metavar="MODE"),
    )  # fmt: skip
    harakiri_graceful_timeout: float = opt(
        0.0,
        _o("harakiri-graceful-timeout", SECONDS, "Time for a late request's thread to come out of it. Sets "
           "--harakiri-grace where that is not given.", metavar="TIME"),
    )  # fmt: skip
    harakiri_queue_threshold: int = opt(
        0,
        _o("harakiri-queue-threshold", INT, "End long requests only while this many connections wait.",
           metavar="N"),
    )  # fmt: skip
