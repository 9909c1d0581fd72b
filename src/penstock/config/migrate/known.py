"""Values that are known before they are needed, and how the configuration language spells them.

Used where a Python configuration is read without running it; runs in the command alone. Knows nothing of
gunicorn, and nothing of files.
"""

from typing import Any, Final, NamedTuple


class CannotTell(Exception):
    """A value that only running the program would give; the text says what stands in the way."""


class _Absent:
    """A value that an environment variable has to bring."""

    def __repr__(self) -> str:
        return "(from the environment)"


ABSENT: Final = _Absent()


class Known(NamedTuple):
    """A value, and what it came from.

    ``value``    as Python has it where no variable of the environment is set; ABSENT where one must be
    ``spelled``  the same in the configuration language (``$(PORT)``, ``%k * 2 + 1``), "" where it is a
                 constant or cannot be said
    ``sum``      whether ``spelled`` is arithmetic, which wants ``%( )`` round it
    ``env``      the variables of the environment that it depends on
    ``cpus``     whether it depends on the number of processors
    ``default``  how ``value`` is spelled where a variable is not set, "" where it is a constant
    """

    value: Any
    spelled: str = ""
    sum: bool = False
    env: tuple[str, ...] = ()
    cpus: bool = False
    default: str = ""

    @property
    def fixed(self) -> bool:
        """Whether it is the same everywhere."""
        return not (self.env or self.cpus)

    @property
    def text(self) -> str | None:
        """As a part of a text in the configuration language; None when that cannot be said."""
        if self.fixed:
            return str(self.value)
        if not self.spelled:
            return None
        return f"%({self.spelled})" if self.sum else self.spelled


def variable(name: str, default: Known) -> Known:
    """An environment variable with its default."""
    said = "" if default.fixed or default.env else default.text or ""
    return Known(default.value, f"$({name})", env=(name, *default.env), default=said)


def derived(value: Any, *sources: Known) -> Known:
    """A value made of others in a way that the configuration language has no words for."""
    return Known(value, env=variables(*sources), cpus=any(source.cpus for source in sources))


def variables(*sources: Known) -> tuple[str, ...]:
    """The variables that any of them depends on, once each."""
    return tuple(dict.fromkeys(name for source in sources for name in source.env))


def joined(*parts: Known) -> Known:
    """Texts one after the other."""
    missing = any(part.value is ABSENT for part in parts)
    whole = derived(ABSENT if missing else "".join(str(part.value) for part in parts), *parts)
    texts = [part.text for part in parts]
    if whole.fixed or None in texts:
        return whole
    return whole._replace(spelled="".join(text or "" for text in texts))


def arithmetic(sign: str, left: Known, right: Known, value: Any) -> Known:
    """``left sign right``, for which ``value`` was found; the language counts from left to right."""
    whole = derived(value, left, right)
    if whole.fixed or sign not in ("+", "-", "*", "//"):
        return whole
    if left.fixed and sign in ("+", "*"):
        left, right = right, left  # 1 + 2 * n is n * 2 + 1, which can be counted from the left
    if not (left.spelled and right.fixed and isinstance(right.value, int)):
        return whole
    return whole._replace(spelled=f"{left.spelled} {sign[0]} {right.value}", sum=True)
