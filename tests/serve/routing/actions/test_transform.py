"""What bodies pass on their way: the bytes that come out, and the head before them."""

import gzip
import os
from pathlib import Path
from typing import Any

import pytest

from penstock.serve.routing.actions.transform import MOST
from penstock.serve.routing.flow import CONTINUE
from tests.serve.routing.ground import Ground

BODY = b"cost $5.00 ${REQUEST_METHOD} ${nope} $1 ${cookie[a]} end$"


def application(*blocks: bytes, status: str = "200 OK", headers: list[tuple[str, str]] | None = None) -> Any:
    def run(environ: dict[str, Any], start_response: Any) -> Any:
        start_response(status, headers or [])
        yield from blocks

    return run


def reply(rule: str, run: Any, path: str = "/t1", **environ: str) -> tuple[Ground, bytes, bytes]:
    """The rules' ground, and head and body of what was sent."""
    ground = Ground(rule).walk(path, **environ)
    assert ground.flow == CONTINUE
    ground.call.run(run, ground.environ)
    head, _, body = ground.sent.partition(b"\r\n\r\n")
    return ground, head, body


def unchunked(body: bytes) -> bytes:
    """The body inside chunks."""
    data = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        data, body = data + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return data


def test_chunked_takes_the_length_out() -> None:
    run = application(b"one", b"two", headers=[("Content-Length", "6")])
    _, head, body = reply("route-run = chunked:", run)
    assert b"Transfer-Encoding: chunked" in head and b"Content-Length" not in head
    assert body == b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"


@pytest.mark.parametrize("headers", [[], [("Content-Length", str(len(BODY) * 2)), ("ETag", '"x"')]])
def test_gzip(headers: list[tuple[str, str]]) -> None:
    ground, head, body = reply("route-run = gzip:", application(BODY, BODY, headers=headers))
    assert b"Content-Encoding: gzip" in head and b"Vary: Accept-Encoding" in head
    assert b"Content-Length" not in head and b'ETag: "x"' not in head
    assert gzip.decompress(unchunked(body)) == BODY * 2
    # Each block is readable as soon as it is there.
    assert len(ground.box.puts) >= 2


@pytest.mark.parametrize(
    "headers",
    [
        [("Content-Encoding", "br")],
        [("Cache-Control", "no-transform")],
        [("Content-Length", "0")],
    ],
)
def test_what_is_not_compressed(headers: list[tuple[str, str]]) -> None:
    blocks = () if headers[0][0] == "Content-Length" else (BODY,)
    _, head, body = reply("route-run = gzip:", application(*blocks, headers=headers))
    assert b"gzip" not in head
    assert not blocks or BODY in body


def test_template() -> None:
    ground, head, body = reply("route = ^/t(.*) template:", application(BODY[:10], BODY[10:]))
    assert body == b"cost .00 GET  1  end"
    assert b"Content-Length: 20" in head
    assert ground.warnings == []


@pytest.mark.parametrize("headers", [[("Content-Encoding", "gzip")], [("Content-Range", "bytes 0-1/9")]])
def test_what_is_no_text_is_no_template(headers: list[tuple[str, str]]) -> None:
    status = "206 Partial Content" if headers[0][0] == "Content-Range" else "200 OK"
    _, _, body = reply("route-run = template:", application(BODY, status=status, headers=headers))
    assert BODY in body


def test_a_template_that_cannot_be_is_sent_as_it_is() -> None:
    ground, _, body = reply("route-run = template:", application(b"${metric[x]}"))
    assert body == b"${metric[x]}"
    assert "is not offered" in ground.warnings[0]


def test_a_template_that_is_too_long_is_sent_as_it_is() -> None:
    block = b"${REQUEST_METHOD}" + bytes(1 << 20)
    count = (MOST >> 20) + 2
    ground, _, body = reply("route-run = template:", application(*[block] * count))
    assert body.count(b"${REQUEST_METHOD}") == count
    assert "more than 16 MB" in ground.warnings[0]


