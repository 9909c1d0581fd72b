"""How options are declared in few words."""

from penstock.config.option import FLAG, INT, LIST, TEXT, Option, group, settings_of
from penstock.config.settings import GROUPS, Derived, Settings
from penstock.config.settings.declare import flag, many, number, text, within


def test_what_a_group_has_in_common_and_what_is_said_otherwise() -> None:
    option = within("Limits", own=True)
    assert option("gather", INT, "Gather.", metavar="N") == Option(
        "gather", INT, "Limits", "Gather.", own=True, metavar="N"
    )
    other = option("limit-post", INT, "Limit.", own=False, group="HTTP")
    assert (other.group, other.own) == ("HTTP", False)
    assert within("Sockets")("bind", LIST, "Listen.").group == "Sockets"


@group
class Few:
    one: bool = flag("Group", "one", "One.")
    two: tuple[str, ...] = many("Group", "two", "Two.", "N", own=True)
    three: str = text("Group", "three", "Three.", "TEXT")
    four: float = number(INT, 4, "Group", "four", "Four.", metavar="N", bare="5")


def test_options_of_one_line() -> None:
    assert (Few.one, Few.two, Few.three, Few.four) == (False, (), "", 4)
    found = [setting.option for setting in settings_of(Few).values()]
    assert list(settings_of(Few)) == ["one", "two", "three", "four"]
    assert [option and (option.kind, option.bare, option.metavar, option.own) for option in found] == [
        (FLAG, "true", "", False),
        (LIST, None, "N", True),
        (TEXT, None, "TEXT", False),
        (INT, "5", "N", False),
    ]


def test_the_groups_are_all_that_settings_are_made_of_but_what_follows() -> None:
    assert set(GROUPS) | {Derived} == set(Settings.__bases__)
    assert len(GROUPS) == len(Settings.__bases__) - 1
