"""What is said of a file and how much of it goes out, over real files and a list of sends."""

import os
from email.utils import formatdate
from pathlib import Path
from time import time
from typing import Any

import pytest

from penstock.config.settings import Settings
from penstock.handoff.lease import KEEP, MORE
from penstock.serve.finish.call import FinishedCall
from penstock.serve.finish.finish import Finish
from penstock.serve.static.entry import Changed
from penstock.serve.static.files import make_files
from penstock.serve.static.reply import make_mime, plain_regex
from penstock.serve.wsgi.call import Call
from tests.serve.boxes import ListBox, exchange, manner
from tests.serve.static.asking import LARGE, MODIFIED, MTIME, Got, answered, ask, files_of, find, put

CSS = b"body{}" * 20
ETAG = f'"{MTIME * 10**9:x}-{len(CSS):x}"'
BIG = os.urandom(LARGE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    put(tmp_path, "a.css", CSS)
    put(tmp_path, "big.bin", BIG)
    put(tmp_path, "empty.txt", b"")
    put(tmp_path, "plain", b"plain")
    return tmp_path


# ---- The whole file ----------------------------------------------------------------------------------


@pytest.mark.parametrize("ordinary", [True, False])
def test_a_small_file_is_one_send_with_uwsgis_fields_in_its_order(folder: Path, ordinary: bool) -> None:
    got = ask(files_of(folder), "a.css", ordinary=ordinary)
    assert got.status == "200 OK" and got.body == CSS
    assert got.pairs == [
        ("Content-Type", "text/css"),
        ("Content-Length", str(len(CSS))),
        ("Last-Modified", MODIFIED),
        ("ETag", ETAG),
    ]
    assert [then for _, then in got.box.puts] == [KEEP]
    call = got.call
    assert (call.code, call.body_sent, call.head_size) == (200, len(CSS), len(got.box.sent) - len(CSS))
    assert call.fields is not None and call.fields.count == 4


def test_the_quick_reply_is_byte_for_byte_the_other(folder: Path) -> None:
    files = files_of(folder, static_expires=("css 60",), honour_range=True)
    quick = [ask(files, "a.css", ordinary=True) for _ in range(3)]
    assert quick[0].pairs == ask(files, "a.css").pairs == quick[2].pairs
    assert quick[0].pairs[0][0] == "Expires" and quick[0].headers["Accept-Ranges"] == "bytes"


def test_a_large_file_goes_by_sendfile_behind_its_head(folder: Path) -> None:
    got = ask(files_of(folder), "big.bin", ordinary=True)
    assert got.body == BIG and [then for _, then in got.box.puts] == [MORE, KEEP]
    assert got.headers["Content-Length"] == str(LARGE)
    assert got.call.via == "sendfile()" and got.call.body_sent == LARGE


def test_without_sendfile_it_is_read(folder: Path) -> None:
    got = ask(files_of(folder, disable_sendfile=True), "big.bin")
    assert got.body == BIG and got.call.via == "" and got.box.puts[-1][1] == KEEP


@pytest.mark.parametrize("ordinary", [True, False])
def test_an_empty_file(folder: Path, ordinary: bool) -> None:
    got = ask(files_of(folder), "empty.txt", ordinary=ordinary)
    assert (got.status, got.body, got.headers["Content-Length"]) == ("200 OK", b"", "0")


def test_a_type_that_is_not_known_is_not_said(folder: Path) -> None:
    assert "Content-Type" not in ask(files_of(folder), "plain").headers


@pytest.mark.parametrize("path", ["a.css", "big.bin", "empty.txt"])
def test_head_is_the_head_of_get(folder: Path, path: str) -> None:
    files = files_of(folder, honour_range=True)
    got = ask(files, path, head=True, HTTP_RANGE="bytes=1-2")
    assert got.status == "200 OK" and got.body == b""
    assert got.pairs == ask(files, path).pairs


@pytest.mark.parametrize("given", [{"http11": False, "keep": False}, {"http": False, "keep": False}])
def test_other_protocols(folder: Path, given: dict[str, Any]) -> None:
    files = files_of(folder)
    for path, body in (("a.css", CSS), ("big.bin", BIG)):
        got = ask(files, path, **given)
        assert got.body == body and got.headers["Content-Length"] == str(len(body))
    assert ask(files, "a.css", ordinary=True, http=False).body == CSS


def test_a_new_file_has_a_weak_tag(folder: Path) -> None:
    """RFC 9110 §8.8.1: its next change might not show in its time stamp."""
    files = files_of(folder, honour_range=True)
    got = ask(files, "a.css", settled=False)
    assert got.headers["ETag"] == f"W/{ETAG}"
    again = ask(files, "a.css", HTTP_RANGE="bytes=0-4", HTTP_IF_RANGE=f"W/{ETAG}")
    assert again.status == "200 OK"


# ---- Conditions --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["a.css", "big.bin"])
@pytest.mark.parametrize("head", [True, False])
def test_not_modified_says_what_a_cache_needs(folder: Path, path: str, head: bool) -> None:
    files = files_of(folder, static_expires=(r"\. 60",), static_gzip_all=True)
    put(folder, "a.css.gz", b"gz")
    etag = ask(files, path).headers["ETag"]
    got = ask(files, path, head=head, HTTP_IF_NONE_MATCH=etag, HTTP_RANGE="bytes=0-1")
    assert got.status == "304 Not Modified" and got.body == b""
    assert [name for name, _ in got.pairs] == ["Expires", "ETag", *(["Vary"] if path == "a.css" else [])]
    assert ask(files, path, HTTP_IF_MODIFIED_SINCE=MODIFIED).status == "304 Not Modified"
    assert ask(files, path, HTTP_IF_MODIFIED_SINCE=formatdate(MTIME - 1, usegmt=True)).status == "200 OK"


def test_a_condition_that_fails(folder: Path) -> None:
    got = ask(files_of(folder), "a.css", HTTP_IF_MATCH='"other"')
    assert (got.status, got.body) == ("412 Precondition Failed", b"Precondition Failed")
    assert ask(files_of(folder), "a.css", HTTP_IF_MATCH='"other"', head=True).body == b""


# ---- Ranges ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "whole"), [("a.css", CSS), ("big.bin", BIG)])
@pytest.mark.parametrize("sendfile", [True, False])
def test_one_range(folder: Path, path: str, whole: bytes, sendfile: bool) -> None:
    files = files_of(folder, honour_range=True, disable_sendfile=not sendfile)
    got = ask(files, path, HTTP_RANGE="bytes=5-14")
    assert (got.status, got.body) == ("206 Partial Content", whole[5:15])
    assert got.headers["Content-Range"] == f"bytes 5-14/{len(whole)}"
    names = [name for name, _ in got.pairs]
    assert names[1:4] == ["Content-Length", "Content-Range", "Last-Modified"] and "Accept-Ranges" in names


@pytest.mark.parametrize(("path", "whole"), [("a.css", CSS * 20), ("big.bin", BIG)])
@pytest.mark.parametrize("sendfile", [True, False])
def test_several_ranges(folder: Path, path: str, whole: bytes, sendfile: bool) -> None:
    put(folder, "a.css", CSS * 20)
    files = files_of(folder, honour_range=True, disable_sendfile=not sendfile)
    got = ask(files, path, HTTP_RANGE="bytes=1000-1009,0-4,-1")
    assert got.status == "206 Partial Content" and int(got.headers["Content-Length"]) == len(got.body)
    kind, _, boundary = got.headers["Content-Type"].partition("; boundary=")
    assert kind == "multipart/byteranges" and "Content-Range" not in got.headers
    parts = got.body.split(f"--{boundary}".encode())
    assert parts[0] == b"" and parts[-1] == b"--\r\n"
    found = [part.strip(b"\r\n").partition(b"\r\n\r\n") for part in parts[1:-1]]
    assert [
        part.endswith(data + b"\r\n")
        for part, data in zip(parts[1:-1], (whole[1000:1010], whole[:5], whole[-1:]), strict=True)
    ] == [True] * 3
    size = len(whole)
    assert [head.decode().rpartition("Content-Range: bytes ")[2] for head, _, _ in found] == [
        f"1000-1009/{size}",
        f"0-4/{size}",
        f"{size - 1}-{size - 1}/{size}",
    ]
    assert got.call.body_sent == len(got.body) and got.box.puts[-1][1] == KEEP


@pytest.mark.parametrize("said", ["bytes=999999-", "bytes=x"])
def test_ranges_that_cannot_be_had(folder: Path, said: str) -> None:
    got = ask(files_of(folder, honour_range=True), "a.css", HTTP_RANGE=said)
    assert got.status == "416 Requested Range Not Satisfiable" and got.body == b""
    assert got.headers == {"Content-Range": f"bytes */{len(CSS)}", "Content-Length": "0"}


@pytest.mark.parametrize("option", [True, False])
def test_ranges_need_the_option(folder: Path, option: bool) -> None:
    got = ask(files_of(folder, honour_range=option), "a.css", ordinary=True, HTTP_RANGE="bytes=0-0")
    assert got.status[:3] == ("206" if option else "200")
    assert ("Accept-Ranges" in got.headers) is option


@pytest.mark.parametrize(("said", "status"), [(ETAG, "206"), ('"other"', "200"), (MODIFIED, "206")])
def test_if_range(folder: Path, said: str, status: str) -> None:
    got = ask(files_of(folder, honour_range=True), "a.css", HTTP_RANGE="bytes=0-0", HTTP_IF_RANGE=said)
    assert got.status[:3] == status


# ---- Twins -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "coding"),
    [("gzip, br", "br"), ("gzip", "gzip"), ("br;q=0, zstd, gzip;q=0.5", "zstd"), ("", ""), ("deflate", "")],
)
@pytest.mark.parametrize("ordinary", [True, False])
def test_the_twin_that_the_client_likes(folder: Path, said: str, coding: str, ordinary: bool) -> None:
    for name, suffix in (("br", ".br"), ("gzip", ".gz"), ("zstd", ".zst")):
        put(folder, f"a.css{suffix}", name.encode(), MTIME + 1)
    files = files_of(folder, static_gzip_ext=(".css",))
    got = ask(files, "a.css", ordinary=ordinary, HTTP_ACCEPT_ENCODING=said)
    assert got.body == (coding.encode() or CSS)
    assert got.headers.get("Content-Encoding", "") == coding
    assert got.headers["Vary"] == "Accept-Encoding"
    assert got.headers["Content-Type"] == "text/css"
    assert ask(files, "big.bin", HTTP_ACCEPT_ENCODING=said).headers.get("Vary") is None


