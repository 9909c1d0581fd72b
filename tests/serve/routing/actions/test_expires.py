"""The Expires field, from a file's time or a given one."""

import os
from pathlib import Path

import pytest

from tests.serve.routing.ground import Ground


def expires(rule: str, path: str = "/a/b") -> list[str]:
    ground = Ground(f"route = ^/(.*) {rule}")
    lines = ground.serve(path).decode("latin-1").split("\r\n")
    return [line.partition(": ")[2] for line in lines if line.startswith("Expires: ")]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("expires:unix=1000,value=-5", "Thu, 01 Jan 1970 00:16:35 GMT"),
        ("expires:unix=1000", "Thu, 01 Jan 1970 00:16:40 GMT"),
        ("expires:value=60", "Thu, 01 Jan 1970 00:01:00 GMT"),
        ("expires:", "Thu, 01 Jan 1970 00:00:00 GMT"),
        ("expires:unix=5,value=-10", "Thu, 01 Jan 1970 00:00:00 GMT"),
        ("expires:unix=12x,value= 3y", "Thu, 01 Jan 1970 00:00:15 GMT"),
        ("expires:unix=999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"),
    ],
)
def test_from_a_time(rule: str, said: str) -> None:
    assert expires(rule) == [said]


def test_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    os.utime(tmp_path / "a", (1000, 1000))
    assert expires(f"expires:filename={tmp_path}/$1,value=10", "/a") == ["Thu, 01 Jan 1970 00:16:50 GMT"]
    assert expires(f"expires:file={tmp_path}/a") == ["Thu, 01 Jan 1970 00:16:40 GMT"]


@pytest.mark.parametrize("path", ["/none", "/../x", "/a\x00"])
def test_without_the_file_there_is_no_field(tmp_path: Path, path: str) -> None:
    assert expires(f"expires:filename={tmp_path}/$1", path) == []


def test_what_counts_from_1970_is_said() -> None:
    assert "counts from 1970" in Ground("route-run = expires:value=60").warnings[0]
    assert "nothing is done with 'age=3'" in Ground("route-run = expires:unix=1,age=3").warnings[0]
    assert Ground("route-run = expires:unix=1").warnings == []
