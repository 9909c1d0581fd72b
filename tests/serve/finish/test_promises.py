"""What ``Reply`` and ``Call`` promise, ``FinishedCall`` keeps: their tests, run with it in their place."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from penstock.serve.answer import Kitchen
from penstock.serve.finish.call import FinishedCall
from penstock.serve.finish.finish import Finish
from penstock.serve.site import Site

BUT = {"test_without_deadlines_nothing_is_put_around_the_application"}  # it wants the type's name
TESTS = Path(__file__).parents[1]


def respond(call: FinishedCall) -> None:
    """A response rule that does nothing."""


def finished(x: Any, manner: Any) -> FinishedCall:
    return FinishedCall(x, manner, Finish(respond=respond, removed=frozenset(("x-nobody-has-it",))))


def kitchen(*args: Any, **options: Any) -> Kitchen:
    return Kitchen(*args, **{**options, "site": Site(call=finished)})


INSTEAD = {"Reply": finished, "Call": finished, "Kitchen": kitchen}


def again(path: str) -> ModuleType:
    """A copy of a test module of its own in which replies and calls are finished ones."""
    name = f"{__name__}_{Path(path).stem}"
    spec = importlib.util.spec_from_file_location(name, TESTS / path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    used = INSTEAD.keys() & vars(module).keys()
    assert used, f"{path} makes none of them"
    vars(module).update({name: INSTEAD[name] for name in used})
    return module


COPIES = [
    again(where)
    for where in (
        *("wsgi/test_filewrapper.py", "wsgi/test_call.py", "wsgi/test_armed.py"),
        *("test_send.py", "test_answer.py"),
    )
]
path = vars(COPIES[0])["path"]  # their fixture

for copy in COPIES:
    for told, test in vars(copy).items():
        if told.startswith("test_") and told not in BUT:
            globals()[f"{told}_{copy.__name__.rpartition('_')[2]}"] = test
