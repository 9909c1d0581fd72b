"""What the options of replies say."""

import pytest

from penstock.config.site.replies import WAYS, kind, name, noted, way


def test_a_header_to_leave_out() -> None:
    assert name("Server") == ("Server", ())
    for text in ("Server:", "X Y", "", "Größe"):
        assert name(text) == (text, ("no header has such a name: nothing is removed",))


def test_a_header_for_a_variable() -> None:
    assert noted("X-Kind KIND") == ("X-Kind", "KIND")
    assert noted("X-Kind  KIND") == ("X-Kind", " KIND")  # uWSGI's variable has the blank in its name, too
    for text in ("", "X-Kind", "X-Kind ", " KIND"):
        with pytest.raises(ValueError, match=r"^HEADER VARIABLE is expected$"):
            noted(text)


def test_ways_to_compress() -> None:
    assert [way(text) for text in WAYS] == ["gzip", "br", "zstd"]
    for text in ("deflate", "GZIP", ""):
        with pytest.raises(ValueError, match=r"^gzip, br or zstd is expected$"):
            way(text)


def test_types_to_compress() -> None:
    found = [kind(text) for text in ("text/*", "Application/JSON", "*", "*/*json", "image/svg+xml")]
    assert found == ["text/*", "application/json", "*", "*/*json", "image/svg+xml"]
    for text in ("text", "", "text/", "a/b/c", "text/html; charset=utf-8"):
        with pytest.raises(ValueError, match=r"^a type is expected"):
            kind(text)
