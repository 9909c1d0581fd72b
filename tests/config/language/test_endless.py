"""What never ends, or grows without end, is an error within a second."""

import os
import resource
import time
from pathlib import Path

import pytest

from penstock.config.language.collect import Collected, collect
from penstock.config.language.limits import MOST_FILES, MOST_OPTIONS

SECONDS = 3.0  # of this process's time; a second is meant, on a machine that does nothing else


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(folder: Path, **texts: str) -> Collected:
    """a.ini and the files beside it, in bounded time and memory."""
    for name, text in texts.items():
        (folder / f"{name}.ini").write_text(text)
    start, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    collected = collect(["--ini", "a.ini"], {"HOME": "/"})
    assert time.process_time() - start < SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000, "KB"
    return collected


def only_error(collected: Collected) -> str:
    (error,) = [found for found in collected.findings if found.level == "error"]
    return error.text


def section(*lines: str) -> str:
    return "\n".join(("[uwsgi]", *lines, ""))


@pytest.mark.parametrize("word", ["include", "ini"])
def test_files_that_include_each_other(folder: Path, word: str) -> None:
    told = only_error(read(folder, a=section(f"{word} = b.ini"), b=section(f"{word} = a.ini")))
    assert told.startswith("b.ini:2: ") or told.startswith("a.ini:2: ")
    assert "more than 32 deep" in told and "a.ini > b.ini" in told


def test_a_section_that_reads_itself(folder: Path) -> None:
    assert "more than 32 deep" in only_error(read(folder, a=section("ini = :uwsgi")))


def test_files_that_fork(folder: Path) -> None:
    told = only_error(read(folder, a=section("inherit = a.ini", "inherit = a.ini", "inherit = a.ini")))
    assert f"more than {MOST_FILES} files" in told


def test_options_without_end(folder: Path) -> None:
    loop = section("for-times = 1000000000", "x = %(_)", "endfor")
    assert f"more than {MOST_OPTIONS} options" in only_error(read(folder, a=loop))
    words = section(f"for = {'a ' * 60_000}", "x = %(_)", "y = %(_)", "endfor")
    assert f"more than {MOST_OPTIONS} options" in only_error(read(folder, a=words))


def test_values_that_a_loop_makes_large(folder: Path) -> None:
    loop = section("for-times = 90000", f"x = {'%(_)' * 2000}", "endfor")
    assert "MB of them" in only_error(read(folder, a=loop))


def test_a_file_that_is_read_often(folder: Path) -> None:
    comments = section(*(["; " + "x" * 5000] * 900))
    loop = section("for-times = 90", "include = b.ini", "endfor")
    assert "MB of configuration" in only_error(read(folder, a=loop, b=comments))


def test_magic_letters_that_grow(folder: Path) -> None:
    deep = folder / ("d" * 200) / ("e" * 200) / ("f" * 200)
    deep.mkdir(parents=True)
    os.chdir(deep)
    told = only_error(read(deep, a=section(*(["x = " + "%p" * 1000] * 80))))
    assert "magic letters" in told


def test_placeholders_that_name_themselves(folder: Path) -> None:
    collected = read(folder, a=section("a = x%(b)", "b = y%(a)", "c = z%(c)", "threads = 2"))
    told = [found.text for found in collected.findings]
    assert [text for text in told if "its placeholders never end" in text] == told
    assert len(told) == 3
    assert collected.options[-1].value == "2", "the others are read"


def test_placeholders_that_double(folder: Path) -> None:
    lines = [f"k{at} = x%(k{at + 1})%(k{at + 1})" for at in range(60)]
    collected = read(folder, a=section(*lines, "k60 = xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"))
    assert collected.findings
    assert all("its placeholders" in found.message for found in collected.findings)


def test_placeholders_in_masses(folder: Path) -> None:
    many = section("v = 1", *(["x = a" + "%(v)" * 900] * 1200))
    assert "too many or too large" in only_error(read(folder, a=many))
    nobodys = section(*(["x = a" + "%(q)" * 20000] * 60))
    assert "too many or too large" in only_error(read(folder, a=nobodys))


def test_a_large_value_that_is_looked_through_often(folder: Path) -> None:
    value = "x%(" + "y" * 900_000 + "%(v)" * 900
    assert "too many or too large" in only_error(read(folder, a=section("v = 1", f"a = {value}")))


def test_declared_options_that_grow(folder: Path) -> None:
    lines = [f"declare-option = k{at}=k{at + 1}=$1;k{at + 1}=$1" for at in range(15)]
    collected = read(folder, a=section(*lines, "k0 = 1", "threads = 2"))
    assert len(collected.options) <= 1 << 15


def test_commands_and_files_in_values(folder: Path) -> None:
    (folder / "big.txt").write_text("x" * (1 << 21))
    told = only_error(read(folder, a=section("a = y@(big.txt)")))
    assert told.startswith("a.ini:2: a = y@(big.txt): ")


def test_slips_in_masses(folder: Path) -> None:
    collected = read(folder, a=section(*(f"vaccum{at} = 1" for at in range(3000))))
    assert len(collected.findings) < 100, "so many are looked into"


def test_a_file_that_is_injected_often(folder: Path) -> None:
    (folder / "b.ini").write_text("; " + "x" * (15 << 20) + "\n")
    (folder / "c.ini").write_text("[uwsgi]\n")
    injected = section(*["inject-before = b.ini"] * 60, "ini = c.ini")
    assert "MB of configuration" in only_error(read(folder, a=injected))


def test_declared_options_whose_words_double(folder: Path) -> None:
    doubling = " ".join(f"${number}${number}" for number in range(2, 60))
    declared = section("declare-option = grow=env=$1$1", f"grow = {doubling}")
    assert "grows without end" in only_error(read(folder, a=declared))