def test_each_form_has_its_own_tag(folder: Path) -> None:
    put(folder, "a.css.gz", CSS)
    files = files_of(folder, static_gzip_all=True)
    plain = ask(files, "a.css").headers["ETag"]
    packed = ask(files, "a.css", HTTP_ACCEPT_ENCODING="gzip").headers["ETag"]
    assert plain != packed
    got = ask(files, "a.css", HTTP_ACCEPT_ENCODING="gzip", HTTP_IF_NONE_MATCH=plain)
    assert got.status == "200 OK"


def test_twins_need_their_option(folder: Path) -> None:
    put(folder, "a.css.gz", b"gz")
    got = ask(files_of(folder), "a.css", HTTP_ACCEPT_ENCODING="gzip")
    assert got.body == CSS and "Vary" not in got.headers


def test_a_range_of_a_twin(folder: Path) -> None:
    put(folder, "a.css.gz", b"0123456789")
    files = files_of(folder, static_gzip_all=True, honour_range=True)
    got = ask(files, "a.css", HTTP_ACCEPT_ENCODING="gzip", HTTP_RANGE="bytes=2-3")
    assert got.body == b"23" and got.headers["Content-Range"] == "bytes 2-3/10"
    assert got.headers["Content-Encoding"] == "gzip"


def test_a_twin_that_went_just_now(folder: Path) -> None:
    """The file itself is sent, though a twin was known a moment ago."""
    put(folder, "big.bin.gz", b"x" * LARGE)
    files = files_of(folder, static_gzip_all=True)
    assert ask(files, "big.bin", HTTP_ACCEPT_ENCODING="gzip").body == b"x" * LARGE
    (folder / "big.bin.gz").unlink()
    got = ask(files, "big.bin", HTTP_ACCEPT_ENCODING="gzip")
    assert got.body == BIG and "Content-Encoding" not in got.headers


