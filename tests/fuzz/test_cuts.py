"""Connections cut and reset at many states of a real server, on either loop; at every byte by ``--cuts``."""

from pathlib import Path

import pytest

from tests.cases import turns
from tests.e2e.server import LOOPS
from tests.fuzz.cuts import cut_server


@pytest.mark.parametrize("loop", turns(LOOPS, "uvloop"))
def test_cut_and_reset_at_many_states(tmp_path: Path, loop: str) -> None:
    assert cut_server(tmp_path, loop, step=5) > 1000
