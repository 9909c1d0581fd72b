"""A script in a process of its own, for tests that change what a process is, and what the kernel allows."""

import os
from functools import cache

import pytest

from tests.process import scripted

ROOT = pytest.mark.skipif(os.getuid() != 0, reason="only root can do that")
BEGIN = """
import os, sys
from penstock.config.assemble import from_keywords
from penstock.core.errors import StartError
from penstock.process.isolation import kernel
from penstock.process.isolation.jail import Way
said = []
way = Way(
    said.append,
    lambda text: said.append(f"warning: {text}"),
    lambda phase: said.append(f"<{phase}>"),
    lambda option: said.append(f"fork for {option}"),
)
def settings_of(**options):
    return from_keywords({"bind": [], **options}, application=True)
def refused(call, *words):
    try:
        call(*words)
    except StartError as error:
        print("refused:", error)
"""


def ran(text: str, *words: object) -> str:
    """What the script prints; it begins as we are."""
    return scripted.ran(BEGIN + text, *words)


@cache
def allows(flags: int) -> bool:
    """Whether the kernel lets us have new namespaces."""
    script = f"try:\n    kernel.unshare({flags})\n    print('yes')\nexcept OSError:\n    print('no')\n"
    return ran(script) == "yes"


def needs(flags: int) -> None:
    """Skip the test where the kernel, or a container around us, does not allow it."""
    if os.getuid() != 0 or not allows(flags):
        pytest.skip("new namespaces are not allowed here")
