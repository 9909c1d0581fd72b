"""The environment that servers and commands of the tests have."""

import os
from pathlib import Path

import penstock

TOP = Path(__file__).parents[2]


def environment(**more: str) -> dict[str, str]:
    env = {key: value for key, value in os.environ.items() if not key.startswith(("LISTEN_", "PYTEST_"))}
    # The penstock that the tests import: the checkout, or the copy that a guard was taken out of.
    source = Path(penstock.__file__).parents[1]
    # One that is installed is found by itself; on this path all beside it would come before the library.
    ours = [] if source.name.endswith("-packages") else [str(source)]
    env["PYTHONPATH"] = os.pathsep.join([*ours, str(TOP)])
    env.pop("PORT", None)
    # A file that a test writes twice within a second would look to Python like the one that it has compiled.
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    return {**env, **more}
