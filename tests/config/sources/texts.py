"""Texts for Hypothesis: options written in each format with the lines they stand on, and broken pieces."""

import json
from collections.abc import Callable
from typing import NamedTuple

from hypothesis import strategies as st

KEYS = st.from_regex(r"[a-z][a-z0-9-]{0,9}", fullmatch=True)
# Anything that every format can quote; blanks at the ends are ini's and embedded yaml's to trim.
VALUES = st.text(
    st.characters(
        min_codepoint=32,
        max_codepoint=0x2FFF,
        exclude_characters="\x7f\ufeff",
        exclude_categories=["Cs", "Cc"],
    ),
    max_size=12,
)
FILLER = st.lists(st.booleans(), max_size=3)  # comments and empty lines


class Written(NamedTuple):
    """A text and the options in it."""

    text: str
    lines: list[tuple[str, str, int]]


@st.composite
def written(draw: st.DrawFn, kind: str) -> Written:
    """A file of a format with options among comments and empty lines."""
    begin, comment, option, end = FORMS[kind]
    values = VALUES.map(lambda value: value.strip(" ")) if kind == "ini" else VALUES
    pairs = draw(st.lists(st.tuples(KEYS, values, FILLER), max_size=8, unique_by=lambda row: row[0]))
    rows, lines = [begin], []
    for at, (key, value, filler) in enumerate(pairs):
        rows += [comment if commented else "" for commented in filler]
        last = at == len(pairs) - 1
        rows.append(option(key, value) + ("," if kind == "json" and not last else ""))
        lines.append((key, value or ("1" if kind == "xml" else ""), len(rows)))
    feed = draw(st.sampled_from(["\n", "\r\n"]))
    return Written(feed.join([*rows, end]), lines)


def xml_text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


FORMS: dict[str, tuple[str, str, Callable[[str, str], str], str]] = {
    "ini": ("[uwsgi]", "; c", lambda key, value: f"{key} = {value}", ""),
    "yaml": ("uwsgi:", "  # c", lambda key, value: f"  {key}: {json.dumps(value)}", ""),
    "xml": ("<uwsgi>", "<!-- c -->", lambda key, value: f"<{key}>{xml_text(value)}</{key}>", "</uwsgi>"),
    "json": ('{"uwsgi": {', "", lambda key, value: f"{json.dumps(key)}: {json.dumps(value)}", "}}"),
    "toml": ("[uwsgi]", "# c", lambda key, value: f"{key} = {json.dumps(value)}", ""),
}

PIECES = [
    *(
        "uwsgi",
        "[uwsgi]",
        "uwsgi:\n ",
        '{"uwsgi": {',
        "<uwsgi>",
        "</uwsgi>",
        "<a>",
        "</a>",
        "<a/>",
        "<![CDATA[",
    ),
    *("]]>", "<!-- ", " -->", "<?x ", "?>", "<!DOCTYPE x [", "]>", '<!ENTITY e "v">', "&e;", "&amp;", "&#0;"),
    *("<app mountpoint='/'>", "</app>", "[", "]", "[[", "]]", "{", "}", ",", ":", ": ", "=", " = ", '"', "'"),
    *(
        '"""',
        "'''",
        "\\",
        "\\u0000",
        "\\ud800",
        "\\UFFFFFFFF",
        "#",
        ";",
        "- ",
        "? ",
        "&a ",
        "*a",
        "<<: ",
        "!!str ",
    ),
    *(
        "!",
        "%",
        "%YAML 1.1\n",
        "---\n",
        "...\n",
        "|\n",
        ">-\n",
        "|9\n",
        "@",
        "`",
        "true",
        "null",
        "NaN",
        "1e9",
    ),
    *(
        "0o7",
        "1_0",
        "-",
        "a",
        "b.c",
        "\n",
        "\n ",
        "\n  ",
        "\r\n",
        "\r",
        "\t",
        "\x00",
        "\x01",
        "\x85",
        "\u2028",
    ),
    *(
        "\ufeff",
        "\udce9",
        "\ud800",
        "\U0001f600",
        "9" * 5000,
        "[" * 40,
        "1979-05-27 07:32:00",
        "tool.penstock",
    ),
]
BROKEN = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=24).map("".join)
