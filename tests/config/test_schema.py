"""The JSON schema of configuration files."""

import json
import re
from typing import Any

import pytest

from penstock.config.option import FLAG, Option
from penstock.config.registry import every_name
from penstock.config.schema import as_json, kind, of, schema

SCHEMA: dict[str, Any] = json.loads(as_json())
NAMES: dict[str, Any] = SCHEMA["definitions"]["options"]["properties"]
TYPES: dict[type, str] = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}


def fits(value: object, form: dict[str, Any]) -> bool:
    """Whether a value is of a form, as far as the schema's words go (the few that it uses)."""
    if "anyOf" in form:
        return any(fits(value, one) for one in form["anyOf"])
    if form.get("type") == "array":
        return isinstance(value, list) and all(fits(item, form["items"]) for item in value)
    kinds = form["type"]
    name = TYPES.get(type(value), "")
    if name not in kinds and not (name == "integer" and "number" in kinds):
        return False
    return not isinstance(value, str) or re.search(form.get("pattern", ""), value) is not None


def test_every_name_is_there_with_what_it_does() -> None:
    assert schema() == SCHEMA
    assert set(NAMES) == set(every_name())
    assert SCHEMA["properties"] == {"uwsgi": {"$ref": "#/definitions/options"}}
    for name, option in every_name().items():
        assert option.help in NAMES[name]["description"]
        assert option.reason in NAMES[name]["description"]
        assert NAMES[name].get("deprecated", False) == (option.state == "unsupported")
        assert ("default" in NAMES[name]) == bool(option.default)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("master", True), ("master", "true"), ("master", 1), ("threads", 4), ("threads", "auto"),
        ("processes", "auto"), ("processes", 4), ("processes", "%(x)"), ("processes", "$(WORKERS)"),
        ("processes", "%k"), ("processes", "4 ; four"), ("harakiri", "30"), ("socket", ":3031"),
        ("socket", [":1", ":2"]),
        ("buffer-size", "64k"), ("env", ["A=b", "C=d"]), ("ini", ["a.ini", "b.ini"]), ("chmod-socket", "660"),
        ("chmod-socket", 660), ("umask", "022"), ("need-app", None), ("http-keepalive", True),
    ],
)  # fmt: skip
def test_what_fits(name: str, value: object) -> None:
    assert fits(value, NAMES[name])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("processes", "four"), ("threads", "many"), ("harakiri", []), ("buffer-size", "big"),
        ("module", ["a", "b"]),
        ("master", {"x": 1}), ("socket", [[":1"]]), ("listen", True),
    ],
)  # fmt: skip
def test_what_does_not(name: str, value: object) -> None:
    assert not fits(value, NAMES[name])


def test_an_alias_names_what_it_is_for() -> None:
    option = Option(
        "name", FLAG, "Group", "What it does.", aliases=("other",), state="unsupported", reason="why"
    )
    assert of(option, "other")["description"] == "The same as name. What it does. (unsupported: why)"
    assert of(option, "name") == {
        "description": "What it does. (unsupported: why)", "deprecated": True, **kind(option),
    }  # fmt: skip


def test_placeholders_may_stand_beside_the_options() -> None:
    others = SCHEMA["definitions"]["options"]["additionalProperties"]
    assert fits("/srv/app", others)
    assert fits(["a", "b"], others)
    assert not fits({"x": 1}, others)