# ---- How long it may be kept -------------------------------------------------------------------------


def test_expires_from_now_and_from_the_change(folder: Path) -> None:
    files = files_of(folder, static_expires=("css$ 3600",), static_expires_mtime=("bin$ 60",))
    now = int(time())
    said = {formatdate(now + 3600 + late, usegmt=True) for late in range(3)}
    assert ask(files, "a.css", ordinary=True).headers["Expires"] in said
    assert ask(files, "big.bin").headers["Expires"] == formatdate(MTIME + 60, usegmt=True)
    assert "Expires" not in ask(files, "plain").headers


def test_an_expires_of_a_type_stands_behind_it(folder: Path) -> None:
    got = ask(files_of(folder, static_expires_type_mtime=("text/css=60",)), "a.css")
    assert [name for name, _ in got.pairs][:3] == ["Content-Type", "Expires", "Content-Length"]


def test_expires_of_one_request(folder: Path) -> None:
    files = files_of(
        folder, static_expires_uri_mtime=(r"\?v= 60",), static_expires_path_info_mtime=("^/s/a 5",)
    )
    entry = find(files, "plain")
    for path, seconds in (("/s/plain?v=1", 60), ("/s/plain", None), ("/s/a", 5)):
        box = ListBox()
        got = answered(files, Call(exchange(box), manner()), box, entry, path, {})
        expected = None if seconds is None else formatdate(MTIME + seconds, usegmt=True)
        assert got.headers.get("Expires") == expected


