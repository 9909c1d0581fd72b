"""The plain application as a module of the tests, without a deploy: generation 1."""

import sys
import types

sys.modules["mark"] = types.SimpleNamespace(GENERATION=1)  # type: ignore[assignment]  # as a module is read

from tests.supervision.sites.plain import application  # noqa: E402  # the line above comes first

__all__ = ["application"]
