"""Three hundred ways to get what is not to be served, by each rule and each way of opening."""

from pathlib import Path
from typing import Any

import pytest

from penstock.codecs.target import unescape
from penstock.core.errors import ProtocolError
from penstock.serve.static.files import Files
from tests.serve.static.attacks import attacks
from tests.serve.static.sites import OPENERS, PUBLIC, SECRET, asked, content, files_of, make_site

RULES = ("static-map", "static-map/", "static-map2", "check-static", "check-static-docroot")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_site(tmp_path_factory.mktemp("top"))


def ruled(opener: str, rule: str, site: Path, **options: Any) -> tuple[Files, str]:
    """Files by one rule, and what stands before a path."""
    given: dict[str, Any]
    before = "/"
    if rule == "static-map":
        given, before = {"static_map": (f"/s={site}",)}, "/s/"
    elif rule == "static-map/":
        given, before = {"static_map": (f"/s/={site}/",)}, "/s/"
    elif rule == "static-map2":
        given = {"static_map2": (f"/={site}",)}
    elif rule == "check-static":
        given = {"check_static": (str(site),)}
    else:
        given = {"check_static_docroot": True}
    return files_of(opener, static_index=("index.html",), **given, **options), before


def escapes(files: Files, before: str, site: Path) -> tuple[list[str], int]:
    """Which attacks got what they must not get, and how many there were."""
    got, paths = [], attacks(str(site.parent.parent))
    for path in paths:
        for full in (before + path, before.rstrip("/") + path):
            try:
                decoded = unescape(full)
            except ProtocolError:  # answered 400 before anybody looks for a file
                continue
            for _ in range(2):  # what is remembered is no hole either
                found = files.find(asked(decoded, docroot=str(site)))
                data = content(found)
                if data is not None and not data.startswith(PUBLIC):
                    got.append(full)
    return got, len(paths)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("opener", OPENERS)
def test_nothing_escapes(opener: str, rule: str, site: Path) -> None:
    files, before = ruled(opener, rule, site)
    got, count = escapes(files, before, site)
    assert got == []
    assert count >= 300


@pytest.mark.parametrize("opener", OPENERS)
def test_with_dotfiles_only_those_are_got(opener: str, site: Path) -> None:
    files, before = ruled(opener, "static-map", site, static_dotfiles=True)
    got, _ = escapes(files, before, site)
    assert "/s/.env" in got and "/s/.git/config" in got
    for path in got:
        found = files.find(asked(unescape(path)))
        assert found is not None and found.path.startswith(f"{site}/") and "/." in found.path


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("opener", OPENERS)
def test_what_lies_inside_is_served(opener: str, rule: str, site: Path) -> None:
    """Or else the other tests would be passed by serving nothing."""
    files, before = ruled(opener, rule, site)
    for path in (
        *("a.txt", "dir/b.txt", "dir/deep/c.txt", "dir/", "dir", "", "sp ace.txt", "e\u00e9.txt", "/a.txt"),
        *("./a.txt", "dir//b.txt", "dir/./b.txt", "dir/.", ".well-known/x", "in", "in_dir/b.txt", "in_up"),
        *("in_absolute", "in_absolute_dir/b.txt", "in_absolute_dir/", "in_round", "in_chain", "index.html"),
    ):
        octets = (before + path).encode().decode("latin-1")
        assert content(files.find(asked(octets, docroot=str(site)))) is not None, path


@pytest.mark.parametrize("opener", OPENERS)
def test_secrets_are_there_to_be_got(opener: str, site: Path) -> None:
    """A wider root has them: it is the root that keeps them."""
    wide = files_of(opener, check_static=(str(site.parent.parent),))
    for path in ("/secret.txt", "/private/key.pem", "/www/site/out", "/www/site/out_dir_absolute/key.pem"):
        assert content(wide.find(asked(path))) == SECRET