def test_names_with_a_hash(folder: Path) -> None:
    put(folder, "app.3f2a9c1b.js", b"js")
    files = files_of(
        folder, static_immutable=("true",), static_expires=(". 60",), static_expires_uri=(". 60",)
    )
    got = ask(files, "app.3f2a9c1b.js", ordinary=True)
    assert got.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Expires" not in got.headers
    assert "Cache-Control" not in ask(files, "a.css").headers


# ---- Who sends it ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "header"), [("nginx", "X-Accel-Redirect"), ("X-Sendfile", "X-Sendfile")])
@pytest.mark.parametrize("path", ["a.css", "big.bin"])
def test_the_front_server_sends(folder: Path, mode: str, header: str, path: str) -> None:
    files = files_of(folder, file_serve_mode=mode, honour_range=True)
    got = ask(files, path, ordinary=True, HTTP_RANGE="bytes=0-1")
    assert got.status == "200 OK" and got.body == b""
    assert got.headers[header] == f"{folder}/{path}" and got.headers["Last-Modified"] == MODIFIED
    assert "ETag" not in got.headers
    assert ask(files, path, HTTP_IF_MODIFIED_SINCE=MODIFIED).status == "304 Not Modified"
    assert ask(files, path, HTTP_IF_MODIFIED_SINCE=MODIFIED, HTTP_IF_NONE_MATCH='"x"').status == "200 OK"


def test_a_name_that_no_header_can_have_is_sent_from_here(folder: Path) -> None:
    put(folder, "a\nb", b"odd")
    got = ask(files_of(folder, file_serve_mode="nginx"), "a\nb")
    assert got.body == b"odd" and "X-Accel-Redirect" not in got.headers


