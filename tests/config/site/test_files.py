"""What the options of files say: maps, times, regexes, and who sends the files."""

import pytest

from penstock.config.site.files import (
    MODES,
    Mapping,
    expires,
    immutable,
    mapping,
    mode,
    regex,
    type_expires,
)


@pytest.mark.parametrize(
    ("text", "point", "folder"),
    [
        ("/static=/srv/static", "/static", "/srv/static"),
        ("/=public", "/", "public"),
        ("=/srv", "", "/srv"),  # every path begins so, as in uWSGI
        ("/a=/srv/b=c", "/a", "/srv/b=c"),
        ("/robots.txt=/srv/robots.txt", "/robots.txt", "/srv/robots.txt"),
    ],
)
def test_a_map(text: str, point: str, folder: str) -> None:
    assert mapping(text) == Mapping(point, folder)


@pytest.mark.parametrize("text", ["", "/static", "/static=", "/static= "])
def test_a_map_that_leads_nowhere(text: str) -> None:
    with pytest.raises(ValueError, match=r"^PATH=FOLDER is expected$"):
        mapping(text)


def test_a_map_that_no_path_begins_with() -> None:
    found = mapping("static=/srv/static")
    assert (found.point, found.folder) == ("static", "/srv/static")
    assert found.doubtful == ("paths begin with /, so that none begins with static",)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (r"\.css$ 3600", (r"\.css$", 3600)),
        ("/* 31557600", ("/*", 31557600)),
        ("a  60", ("a", 60)),
        ("a 0", ("a", 0)),
        ("a 2h", ("a", 7200)),
        ("a 500ms", ("a", 0)),
    ],
)
def test_how_long_files_are_kept(text: str, found: tuple[str, int]) -> None:
    assert expires(text) == found


@pytest.mark.parametrize("text", ["", r"\.css$", r"\.css$ soon", " 60", "a -1", "a 1 2", "a ٣", "a 7d"])
def test_how_long_files_are_not_kept(text: str) -> None:
    with pytest.raises(ValueError, match=r"^REGEX SECONDS is expected"):
        expires(text)


def test_a_regex_that_is_none_says_why() -> None:
    assert regex(r"^/(a|b)\.js$") == r"^/(a|b)\.js$"
    for text in ("(", "a)", "[a", "a\\", "*.css"):
        with pytest.raises(ValueError, match=r" is no regular expression: \w"):
            regex(text)
    with pytest.raises(ValueError, match=r"^\*\.css is no regular expression: nothing to repeat"):
        expires("*.css 60")


@pytest.mark.parametrize(
    "text", [r"\Qa.b\E", r"(?<name>a)", r"\h+", "[[:alpha:]]", "(*UCP)a", "a" * 3 + "{99999999999}", "a++b"]
)
def test_what_only_pcre_understands_is_not_looked_at_here(text: str) -> None:
    assert regex(text) == text


def test_how_long_a_type_is_kept() -> None:
    assert type_expires("text/css=60") == ("text/css", 60)
    assert type_expires("text/html=1h") == ("text/html", 3600)
    for text in ("", "text/css", "=60", "text/css=", "text/css=soon"):
        with pytest.raises(ValueError, match=r"^TYPE=SECONDS is expected"):
            type_expires(text)


@pytest.mark.parametrize("text", ["true", "on", "1", "", "false", "Yes", r"\.[0-9a-f]{8}\."])
def test_which_files_never_change(text: str) -> None:
    assert immutable(text) == text


def test_which_files_never_change_by_a_regex_that_is_none() -> None:
    with pytest.raises(ValueError, match="regular expression"):
        immutable("[")


def test_who_sends_the_files() -> None:
    assert {mode(text.upper()).header for text in MODES} == {"X-Accel-Redirect", "X-Sendfile"}
    assert mode("nginx") == ("X-Accel-Redirect", ())
    assert mode("") == ("", ())
    found = mode("lighttpd")
    assert found.header == ""
    assert found.doubtful[0].startswith("nginx or x-sendfile is expected")
