"""What the operator asked of ``cheaper``: the options as numbers that hold together.

Read in the supervisor at its start and at each reload of the configuration.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from penstock.config.settings import Settings
from penstock.core.errors import StartError

IDLE = 10.0
"""Seconds of ``cheaper-idle`` where it is not given (uWSGI 2.1)."""


@dataclass(frozen=True, slots=True)
class BusynessRules:
    """uWSGI's ``cheaper-busyness-…``: percent, cycles of ``cheaper-overload``, requests, seconds."""

    most: int = 50
    least: int = 25
    multiplier: int = 10
    penalty: int = 2
    verbose: bool = False
    alert: int = 33
    backlog_multiplier: int = 3
    backlog_step: int = 1
    nonzero: float = 60.0


@dataclass(frozen=True, slots=True)
class Rules:
    """``least`` (``cheaper``) to ``most`` (``processes``) workers, ``first`` of them at the start;
    ``overload`` in cycles, seconds or requests, by the algorithm; ``idle`` in cycles; ``soft`` and ``hard``
    in bytes of all workers together, 0 for none."""

    least: int
    most: int
    first: int = 0
    algorithm: str = "spare"
    step: int = 1
    overload: int = 3
    idle: float = IDLE
    soft: int = 0
    hard: int = 0
    busyness: BusynessRules = field(default_factory=BusynessRules)


def check(settings: Settings, most: int) -> list[str]:
    """What is wrong with the options, a sentence each; ``most`` is what ``processes`` came to.

    The reading of the configuration has judged everything else, and this too unless ``processes`` is auto.
    """
    if 0 < settings.cheaper < most or not settings.cheaper:
        return []
    return [f"cheaper {settings.cheaper}: must be lower than processes, which is {most}"]


def rules_of(settings: Settings, most: int, warn: Callable[[str], None]) -> Rules | None:
    """The rules; None without ``cheaper``. ``warn`` is told what was corrected.

    Raises StartError for what ``check`` finds.
    """
    wrong = check(settings, most)
    if wrong:
        raise StartError("; ".join(wrong))
    if not settings.cheaper:
        return None
    return Rules(
        least=settings.cheaper,
        most=most,
        first=first_of(settings, most, warn),
        algorithm=settings.cheaper_algo,
        # uWSGI divides by the one, and starts no worker at all with the other as 0.
        overload=max(1, settings.cheaper_overload),
        step=max(1, settings.cheaper_step),
        idle=settings.cheaper_idle or IDLE,
        soft=settings.cheaper_rss_limit_soft,
        hard=settings.cheaper_rss_limit_hard,
        busyness=busyness_of(settings),
    )


def first_of(settings: Settings, most: int, warn: Callable[[str], None]) -> int:
    """Workers at the start: ``cheaper-initial`` within its bounds, else ``cheaper``."""
    asked = max(settings.cheaper_initial, settings.cheaper)
    if asked > most:
        warn(f"cheaper-initial {asked}: more than processes; it is {most}")
    return min(asked, most)


def busyness_of(settings: Settings) -> BusynessRules:
    """The options of ``busyness``; 0 stands for the default, as in uWSGI."""
    usual = BusynessRules()
    return BusynessRules(
        most=settings.cheaper_busyness_max or usual.most,
        least=settings.cheaper_busyness_min or usual.least,
        multiplier=settings.cheaper_busyness_multiplier or usual.multiplier,
        penalty=settings.cheaper_busyness_penalty or usual.penalty,
        verbose=settings.cheaper_busyness_verbose,
        alert=settings.cheaper_busyness_backlog_alert or usual.alert,
        backlog_multiplier=settings.cheaper_busyness_backlog_multiplier or usual.backlog_multiplier,
        backlog_step=settings.cheaper_busyness_backlog_step or usual.backlog_step,
        nonzero=settings.cheaper_busyness_backlog_nonzero or usual.nonzero,
    )
