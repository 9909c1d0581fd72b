"""Which minutes are due for what runs at set times, whatever the clock does.

Runs in the supervisor, which asks from time to time; numbers of minutes are ``time.time() // 60``. It knows
neither commands nor timers. uWSGI compares the local time of the moment at which it happens to look: there a
master that is stopped over a minute loses what was to run in it, and the change to daylight saving time
takes a nightly command away once a year and runs it twice half a year later. Here

* minutes that were missed are made up for, once for all of them, within an hour: not after a night of sleep;
* a command with a fixed minute and hour runs in the first minute after a gap of the local time that it fell
  into, and once when that time comes twice; what runs at intervals goes by the clock;
* a clock that is set back brings no fixed time again, unless it was wrong by more than three hours.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from penstock.config.household.cron import Times

LATE = 60  # minutes that may be made up for
SHIFT = 180  # minutes: what is more is a clock that was wrong, and no daylight saving
MINUTE = timedelta(minutes=1)

Local = Callable[[int], datetime]
"""The local time at which a minute begins, with its ``fold`` (PEP 495)."""


@dataclass
class Minutes:
    """Those of one command; ``seen`` was looked at last, ``high`` is the latest ever."""

    times: Times
    seen: int
    high: int

    def due(self, now: int, local: Local) -> bool:
        """Whether it is to run, as the minute is ``now``; True once for a minute."""
        if now == self.seen:
            return False
        first = self.seen + 1
        if now < self.seen:
            first = now
            if self.high - now > SHIFT:
                self.high = now - 1
        elif now - self.seen > LATE:
            first = now
        before, self.seen, self.high = self.high, now, max(self.high, now)
        wanted = range(first, now + 1)
        if self.times.fixed:
            wanted = range(max(first, before + 1), now + 1)
        return any(self.mean(minute, local) for minute in wanted)

    def mean(self, minute: int, local: Local) -> bool:
        """Whether the times mean this one."""
        here = local(minute)
        if not self.times.fixed:
            return self.times.mean(here)
        if here.fold:  # it was had before, an hour ago
            return False
        # How far the local time has jumped: the minutes between there have never been.
        lost = (here - local(minute - 1)) // MINUTE - 1
        if not 0 < lost <= SHIFT:
            lost = 0
        return any(self.times.mean(here - back * MINUTE) for back in range(lost + 1))


def fresh(times: Times, now: int) -> Minutes:
    """Of a command that is new: the minute that is now counts, as in uWSGI."""
    return Minutes(times, now - 1, now - 1)
