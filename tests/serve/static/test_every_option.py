"""Options of which each does one thing to a file's reply, given alone."""

from email.utils import formatdate, parsedate_to_datetime
from pathlib import Path
from time import time

import pytest

from tests.serve.static.asking import MTIME, ask, files_of, put

EXPIRES = {
    "static-expires": (r"/a\.css$ 60", r"/b\.css$ 60"),
    "static-expires-mtime": (r"/a\.css$ 60", r"/b\.css$ 60"),
    "static-expires-uri": (r"\?v=1$ 60", r"\?v=2$ 60"),
    "static-expires-uri-mtime": (r"\?v=1$ 60", r"\?v=2$ 60"),
    "static-expires-path-info": ("^/s/a 60", "^/s/b 60"),
    "static-expires-path-info-mtime": ("^/s/a 60", "^/s/b 60"),
    "static-expires-type": ("text/css=60", "text/html=60"),
    "static-expires-type-mtime": ("text/css=60", "text/html=60"),
}
"""A value that is about the file, and one that is not."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    put(tmp_path, "a.css", b"body{}")
    put(tmp_path, "a.css.gz", b"packed")
    put(tmp_path, "deep/a.css", b"body{}")
    put(tmp_path, "deep/a.css.gz", b"packed")
    return tmp_path


@pytest.mark.parametrize(("option", "about", "beside"), [(name, *both) for name, both in EXPIRES.items()])
def test_how_long_a_file_is_kept(folder: Path, option: str, about: str, beside: str) -> None:
    field = option.replace("-", "_")
    files = files_of(folder, **{field: (about,)})
    before = int(time())
    said = ask(files, "a.css", REQUEST_URI="/s/a.css?v=1").headers["Expires"]
    if option.endswith("-mtime"):
        assert said == formatdate(MTIME + 60, usegmt=True)
    else:
        assert before + 60 <= parsedate_to_datetime(said).timestamp() <= time() + 60
    others = files_of(folder, **{field: (beside,)})
    assert "Expires" not in ask(others, "a.css", REQUEST_URI="/s/a.css?v=1").headers


@pytest.mark.parametrize(
    ("option", "value"), [("static-gzip", r"/deep/.*\.css$"), ("static-gzip-dir", "{folder}/deep/")]
)
def test_which_files_have_their_twin_served(folder: Path, option: str, value: str) -> None:
    files = files_of(folder, **{option.replace("-", "_"): (value.format(folder=folder),)})
    got = {path: ask(files, path, HTTP_ACCEPT_ENCODING="gzip") for path in ("a.css", "deep/a.css")}
    assert (got["deep/a.css"].body, got["a.css"].body) == (b"packed", b"body{}")
    assert got["deep/a.css"].headers["Content-Encoding"] == "gzip"
    assert "Vary" not in got["a.css"].headers
