"""What the options make of the environment: variables set and unset, in uWSGI's order.

Called by ``assemble`` as options are read. The folders that are named are looked at then, so that what they
hold crosses to other processes with the settings.
"""

ENVIRONMENT = ("env", "ienv", "unenv", "envdir", "early-envdir")
"""Options that say something of it."""
EARLY, IN_ORDER, LATE = 0, 1, 2
WHEN = {"ienv": EARLY, "early-envdir": EARLY, "envdir": LATE}
"""uWSGI sets some while it reads its options, and has one kind wait until all are read."""


class Environment:
    """Collects what options set and unset."""

    def __init__(self) -> None:
        self.parts: tuple[list[str], list[str], list[str]] = ([], [], [])

    @property
    def entries(self) -> list[str]:
        """As ``env`` has them: ``NAME=VALUE``, and ``NAME`` alone to unset it; the later one counts."""
        return [entry for part in self.parts for entry in part]

    def add(self, name: str, value: str) -> None:
        """Take one of the options by its ``name``. Raises ValueError where a folder cannot be read."""
        found = [value]
        if name in ("envdir", "early-envdir"):
            from penstock.config.sources.envdir import entries

            found = entries(value)
        elif name == "unenv":
            found = [value.partition("=")[0]]
        self.parts[WHEN.get(name, IN_ORDER)].extend(found)
