"""Which file a path means: uWSGI's rules, in uWSGI's order."""

import os
from pathlib import Path
from typing import Any

import pytest

from penstock.serve.static.lookup import Lookup
from penstock.serve.static.roots import Means
from tests.serve.static.sites import OPENERS, PUBLIC, Said, asked, content, files_of, make_site, opener, write


@pytest.fixture
def top(tmp_path: Path) -> Path:
    for folder in ("one", "two", "three", "four"):
        write(tmp_path / folder / "same.txt", folder.encode())
        write(tmp_path / folder / f"{folder}.txt", folder.encode())
        write(tmp_path / folder / "s" / "under.txt", folder.encode())
    return tmp_path


def get(
    path: str, docroot: str = "", method: str = "GET", opener: str = "walk", **options: Any
) -> bytes | None:
    return content(files_of(opener, **options).find(asked(path, method, docroot)))


# ---- The order -------------------------------------------------------------------------------------------


def test_check_static_then_map_then_map2_then_docroot(top: Path) -> None:
    one, two, three, four = (str(top / name) for name in ("one", "two", "three", "four"))
    rules: dict[str, Any] = {
        "check_static": (one,),
        "static_map": (f"/={two}",),
        "static_map2": (f"/={three}",),
        "check_static_docroot": True,
    }
    found = []
    while rules:
        found.append(get("/same.txt", four, **rules))
        del rules[next(iter(rules))]
    assert found == [b"one", b"two", b"three", b"four"]


def test_of_each_kind_the_order_is_that_of_the_file(top: Path) -> None:
    maps = (f"/={top / 'two'}", f"/={top / 'one'}")
    assert get("/same.txt", static_map=maps) == b"two"
    assert get("/one.txt", static_map=maps) == b"one"  # the first has none, so the next is asked
    assert get("/same.txt", check_static=(str(top / "one"), str(top / "two"))) == b"one"


def test_a_folder_that_is_not_there_hides_no_other(top: Path) -> None:
    assert get("/one.txt", static_map=(f"/={top / 'none'}", f"/={top / 'one'}")) == b"one"


# ---- The ways of matching ---------------------------------------------------------------------------------


def test_a_mount_point_is_text_without_borders(top: Path) -> None:
    given: dict[str, Any] = {"static_map": (f"/s={top / 'one'}",)}
    assert get("/sone.txt", **given) == b"one"
    assert get("/s/one.txt", **given) == b"one"
    assert get("/s//one.txt", **given) == b"one"
    assert get("/x/one.txt", **given) is None
    assert get("/S/one.txt", **given) is None


def test_map_takes_its_mount_point_off_and_map2_does_not(top: Path) -> None:
    assert get("/s/one.txt", static_map=(f"/s={top / 'one'}",)) == b"one"
    assert get("/s/under.txt", static_map2=(f"/s={top / 'one'}",)) == b"one"
    assert get("/s/one.txt", static_map2=(f"/s={top / 'one'}",)) is None
    assert get("/s/under.txt", static_map=(f"/s={top / 'one'}",)) is None


@pytest.mark.parametrize("rule", ["static_map", "static_map2"])
def test_a_map_to_a_file_is_that_file_for_all_its_paths(rule: str, top: Path) -> None:
    given: dict[str, Any] = {rule: (f"/favicon.ico={top / 'one' / 'one.txt'}",)}
    for path in ("/favicon.ico", "/favicon.ico/", "/favicon.ico/more", "/favicon.icon", "/favicon.ico/../.x"):
        assert get(path, **given) == b"one", path
    assert get("/favicon", **given) is None


def test_check_static_is_for_folders(top: Path) -> None:
    assert get("/one.txt", check_static=(str(top / "one" / "one.txt"),)) is None


def test_relative_folders_are_from_where_the_server_stands(top: Path) -> None:
    assert get("/one.txt", check_static=(os.path.relpath(top / "one"),)) == b"one"


def test_docroot_is_the_requests(top: Path) -> None:
    files = files_of("walk", check_static_docroot=True)
    for name in ("one", "two", "one"):
        assert content(files.find(asked("/same.txt", docroot=str(top / name)))) == name.encode()
    assert files.find(asked("/same.txt")) is None
    assert files.find(asked("/same.txt", docroot=f"{top}/one\0")) is None
    for number in range(200):
        assert files.find(asked("/same.txt", docroot=f"{top}/{number}")) is None
    assert len(files.lookup.docroots) <= 64


# ---- What is not served ------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "get", "PROPFIND"])
def test_other_methods_are_the_applications(method: str, top: Path) -> None:
    files = files_of("walk", check_static=(str(top / "one"),))
    assert files.find(asked("/one.txt", method)) is None
    assert content(files.find(asked("/one.txt", "HEAD"))) == b"one"


def test_skipped_endings_are_of_the_path_and_of_the_real_file(top: Path) -> None:
    (top / "one" / "link.css").symlink_to("one.txt")
    given: dict[str, Any] = {"check_static": (str(top / "one"),)}
    assert get("/link.css", **given) == b"one"
    assert get("/link.css", static_skip_ext=(".txt",), **given) is None
    assert get("/link.css", static_skip_ext=("css",), **given) is None  # an ending, with a dot or without
    assert get("/link.css", static_skip_ext=(".php", ".py"), **given) == b"one"


