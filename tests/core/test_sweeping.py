"""The collector rests within, and is afterwards as it was."""

import gc

import pytest

from penstock.core.sweeping import unswept


@pytest.mark.parametrize("was", [True, False])
def test_it_is_as_it_was(was: bool) -> None:
    if not was:
        gc.disable()
    try:
        with pytest.raises(ValueError, match="within"), unswept():
            assert not gc.isenabled()
            raise ValueError("within")
        assert gc.isenabled() == was
    finally:
        gc.enable()
