"""The list of actions: each name leads somewhere, or says why not."""

import pytest

from penstock.serve.routing.actions.names import ACTIONS, MODULES, REFUSED, builder_of, condition_of, why

OWN = [name for module in ("core", "variables", "lengths") for name in ACTIONS[module].split()]


@pytest.mark.parametrize("name", OWN)
def test_every_action_of_the_list_is_there(name: str) -> None:
    assert callable(builder_of(name))


def test_no_name_is_both_offered_and_refused() -> None:
    assert not MODULES.keys() & REFUSED.keys()
    assert len(MODULES) == sum(len(names.split()) for names in ACTIONS.values())


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_is_not_offered_says_so_by_name(name: str) -> None:
    with pytest.raises(ValueError, match=rf"^{name}: is not offered: ."):
        builder_of(name)


def test_what_nobody_knows() -> None:
    assert why("zzzz", "action", MODULES) == "there is no action zzzz:"
    with pytest.raises(ValueError, match=r"did you mean goto: \?$"):
        builder_of("gotto")
    with pytest.raises(ValueError, match=r"^there is no condition rpc:$"):
        condition_of("rpc")
