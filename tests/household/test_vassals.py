"""The proof with vassals, small."""

from pathlib import Path

from tests.household.vassals import prove, sound


def test_a_few_vassals_come_and_go(tmp_path: Path) -> None:
    seen = prove(tmp_path, count=3, seconds=1.2, pause=0.15)
    assert sound(seen), seen
    assert sum(seen["deeds"].values()) > 3
