"""One test for many cases that are too small to be tests of their own; the cases that fail are told by name.

pytest takes some milliseconds for a test beside what it tests, and each process that runs tests collects all
of them. So what takes microseconds for each of a thousand rows is one test, which goes through all rows
whatever becomes of the first. It is no place for what is set up or skipped for each case: that is
``pytest.mark.parametrize``.
"""

from collections.abc import Callable, Iterable
from functools import update_wrapper
from itertools import product
from typing import Any, TypeVar

import pytest

Case = TypeVar("Case")

LONGEST = 300.0  # seconds for all cases, on a machine that is busy with others
SHOWN = 5
"""So many failures are shown whole; the others by their names."""


def each(
    cases: Iterable[Case], name: Callable[[Any], str] = str
) -> Callable[[Callable[[Case], None]], Callable[[], None]]:
    """The test is called with each of ``cases``, and passes when all calls did."""
    table = list(cases)
    assert table, "a test of no cases cannot fail"

    def made(test: Callable[[Case], None]) -> Callable[[], None]:
        def all_cases() -> None:
            failed: list[tuple[str, BaseException]] = []
            for case in table:
                try:
                    test(case)
                except (Exception, pytest.fail.Exception) as error:
                    error.add_note(f"case: {name(case)}")
                    failed.append((name(case), error))
            if failed:
                names = ", ".join(name for name, _ in failed)
                errors = [error for _, error in failed[:SHOWN]]
                raise BaseExceptionGroup(f"{len(failed)} of {len(table)} cases: {names}", errors)

        update_wrapper(all_cases, test)
        del all_cases.__wrapped__  # type: ignore[attr-defined]  # pytest would ask for the case as a fixture
        return pytest.mark.timeout(LONGEST)(all_cases)

    return made


def covering(*columns: Iterable[Any]) -> list[Any]:
    """For ``pytest.mark.parametrize``: all that the columns' values make together. Most of it is left to
    ``make slow``, but that each value is tried in the main run: for tests that start a server for each."""
    values = [list(column) for column in columns]
    rounds = range(max(len(column) for column in values))
    first = [tuple(column[n % len(column)] for column in values) for n in rounds]
    return [
        pytest.param(*each_of, marks=[] if each_of in first else [pytest.mark.slow])
        for each_of in product(*values)
    ]


def turns(values: Iterable[Any], main: Any) -> list[Any]:
    """For ``pytest.mark.parametrize``: ``main`` in the main run, the others in ``make slow``. For tests that
    start a server for each, of which the tests beside them try the others."""
    return [pytest.param(one, marks=[] if one == main else [pytest.mark.slow]) for one in values]