def test_a_skipped_file_leaves_the_next_rule_its_turn(top: Path) -> None:
    (top / "one" / "same.css").symlink_to("one.txt")
    write(top / "two" / "same.css", b"two")
    folders = (str(top / "one"), str(top / "two"))
    assert get("/same.css", check_static=folders, static_skip_ext=(".txt",)) == b"two"


@pytest.mark.parametrize("opener", OPENERS)
@pytest.mark.parametrize(
    "path", ["/one.txt/", "/one.txt/.", "/one.txt/x", "/s", "/s/", "/", "/.", "", "/one.tx"]
)
def test_neither_files_with_a_slash_nor_folders(path: str, opener: str, top: Path) -> None:
    assert get(path, opener=opener, check_static=(str(top / "one"),)) is None


def test_what_is_no_octets_is_no_path(top: Path) -> None:
    assert get("/\u20ac", check_static=(str(top / "one"),)) is None


def test_names_are_octets(top: Path) -> None:
    (top / "one" / "e\u00e9").write_bytes(b"utf-8")
    with open(os.fsencode(top / "one") + b"/\xff\xfe", "wb") as file:
        file.write(b"neither")
    given: dict[str, Any] = {"check_static": (str(top / "one"),)}
    assert get("/e\u00c3\u00a9", **given) == b"utf-8"
    assert get("/e\u00e9", **given) is None
    assert get("/\u00ff\u00fe", **given) == b"neither"


def test_mount_points_are_octets_too(top: Path) -> None:
    assert get("/\u00c3\u00a9/one.txt", static_map=(f"/\u00e9={top / 'one'}",)) == b"one"


# ---- Indexes -----------------------------------------------------------------------------------------------


def test_the_first_index_that_is_a_file_is_taken(top: Path) -> None:
    (top / "one" / "index.html").mkdir()
    write(top / "one" / "index.htm", b"htm")
    write(top / "one" / "index.php", b"php")
    indexes = ("none.html", "index.html", "index.htm", "index.php")
    given: dict[str, Any] = {"check_static": (str(top / "one"),), "static_index": indexes}
    assert get("/", **given) == b"htm"
    assert get("", **given) == b"htm"
    assert get("/", static_skip_ext=(".htm",), **given) == b"php"


def test_an_index_is_appended_to_the_path(top: Path) -> None:
    write(top / "one" / "s" / "index.html", b"index")
    files = files_of("walk", check_static=(str(top / "one"),), static_index=("index.html",))
    for path, then in (("/s/", "/s/index.html"), ("/s", "/s/index.html"), ("/s//", "/s//index.html")):
        for _ in range(2):
            environ = asked(path)
            found = files.find(environ)
            assert content(found) == b"index"
            assert found is not None and found.index == "index.html"
            assert environ["PATH_INFO"] == then
    environ = asked("/s/index.html")
    assert files.find(environ) is not None and environ["PATH_INFO"] == "/s/index.html"


@pytest.mark.parametrize("opener", OPENERS)
def test_an_index_may_lie_deeper_and_never_outside(opener: str, top: Path) -> None:
    given: dict[str, Any] = {"check_static": (str(top / "one"),)}
    assert get("/", opener=opener, static_index=("s/under.txt",), **given) == b"one"
    assert get("/", opener=opener, static_index=("../two/two.txt",), **given) is None
    (top / "one" / "index.html").symlink_to("../two/two.txt")
    assert get("/", opener=opener, static_index=("index.html",), **given) is None
    assert (
        get("/", opener=opener, static_index=("index.html",), static_safe=(str(top / "two"),), **given)
        == b"two"
    )


def test_the_operator_may_name_a_dotfile(top: Path) -> None:
    write(top / "one" / ".index", b"asked for")
    write(top / "dots" / ".d" / "x.txt", b"asked for")
    assert get("/", check_static=(str(top / "one"),), static_index=(".index",)) == b"asked for"
    assert get("/x.txt", check_static=(str(top / "dots" / ".d"),)) == b"asked for"


# ---- What costs nothing ------------------------------------------------------------------------------------


def test_only_paths_below_a_mount_point_are_looked_at(top: Path) -> None:
    settings = files_of("walk", static_map=(f"/s={top}", f"/t={top}")).lookup
    assert settings.prefixes == ("/s", "/t")
    assert files_of("walk", static_map=(f"/s={top}",), check_static=(str(top),)).lookup.prefixes is None
    assert files_of("walk", static_map=(f"/s={top}",), check_static_docroot=True).lookup.prefixes is None
    assert files_of("walk", static_map=(f"={top}",)).lookup.prefixes is None


@pytest.mark.parametrize("kind", OPENERS)
def test_lookup_by_itself_says_where(kind: str, tmp_path: Path) -> None:
    from penstock.config.settings import Settings

    site = make_site(tmp_path)
    lookup = Lookup(Settings(check_static=(str(site),)), Means(opener(kind), Said()))
    target = lookup.look("/in_absolute_dir/b.txt")
    assert target is not None and target.status.st_size == len(PUBLIC + b" dir/b.txt")
    assert b"/" + b"/".join(target.place.real()) == os.fsencode(site / "dir" / "b.txt")