def test_a_template_keeps_the_captures_of_its_own_rule() -> None:
    rules = "route = ^/(t)(.) template:\nroute = ^/(..) log:x"
    assert reply(rules, application(b"$1-$2"))[2] == b"t-1"


@pytest.mark.parametrize("blocks", [(BODY,), (BODY[:10], BODY[10:])])
def test_tofile(tmp_path: Path, blocks: tuple[bytes, ...]) -> None:
    rule = f"route = ^/t(.*) tofile:filename={tmp_path}/out$1"
    _, _, body = reply(rule, application(*blocks))
    assert BODY in (body, unchunked(body))
    assert (tmp_path / "out1").read_bytes() == BODY
    assert os.stat(tmp_path / "out1").st_mode & 0o777 == 0o644
    assert len(list(tmp_path.iterdir())) == 1


def test_tofile_replaces_and_has_a_mode(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("before")
    reply(
        f"route-run = to-file:name={tmp_path}/out,mode=600",
        application(b"x", headers=[("Content-Length", "1")]),
    )
    assert (tmp_path / "out").read_bytes() == b"x"
    assert os.stat(tmp_path / "out").st_mode & 0o777 == 0o600


def test_tofile_keeps_the_length(tmp_path: Path) -> None:
    run = application(b"one", b"two", headers=[("Content-Length", "6")])
    _, head, body = reply(f"route-run = tofile:filename={tmp_path}/out", run)
    assert b"Content-Length: 6" in head and body == b"onetwo"
    assert (tmp_path / "out").read_bytes() == b"onetwo"


@pytest.mark.parametrize(
    ("path", "status", "blocks"),
    [
        ("/t1", "404 Not Found", (BODY,)),
        ("/t1", "200 OK", ()),
        ("/t/../x", "200 OK", (BODY,)),
        ("/t\x00", "200 OK", (BODY,)),
        ("/t/none/x", "200 OK", (BODY,)),
    ],
)
def test_what_is_not_stored(tmp_path: Path, path: str, status: str, blocks: tuple[bytes, ...]) -> None:
    rule = f"route = ^/t(.*) tofile:filename={tmp_path}/out/$1"
    (tmp_path / "out").mkdir()
    _, head, body = reply(rule, application(*blocks, status=status), path)
    assert head.startswith(b"HTTP/1.1 " + status.encode())
    assert b"".join(blocks) in body
    assert list(tmp_path.rglob("*")) == [tmp_path / "out"]


def test_half_a_body_is_not_stored(tmp_path: Path) -> None:
    def run(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [])
        yield b"half"
        raise RuntimeError("on the way")

    ground = Ground(f"route-run = tofile:filename={tmp_path}/out").walk("/t")
    with pytest.raises(RuntimeError, match="on the way"):
        ground.call.run(run, ground.environ)
    ground.call.fail()
    assert list(tmp_path.iterdir()) == []


def test_a_head_stores_nothing(tmp_path: Path) -> None:
    ground = Ground(f"route-run = tofile:filename={tmp_path}/out").walk("/t", REQUEST_METHOD="HEAD")
    ground.call.run(application(BODY), ground.environ)
    assert list(tmp_path.iterdir()) == []


def test_one_behind_the_other(tmp_path: Path) -> None:
    rules = f"route-run = template:\nroute-run = tofile:filename={tmp_path}/out\nroute-run = gzip:"
    _, _, body = reply(rules, application(b"${REQUEST_METHOD}!"))
    assert gzip.decompress(body if body[:2] == b"\x1f\x8b" else unchunked(body)) == b"GET!"
    assert (tmp_path / "out").read_bytes() == b"GET!"


@pytest.mark.parametrize("rule", ["tofile:", "tofile:mode=644", "tofile:filename=/x,mode=9"])
def test_what_cannot_be(rule: str) -> None:
    with pytest.raises(ValueError, match="takes filename="):
        Ground(f"route-run = {rule}")
