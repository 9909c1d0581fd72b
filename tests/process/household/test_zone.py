"""The zone that a variable means: by name, file or rules, as the C library reads it."""

import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from penstock.process.household.zone import SYSTEM, clock, zone_of

DATABASE = Path("/usr/share/zoneinfo/Europe/Berlin")
if not DATABASE.exists():
    pytest.skip("this system has no time zones (tzdata)", allow_module_level=True)

MOMENTS = [1_774_745_999, 1_774_746_000, 1_792_886_400, 1_792_890_000, 1_767_225_600, 1_782_864_000]
"""Around both changes in Berlin in 2026, in winter and in summer."""
LIST = "import time; print(*(time.strftime('%Y%m%d%H%M', time.localtime(at)) for at in MOMENTS))"


@pytest.mark.parametrize(
    "text",
    [
        *("Europe/Berlin", ":Europe/Berlin", str(DATABASE), "UTC", ""),
        *("CET-1CEST,M3.5.0,M10.5.0/3", "EST5EDT,M3.2.0,M11.1.0", "<-03>3", "Australia/Lord_Howe"),
    ],
)
def test_it_is_what_the_c_library_makes_of_it(text: str) -> None:
    code = f"MOMENTS = {MOMENTS}; {LIST}"
    said = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "TZ": text},
        capture_output=True,
        text=True,
        check=True,
    )
    here = clock(text, "not that one")
    assert [here(at).strftime("%Y%m%d%H%M") for at in MOMENTS] == said.stdout.split()


def test_a_time_that_comes_again_says_so() -> None:
    here = clock("Europe/Berlin", None)
    first, again = here(1_792_886_400), here(1_792_890_000)
    assert first == again == datetime(2026, 10, 25, 2, 0)
    assert (first.fold, again.fold, first.tzinfo) == (0, 1, None)


def test_the_same_as_ours_is_the_systems_own() -> None:
    assert clock("Europe/Berlin", "Europe/Berlin")(0) == datetime.fromtimestamp(0)
    assert clock(None, None)(0) == datetime.fromtimestamp(0)


def test_a_variable_that_is_taken_away_leaves_the_systems_zone() -> None:
    if not Path(SYSTEM).exists():
        pytest.skip("this system has no zone of its own")
    code = f"MOMENTS = {MOMENTS}; {LIST}"
    environ = {name: value for name, value in os.environ.items() if name != "TZ"}
    said = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
    )
    here = clock(None, "Asia/Tokyo")
    assert [here(at).strftime("%Y%m%d%H%M") for at in MOMENTS] == said.stdout.split()


@pytest.mark.parametrize("text", ["Nowhere/Here", "../../etc/passwd", "/etc/passwd", "CET\n", "Zürich"])
def test_what_is_no_zone(text: str) -> None:
    with pytest.raises(ValueError, match="there is no such time zone"):
        zone_of(text)
