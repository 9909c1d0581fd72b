"""The kernel's figures, of ourselves and of others."""

import os

import pytest

from penstock.process.memory import (
    MB,
    address_and_resident,
    megabytes,
    proportional_and_own,
    resident,
    sizes,
)


def test_memory_that_is_taken_is_seen() -> None:
    address, resident = address_and_resident()
    _, own = proportional_and_own()
    block = bytearray(os.urandom(1)) * (64 * MB)
    after, resident_after = address_and_resident(os.getpid())
    proportional_after, own_after = proportional_and_own(os.getpid())
    assert after - address > 60 * MB
    assert resident_after - resident > 60 * MB
    assert own_after - own > 60 * MB
    assert own_after <= proportional_after <= resident_after + 4 * MB
    del block


def test_there_are_no_figures_of_nobody() -> None:
    for figures in (address_and_resident, proportional_and_own):
        with pytest.raises(OSError):
            figures(1 << 30)


def test_nobody_has_none() -> None:
    address, own = sizes(os.getpid())
    assert address > own > MB and resident(os.getpid()) > MB
    assert {sizes(pid) for pid in (0, -1, 1 << 30)} == {(0, 0)} and resident(1 << 30) == 0


def test_they_are_said_in_megabytes() -> None:
    assert megabytes(300 * MB + 1) == "300 MB"
