"""uWSGI's ways in which the number of workers follows the load: spare, spare2, backlog and manual.

Pure: a look at the workers in, a step out. They run in the supervisor, once each ``check-interval``, and
know neither the clock nor who carries the step out.
"""

from penstock.process.supervisor.cheaper.facts import STAY, Facts, Step
from penstock.process.supervisor.cheaper.rules import Rules


def grow(rules: Rules, facts: Facts, count: int, why: str) -> Step:
    """So many workers more, as far as ``processes`` allows."""
    count = min(count, rules.most - facts.wanted)
    return Step(count, why) if count > 0 else STAY


class Spare:
    """More workers when all have been busy for more than ``cheaper-overload`` looks in a row, fewer while
    more than one is idle."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.overload = 0
        self.calm = 0

    def decide(self, facts: Facts) -> Step:
        """One look: a free worker takes back one of the looks in which there was none."""
        if facts.all_full:
            # Bounded, so that a time in which memory forbids more does not have to be counted back.
            self.overload = min(self.overload, self.rules.overload) + 1
            self.calm = 0
        elif self.overload:
            self.overload -= 1
        if facts.may_grow and self.overload > self.rules.overload:
            self.overload = 0
            why = f"all were busy {self.rules.overload + 1} times in a row"
            return grow(self.rules, facts, self.rules.step, why)
        return STAY if self.overload else self.shrink(facts)

    def shrink(self, facts: Facts) -> Step:
        """One less every ``cheaper-overload`` looks; one idle worker is what is wanted."""
        idle = facts.wanted - facts.occupied
        if idle <= 1:
            return STAY
        self.calm += 1
        if facts.wanted > self.rules.least and self.calm % self.rules.overload == 0:
            return Step(-1, f"{idle} were idle")
        return STAY


class Spare2:
    """``cheaper`` is how many workers are to be idle: too few are made up for at once, by at most
    ``cheaper-step``, and what is too much goes one by one, each ``cheaper-idle``."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.calm = 0

    def decide(self, facts: Facts) -> Step:
        """One look."""
        idle = facts.wanted - facts.occupied
        missing = self.rules.least - idle
        if missing >= 0:
            self.calm = 0
            if not missing or not facts.may_grow:
                return STAY
            return grow(self.rules, facts, min(missing, self.rules.step), f"{idle} were idle")
        self.calm += 1
        if self.calm < self.rules.idle:
            return STAY
        self.calm = 0
        return Step(-1, f"{idle} were idle")


class Backlog:
    """More workers while more than ``cheaper-overload`` requests wait, one less while fewer do."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules

    def decide(self, facts: Facts) -> Step:
        """One look."""
        why = f"{facts.waiting} requests waited"
        if facts.may_grow and facts.waiting > self.rules.overload:
            return grow(self.rules, facts, self.rules.step, why)
        if facts.waiting < self.rules.overload and facts.wanted > self.rules.least:
            return Step(-1, why)
        return STAY


class Manual:
    """Only the operator changes the number."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules

    def decide(self, facts: Facts) -> Step:
        """Nothing."""
        return STAY
