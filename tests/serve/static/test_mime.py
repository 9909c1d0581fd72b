"""Types by names: from files as uWSGI reads them, from Python where there is none."""

from pathlib import Path

import pytest

from penstock.serve.static.mime import builtin, make_table, type_of

TABLE = {"css": "text/css", "gz": "application/gzip", "JPG": "image/x-loud", "jpg": "image/jpeg"}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.css", "text/css"),
        ("a.b.css", "text/css"),
        ("a.tar.gz", "application/gzip"),
        ("a.CSS", "text/css"),
        ("a.jpg", "image/jpeg"),
        ("a.JPG", "image/x-loud"),
        (".css", "text/css"),
        ("css", ""),
        ("a.", ""),
        ("a.css/b", ""),
        ("a.unknown", ""),
        ("", ""),
    ],
)
def test_by_what_follows_the_last_dot(name: str, kind: str) -> None:
    assert type_of(TABLE, name) == kind


def test_files_are_read_in_order_and_the_first_counts(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    first.write_text("# comment\ntext/one\ta b\n\ntext/two\n  text/three c # d\nnonsense e\n")
    second.write_text("text/other a d\n")
    warnings: list[str] = []
    table = make_table((str(first), str(second)), lambda key, text: warnings.append(text))
    assert table == {"a": "text/one", "b": "text/one", "c": "text/three", "d": "text/other"}
    assert not warnings


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    warnings: list[str] = []
    table = make_table((str(tmp_path / "none"),), lambda key, text: warnings.append(text))
    assert len(warnings) == 1 and "none" in warnings[0]
    assert table == builtin()


def test_a_type_never_has_what_a_header_must_not_have(tmp_path: Path) -> None:
    path = tmp_path / "types"
    path.write_bytes("text/x\x01 a\nt\u00e9xt/x b\ntext/y c\n".encode())
    assert make_table((str(path),), lambda key, text: None) == {"c": "text/y"}


def test_pythons_own_table() -> None:
    known = builtin()
    assert known["css"] == "text/css" and known["png"] == "image/png" and known["js"].endswith("/javascript")


def test_the_systems_table_knows_what_a_site_has() -> None:
    table = make_table((), lambda key, text: None)
    assert {type_of(table, f"x.{ending}") for ending in ("css", "html", "svg")} == {
        "text/css",
        "text/html",
        "image/svg+xml",
    }