def test_as_an_action_sends_it(folder: Path) -> None:
    files = files_of(folder, honour_range=True, static_immutable=("css",))
    for path, body in (("a.css", CSS), ("big.bin", BIG)):
        box = ListBox()
        x = exchange(box)
        x.request.vars["HTTP_RANGE"] = "bytes=0-1"
        assert files.sender is not None
        files.sender(
            Call(x, manner()), x.request.vars, find(files, path), status="418 Teapot", content_type="a/b"
        )
        head, _, sent = box.sent.partition(b"\r\n\r\n")
        assert sent == body and head.startswith(b"HTTP/1.1 418 Teapot\r\n") and b"Content-Type: a/b" in head
        assert b"ETag" not in head


# ---- Files that change -------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [{}, {"status": "200 OK"}])
def test_nothing_is_begun_for_a_file_that_is_another_one_now(folder: Path, how: dict[str, str]) -> None:
    files = files_of(folder)
    entry = find(files, "big.bin")
    put(folder, "new", b"x" * LARGE).rename(folder / "big.bin")
    box = ListBox()
    x = exchange(box)
    assert files.sender is not None
    with pytest.raises(Changed):
        files.sender(Call(x, manner()), x.request.vars, entry, **how)
    assert box.puts == [] and not box.abandoned


def test_extra_fields_come_with_files(folder: Path) -> None:
    files = files_of(folder)
    box = ListBox()
    x = exchange(box)
    x.request.ordinary = True
    got: Got = answered(files, Call(x, manner(("X-Extra", "1"))), box, find(files, "a.css"), "/s/a.css", {})
    assert got.headers["X-Extra"] == "1" and got.body == CSS


@pytest.mark.parametrize(("path", "whole"), [("a.css", CSS), ("big.bin", BIG)])
@pytest.mark.parametrize("said", ["", "bytes=2-5", "bytes=0-4,100-104"])
def test_replies_that_options_touch_up(folder: Path, path: str, whole: bytes, said: str) -> None:
    """They are what they are without, and a field more."""
    files = files_of(folder, honour_range=True)
    variables: dict[str, Any] = {"HTTP_RANGE": said} if said else {}
    box = ListBox()
    call = FinishedCall(exchange(box), manner(), Finish(secured=(("X-Frame-Options", "DENY"),)))
    got = answered(files, call, box, find(files, path), f"/s/{path}", variables)
    plain = ask(files, path, **variables)
    assert got.headers.pop("X-Frame-Options") == "DENY" and got.status == plain.status
    if "," in said:
        assert len(got.body) == int(got.headers["Content-Length"]) == len(plain.body)
        assert whole[100:105] in got.body
    else:
        assert (got.headers, got.body) == (plain.headers, plain.body)


def test_a_worker_that_leaves_closes(folder: Path) -> None:
    files = files_of(folder)
    box = ListBox()
    box.draining = True
    x = exchange(box)
    x.request.ordinary = True
    got = answered(files, Call(x, manner()), box, find(files, "a.css"), "/s/a.css", {})
    assert got.headers["Connection"] == "close"


# ---- At boot -----------------------------------------------------------------------------------------


def test_the_types_of_a_mimefile(folder: Path) -> None:
    path = put(folder, "types", b"x/y css\n")
    mime = make_mime(Settings(mimefile=(str(path),)), lambda key, text: None)
    assert (mime("a.css"), mime("a.bin")) == ("x/y", "")
    assert ask(files_of(folder, mimefile=(str(path),)), "a.css").headers["Content-Type"] == "x/y"


def test_a_regex_that_is_none() -> None:
    assert plain_regex("a+").search("caat")
    with pytest.raises(ValueError, match="no regular expression"):
        make_files(Settings(static_map=("/s=/",), static_gzip=("(",)), lambda key, text: None)
