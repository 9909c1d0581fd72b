"""How long files may be kept: the four families, and names with a hash."""

import re
from typing import Any

import pytest

from penstock.config.settings import Settings
from penstock.serve.static.expires import IMMUTABLE, LATEST, Delay, Expiry, hashed, make_immutable


def expiry(*immutable: str, **options: Any) -> Expiry:
    return Expiry(Settings(**options), immutable, re.compile)


def test_nothing_is_said_without_options() -> None:
    none = expiry()
    assert none.of_file("/srv/a.css", "a.css", "text/css") is None
    assert none.of_request("/srv/a.css", "text/css", "/a.css", "/a.css") is None
    assert not none.by_request


def test_the_first_family_that_has_something_to_say_counts() -> None:
    one = expiry(
        static_expires=("^/srv/a 1",),
        static_expires_path_info=("^/b 2",),
        static_expires_uri=("[?]c 3",),
        static_expires_type=("text/css=4",),
    )
    assert one.by_request
    said = [
        one.of_request("/srv/a", "text/css", "/b", "/?c"),
        one.of_request("/srv/x", "text/css", "/b", "/?c"),
        one.of_request("/srv/x", "text/css", "/x", "/?c"),
        one.of_request("/srv/x", "text/css", "/x", "/"),
        one.of_request("/srv/x", "text/x", "/x", "/"),
    ]
    assert [delay and delay.seconds for delay in said] == [1, 2, 3, 4, None]


def test_from_now_comes_before_from_the_change_and_the_first_counts() -> None:
    one = expiry(
        static_expires=("x 1", "a 2", "a 3"),
        static_expires_mtime=("a 4", "b 5"),
        static_expires_type_mtime=("t/a=6", "t/b=7", "t/b=8"),
        static_expires_type=("t/a=9",),
    )
    assert not one.by_request
    assert one.by_file("a") == Delay(2, False) and one.by_file("b") == Delay(5, True)
    assert one.by_type == {"t/a": Delay(9, False, True), "t/b": Delay(7, True, True)}


def test_dates() -> None:
    assert Delay(60, False).line(mtime=0, now=784111717) == "Sun, 06 Nov 1994 08:49:37 GMT"
    assert Delay(60, True).line(mtime=784111717, now=0) == "Sun, 06 Nov 1994 08:49:37 GMT"
    assert Delay(10**12, False).line(0, 10**9) == Delay(LATEST, False).line(0, 0)


@pytest.mark.parametrize(
    "options",
    [
        *({"static_expires": ("regex",)}, {"static_expires_uri": (" 5",)}, {"static_expires_type": ("t/x",)}),
        *({"static_expires_type": ("=5",)}, {"static_expires": ("a five",)}, {"static_expires": ("( 5",)}),
    ],
)
def test_what_is_not_written_as_a_rule(options: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(ValueError):
        expiry(**options)


HASHED = [
    *("base.55e7cbb9ba48.css", "app.3f2a9c1b.js", "app.3f2a9c1b.js.map", "chunk.0a1b2c3d4e5f60718293.css"),
    *("index-BfG2kQ9x.js", "index-DiwrgTda.css", "logo-C-7p_Xz3.svg", "vendor-react-B1bZ2cY3.js"),
]
PLAIN = [
    *("base.css", "jquery-3.7.1.min.js", "jquery-selected.js", "icon-darkMode.svg", "photo-20240101.jpg"),
    *("report.20240101.pdf", "backup.20240101120000.sql", "style-desktop2.css", "doc-HTMLpage.html"),
    *("logo-Portrait.png", "base.55E7CBB9BA48.css", "55e7cbb9ba48.css", "index-BfG2kQ9x", "a-BfG2kQ9xx.js"),
    *("app.3f2a9c1.js", "logo-________.png", "name.feedface", "", "a.min.css"),
]


@pytest.mark.parametrize("name", HASHED)
def test_names_with_a_hash(name: str) -> None:
    assert hashed(name)


@pytest.mark.parametrize("name", PLAIN)
def test_names_without(name: str) -> None:
    assert not hashed(name)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ((), []),
        (("true",), ["a-BfG2kQ9x.js"]),
        (("yes",), ["a-BfG2kQ9x.js"]),
        (("false",), []),
        ((r"\.v\d+\.",), ["a.v12.js"]),
        (("true", r"\.v\d+\."), ["a-BfG2kQ9x.js", "a.v12.js"]),
    ],
)
def test_the_option(said: tuple[str, ...], found: list[str]) -> None:
    immutable = make_immutable(said, re.compile)
    assert [name for name in ("a.js", "a-BfG2kQ9x.js", "a.v12.js") if immutable(name)] == found


def test_immutable_wins() -> None:
    one = expiry("true", static_expires=(". 60",))
    assert one.of_file("/srv/a-BfG2kQ9x.js", "a-BfG2kQ9x.js", "") is IMMUTABLE
    assert one.of_file("/srv/a.js", "a.js", "") == Delay(60, False)
