"""Which compressed form a client takes, and which files may have one."""

import re

import pytest

from penstock.serve.static import twins
from penstock.serve.static.twins import Choice, codings_of, make_choice

ALL = ("br", "zstd", "gzip")


@pytest.mark.parametrize(
    ("said", "codings"),
    [
        (None, ()),
        ("", ()),
        ("gzip", ("gzip",)),
        ("gzip, deflate, br, zstd", ALL),
        ("GZIP", ("gzip",)),
        ("x-gzip", ("gzip",)),
        ("gzip;q=1.0, br;q=0.5", ("gzip", "br")),
        ("br;q=0, gzip", ("gzip",)),
        ("br;q=0.0,gzip;q=0.000", ()),
        ("*", ALL),
        ("*;q=0.5, gzip", ("gzip", "br", "zstd")),
        ("br, *;q=0", ("br",)),
        ("identity, gzip;q=0.5", ()),
        ("identity;q=0.5, gzip", ("gzip",)),
        ("identity;q=0", ()),
        ("deflate", ()),
        ("brotli, abracadabra", ()),
        ("gzip;q=2", ()),
        ("gzip;q=x", ()),
        ("gzip;level=1", ()),
        (" gzip ; q=0.8 ,\tbr ", ("br", "gzip")),
        ("gzip,br;q=1,gzip;q=0", ("br", "gzip")),
    ],
)
def test_the_codings_of_a_header(said: str | None, codings: tuple[str, ...]) -> None:
    assert codings_of(said) == codings
    assert codings_of(said) == codings, "remembered"


def test_what_is_remembered_is_bounded() -> None:
    for number in range(twins.REMEMBER * 3):
        assert codings_of(f"gzip, x{number}") == ("gzip",)
    assert len(twins._remembered) <= twins.REMEMBER


@pytest.mark.parametrize(
    ("options", "path", "wanted"),
    [
        ((False, (), (), ()), "/srv/a.css", False),
        ((True, (), (), ()), "/srv/a.css", True),
        ((False, ("/srv/static",), (), ()), "/srv/static/a.css", True),
        # By the letters, as in uWSGI.
        ((False, ("/srv/static",), (), ()), "/srv/static2/a.css", True),
        ((False, ("/srv/static",), (), ()), "/srv/a.css", False),
        ((False, (), (".css", ".js"), ()), "/srv/a.js", True),
        ((False, (), (".css",), ()), "/srv/a.css.map", False),
        ((False, (), (), (r"/app-\d+\.js$",)), "/srv/app-12.js", True),
        ((False, (), (), (r"/app-\d+\.js$",)), "/srv/app.js", False),
    ],
)
def test_which_files_may_have_twins(
    options: tuple[bool, tuple[str, ...], tuple[str, ...], tuple[str, ...]], path: str, wanted: bool
) -> None:
    choice = make_choice(*options, re.compile)
    assert choice(path) is wanted
    assert bool(choice) is any(options)


def test_a_regex_that_is_none_is_an_error() -> None:
    with pytest.raises(re.error):
        make_choice(False, (), (), ("(",), re.compile)
    assert not Choice(False, (), (), ())
