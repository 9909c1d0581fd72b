"""Magic letters, one by one, and where the lines of a text are afterwards."""

import os
import socket
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import __version__
from penstock.config.language.magic import LONGEST, UPPER, Magic, Overgrown, djb33x


def expanded(text: str, name: str = "-", section: str = "") -> str:
    magic = Magic()
    magic.of_file(name, section)
    return magic.expand(text).text


def test_letters_of_a_path(tmp_path: Path) -> None:
    path = tmp_path / "one.two.ini"
    path.write_text("")
    found = expanded("%o|%p|%d|%s|%n|%e|%c|%x|%i", str(path), "sec").split("|")
    inode = str(path.stat().st_ino)
    assert found == [
        *(str(path), str(path), f"{tmp_path}/", "one.two.ini", "one.two", "ini"),
        *(tmp_path.name, "sec", inode),
    ]
    parts = [part for part in str(tmp_path).split("/") if part]
    assert expanded("%0/%1/%9", str(path)).split("/")[:2] == parts[:2]


def test_a_name_without_an_ending_and_the_topmost_folder() -> None:
    assert expanded("%n|%e|%c|%d", "/none") == "none|||/"


def test_a_link_is_named_by_its_own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real.ini").write_text("")
    (tmp_path / "link.ini").symlink_to("real.ini")
    monkeypatch.chdir(tmp_path)
    assert expanded("%p %n", "link.ini") == f"{os.getcwd()}/link.ini link"
    assert expanded("%p", "./real.ini") == os.path.realpath("real.ini")


@pytest.mark.parametrize("name", ["-", "http://example.org/a.ini", "data://x"])
def test_what_is_no_path_leaves_the_letters_of_the_file_before(name: str) -> None:
    magic = Magic()
    magic.of_file("/etc/first.ini", "")
    magic.of_file(name, "s")
    assert magic.expand("%n %o %x").text == f"first {name} s"


def test_letters_of_the_machine_and_the_process() -> None:
    assert expanded("%v %h %k") == f"{os.getcwd()} {socket.gethostname()} {os.cpu_count()}"
    assert expanded("%u %g") == f"{os.getuid()} {os.getgid()}"
    assert expanded("%V") == __version__
    assert abs(int(expanded("%t")) - time.time()) < 60
    assert abs(int(expanded("%T")) / 1e6 - time.time()) < 60
    assert expanded("%U%G%b").strip(), "names, and the program"


def test_capitals_stay_those_of_the_first_file() -> None:
    magic = Magic()
    magic.of_file("/a/one.ini", "")
    magic.of_file("/b/two.xml", "x")
    capitals = magic.expand("%O %D %S %P %C %E %N %X %J").text
    assert capitals == f"/a/one.ini /a/ one.ini /a/one.ini a ini one  {djb33x(b'/a/one.ini')}"
    assert magic.expand("%n").text == "two"
    assert len(UPPER) == 10


def test_the_hash_is_uwsgis() -> None:
    assert djb33x(b"") == (5381).to_bytes(4, "little").hex().upper()
    assert djb33x(b"/tmp/p2/x.ini") == "B9FFCA64"


def test_what_is_no_letter() -> None:
    assert expanded("100%% %(x) %[ %") == "100% %(x) \x1b "
    result = Magic().expand("a\n# %Y\n  ; %Y\nb = %Y\n%%Y\n")
    assert result.text == "a\n# \n  ; \nb = \n%Y\n"
    assert result.unknown == ((4, "Y"),), "what is a comment is told of to nobody"


def test_only_so_many_are_told_of() -> None:
    assert len(Magic().expand("%Y\n" * 1000).unknown) == 20


def test_a_text_without_percent_signs_is_itself() -> None:
    text = "[uwsgi]\n"
    assert Magic().expand(text).text is text


@given(st.lists(st.sampled_from(["a", "%", "%%", "%\n", "\n", "%n", "%Y", "%("])).map("".join))
def test_joined_lines_are_where_breaks_are_missing(text: str) -> None:
    result = Magic().expand(text)
    assert result.text.count("\n") + len(result.joined) == text.count("\n")
    assert list(result.joined) == sorted(result.joined)
    # Each removed break stood behind as many breaks as the result has before it, and those removed before.
    plain = text.replace("%%", "__")
    breaks = [at for at, letter in enumerate(plain) if letter == "\n"]
    gone = [number for number, at in enumerate(breaks) if plain[at - 1 : at] == "%" and at]
    assert [line + before for before, line in enumerate(result.joined)] == [number + 1 for number in gone]


def test_growth_is_bounded() -> None:
    magic = Magic()
    magic.of_file("/" + "x" * 4000, "")
    with pytest.raises(Overgrown):
        magic.expand("%p" * (LONGEST // 4000 + 1))
