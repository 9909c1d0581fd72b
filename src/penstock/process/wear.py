"""When a worker is worn out: by its requests, its age, its memory, or an exception that is watched for.

Runs on the worker's loop, by its tick, but for ``Monitored.note``, which pool threads call. It asks once
for a replacement and does nothing else: requests go on being served until the next worker is ready.
"""

from collections.abc import Callable, Iterator
from time import monotonic

from penstock.config.settings.recycling import RecyclingOptions
from penstock.process.memory import address_and_resident, megabytes, proportional_and_own

LOOK = 1.0  # seconds between two looks at the memory, at least
SHARE = 100  # looking takes at most one part in so many of the time
Figures = dict[str, int]
Ask = Callable[[str, bool], None]


class Monitored:
    """The exceptions of the application after which a worker is replaced (uWSGI's ``reload-on-exception``
    and its family); ``why`` is "" until one came.

    ``-type`` is a class as an ``except`` clause takes it, by its name with or without its module; ``-value``
    the message; ``-repr`` both: ``ValueError: no such thing``. uWSGI means the same, and compares each of
    them with the message.
    """

    def __init__(self, settings: RecyclingOptions) -> None:
        self.every = settings.reload_on_exception
        self.types = frozenset(settings.reload_on_exception_type)
        self.values = frozenset(settings.reload_on_exception_value)
        self.reprs = frozenset(settings.reload_on_exception_repr)
        self.why = ""

    @property
    def wanted(self) -> bool:
        """Whether any exception is watched for."""
        return bool(self.every or self.types or self.values or self.reprs)

    def note(self, error: BaseException) -> None:
        """A request ended in this exception. Any thread; the first that counts is remembered."""
        if not self.why and isinstance(error, Exception):
            option = self.matching(error)
            if option:
                # The class alone: a message may hold what does not belong into a log.
                self.why = f"{option}: {type(error).__name__}"

    def matching(self, error: Exception) -> str:
        """The option that an exception answers to, "" for none."""
        if self.every:
            return "reload-on-exception"
        names = [(kind.__name__, f"{kind.__module__}.{kind.__qualname__}") for kind in type(error).__mro__]
        if any(name in self.types for pair in names for name in pair):
            return "reload-on-exception-type"
        message = text_of(error) if self.values or self.reprs else ""
        if message in self.values:
            return "reload-on-exception-value"
        if any(f"{name}: {message}" in self.reprs for name in names[0]):
            return "reload-on-exception-repr"
        return ""


def text_of(error: Exception) -> str:
    """An exception's message, whatever the application's own class makes of it."""
    try:
        return str(error)
    except Exception:
        return ""


class Wear:
    """``ask(why, urgent)`` is called once, when worker ``wid`` (1 and up) is to be replaced.

    ``done`` gives the requests that it has answered; ``monitored`` the exceptions that are watched for.
    """

    def __init__(
        self,
        settings: RecyclingOptions,
        wid: int,
        ask: Ask,
        done: Callable[[], int],
        monitored: Monitored | None = None,
    ) -> None:
        later = wid - 1
        self.settings = settings
        self.ask = ask
        self.done = done
        self.monitored = monitored
        # uWSGI: the deltas count only beside what they are added to.
        self.requests = settings.max_requests and settings.max_requests + later * settings.max_requests_delta
        self.lifetime = (
            settings.max_worker_lifetime
            and settings.max_worker_lifetime + later * settings.max_worker_lifetime_delta
        )
        self.limits = limits_of(settings)
        self.born = monotonic()
        self.before = self.measure() if self.limits else {}
        self.asked = False
        self.weighed = 0
        self.next_look = 0.0

    def tick(self, now: float) -> None:
        """``now``: time.monotonic seconds."""
        if self.asked:
            return
        monitored = self.monitored
        why = monitored.why if monitored is not None else ""
        urgent = bool(why)
        if not why:
            why = self.worn(now)
        if why:
            self.asked = True
            self.ask(why, urgent)

    def worn(self, now: float) -> str:
        """Why this worker is worn out, "" while it is not."""
        age = now - self.born
        if self.lifetime and age >= self.lifetime:
            return f"max-worker-lifetime: {age:.0f} s"
        if age < self.settings.min_worker_lifetime:
            return ""
        if self.requests and self.done() >= self.requests:
            return f"max-requests: {self.done()} answered"
        return self.heavy(now) if self.limits else ""

    def heavy(self, now: float) -> str:
        """Which limit of memory is reached, "" for none. As in uWSGI only requests make a worker look: an
        idle one is not replaced again and again where the application alone is larger than the limit."""
        done = self.done()
        if done == self.weighed or now < self.next_look:
            return ""
        self.weighed = done
        began = monotonic()
        figures = self.measure()
        # smaps_rollup takes the longer the more memory there is, and this is the loop.
        self.next_look = now + max(LOOK, SHARE * (monotonic() - began))
        for name, limit in self.limits.items():
            if figures.get(name, 0) >= limit:
                started = megabytes(self.before.get(name, 0))
                return f"reload-on-{name}: {megabytes(figures[name])}, {started} when it started"
        return ""

    def measure(self) -> Figures:
        """What the limits are about, in bytes."""
        return dict(figures(set(self.limits)))


def limits_of(settings: RecyclingOptions) -> Figures:
    """The limits of memory that are set, in bytes, by their names."""
    named = {
        "as": settings.reload_on_as,
        "rss": settings.reload_on_rss,
        "pss": settings.reload_on_pss,
        "uss": settings.reload_on_uss,
    }
    return {name: limit for name, limit in named.items() if limit}


def figures(names: set[str]) -> Iterator[tuple[str, int]]:
    """What this process has of each of ``names``, in bytes; nothing where the kernel does not say."""
    try:
        if names & {"as", "rss"}:
            yield from zip(("as", "rss"), address_and_resident(), strict=True)
        if names & {"pss", "uss"}:
            yield from zip(("pss", "uss"), proportional_and_own(), strict=True)
    except (OSError, ValueError):
        return
