"""Files as lines that know where they stand, through what is injected and what is taken out."""

from pathlib import Path

import pytest

from penstock.config.language.files import Files, Places, Unreadable


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_lines_have_their_places(folder: Path) -> None:
    (folder / "a.ini").write_text("[uwsgi]\na = 1\n\nb = %n\n")
    assert Files().read("a.ini", "") == [("a", "1", "a.ini", 2), ("b", "a", "a.ini", 4)]


def test_places_behind_what_was_injected(folder: Path) -> None:
    (folder / "before").write_text("[uwsgi]\nx = 1\n")
    (folder / "after").write_text("y = 2\n\nz = 3")
    (folder / "a.ini").write_text("[uwsgi]\n# 50%\n# gone too\na = %\nb = 2\nc = 3\n")
    files = Files(before=["before"], after=["after"])
    assert files.read("a.ini", "") == [
        ("x", "1", "before", 2), ("a", "b = 2", "a.ini", 4), ("c", "3", "a.ini", 6),
        ("y", "2", "after", 1), ("z", "3", "after", 3),
    ]  # fmt: skip
    assert [(remark.file, remark.line) for remark in files.remarks] == [("a.ini", 2), ("a.ini", 4)]


def test_places_of_nothing() -> None:
    places = Places()
    places.add(1, "a.ini", ())
    assert places.of(0) == ("a.ini", 0)
    assert places.of(7) == ("a.ini", 7)


@pytest.mark.parametrize(
    ("name", "text", "said", "line"),
    [
        ("a.yaml", "uwsgi:\n  threads: &anchor\n - [", "", 3),
        ("a.json", '{"uwsgi": {\n "threads": }}', "", 2),
        ("a.xml", "<uwsgi>\n<threads>1</uwsgi>", "", 2),
    ],
)
def test_what_cannot_be_parsed_names_file_and_line(
    folder: Path, name: str, text: str, said: str, line: int
) -> None:
    (folder / name).write_text(text)
    files = Files()
    try:
        found = files.read(name, "")
    except Unreadable as fault:
        assert (fault.kind, fault.file, fault.line) == ("syntax", name, line) and said in fault.message
        return
    # What PyYAML refuses is read by uWSGI's own rules, with a warning.
    assert name == "a.yaml" and files.remarks and found


def test_a_section_of_the_last_file_of_its_format(folder: Path) -> None:
    (folder / "a.ini").write_text("[s]\na = ini\n")
    (folder / "a.yaml").write_text("s:\n  a: yaml\n")
    files = Files()
    files.read("a.ini", "ini")
    files.read("a.yaml", "yaml")
    assert [line.value for line in files.read(":s", "ini")] == ["ini"]
    assert [line.value for line in files.read(":s", "yaml")] == ["yaml"]
    with pytest.raises(Unreadable):
        files.read(":s", "json")


def test_standard_input_is_there_for_its_other_sections(folder: Path) -> None:
    files = Files()
    assert [
        line.value for line in files.read("exec://echo '[uwsgi]'; echo a=$$; echo '[s]'; echo a=2", "ini")
    ]
    assert [line.value for line in files.read(":s", "ini")] == ["2"]


def test_the_mode_picks_elements_of_xml(folder: Path) -> None:
    (folder / "a.xml").write_text('<uwsgi><threads mode="x">1</threads><threads mode="y">2</threads></uwsgi>')
    files = Files(mode="y")
    assert [line.value for line in files.read("a.xml", "")] == ["2"]
