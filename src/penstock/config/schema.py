"""A JSON schema of configuration files, from the registry, for editors that complete and check yaml, json
and toml. Plain data; nothing of penstock's reads it.

It says what a value may look like, not what is right: placeholders may stand wherever a text may.
"""

from typing import Any

from penstock.config.option import COUNTED, FLAG, NUMBERS, UNSUPPORTED, Option
from penstock.config.registry import options

DRAFT = "http://json-schema.org/draft-07/schema#"
# Digits first, as uWSGI reads numbers, or something that is put in their place: %(x), $(X), @(x), %k.
DIGITS = r"^\s*-?[0-9]|[%$@]\(|%[a-zA-Z]"
SCALAR = {"type": ["string", "number", "boolean", "null"]}


def schema() -> dict[str, Any]:
    """The schema: an object whose ``uwsgi`` holds the options; other sections may stand beside it."""
    return {
        "$schema": DRAFT,
        "title": "penstock and uWSGI configuration",
        "type": "object",
        "properties": {"uwsgi": {"$ref": "#/definitions/options"}},
        "additionalProperties": True,
        "definitions": {
            "options": {
                "type": "object",
                "properties": {name: of(option, name) for option in options() for name in option.names},
                "additionalProperties": {
                    "description": "No option: a value for %(name) elsewhere.",
                    **repeated(SCALAR),
                },
            }
        },
    }


def as_json() -> str:
    """The schema's text."""
    import json

    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def of(option: Option, name: str) -> dict[str, Any]:
    """What one name may have."""
    text = option.help
    if name != option.name:
        text = f"The same as {option.name}. {text}"
    if option.reason:
        text += f" ({option.state}: {option.reason})"
    found: dict[str, Any] = {"description": text}
    if option.state == UNSUPPORTED:
        found["deprecated"] = True
    if option.default:
        found["default"] = option.default
    value = kind(option)
    return {**found, **(repeated(value) if option.keeps_all or option.language else value)}


def kind(option: Option) -> dict[str, Any]:
    """The value's form."""
    if option.kind == FLAG:
        return {"type": ["boolean", "string", "integer", "null"], "examples": [True, False]}
    if option.kind in NUMBERS and option.bare is None:
        return {"type": ["number", "string"], "pattern": DIGITS}
    if option.name in COUNTED:
        return {"type": ["number", "string"], "pattern": rf"{DIGITS}|^\s*auto\s*$"}
    return dict(SCALAR)


def repeated(value: dict[str, Any]) -> dict[str, Any]:
    """A value, or a list of them: the option is given once for each."""
    return {"anyOf": [value, {"type": "array", "items": value}]}
