"""RE2, where it is installed: an engine whose searches take time in proportion to the subject, always.

Looked for when rules are compiled (``pip install penstock[re2]``). It serves only those expressions that
Python's engine may be slow on; where it has no words for one, there is None.
"""

import re
from collections.abc import Callable
from importlib import import_module
from typing import Any


def engine() -> Callable[[str], Any] | None:
    """RE2's ``compile``, which raises an error of its own for what it does not know; None without RE2."""
    try:
        re2 = import_module("re2")
    except ImportError:
        return None
    if not hasattr(re2, "Options"):  # a folder of that name, or one of the older wrappers
        return None
    quiet = re2.Options()
    quiet.log_errors = False

    def compiled(text: str) -> Any:
        try:
            return re2.compile(text, quiet)
        except re2.error as error:
            raise re.error(str(error)) from None

    return compiled
