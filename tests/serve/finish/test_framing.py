"""Whatever a reply passes, its client knows where it ends: by hypothesis, against a client by the letter."""

import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.core.errors import Disconnected
from penstock.serve.finish.call import BLOCK
from penstock.serve.finish.coders import Gzip
from penstock.serve.finish.compression import Compression, types_of
from penstock.serve.finish.finish import Finish
from penstock.serve.wsgi.filewrapper import FileWrapper
from tests.serve.boxes import WARNINGS
from tests.serve.finish.transforming import MAKERS, Each, made, received

BLOCKS = st.lists(st.binary(max_size=40), max_size=5)
REQUESTS = st.fixed_dictionaries(
    {"http11": st.booleans(), "head": st.booleans(), "keep": st.booleans(), "http": st.booleans()}
)
WAYS = ("list", "tuple", "iterable", "write", "both", "file")
STATUSES = ("200 OK", "204 No Content", "206 Partial Content", "304 Not Modified", "500 X")
COMPRESSED = Finish(compression=Compression({"gzip": Gzip}, frozenset(("gzip",)), False, 0, types_of(["*"])))


def application(
    way: str, status: str, headers: list[tuple[str, str]], blocks: list[bytes], path: Path
) -> Any:
    """An application that gives its body in one of the ways that there are."""

    def call(environ: Any, start_response: Any) -> Any:
        write = start_response(status, headers)
        if way == "file":
            path.write_bytes(b"".join(blocks))
            return FileWrapper(path.open("rb"))
        if way in ("write", "both"):
            cut = len(blocks) if way == "write" else len(blocks) // 2
            for block in blocks[:cut]:
                write(block)
            return blocks[cut:]
        if way == "tuple":
            return tuple(blocks)
        return blocks if way == "list" else iter(blocks)

    return call


def lengths(data: st.DataObject, size: int) -> int:
    """A declared Content-Length: none, the right one, one that is too short or too long."""
    return data.draw(st.sampled_from([-1, size, max(0, size - 3), size + 3]))


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_a_transformed_reply_is_framed_rightly(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """All ways out, all ways in which bodies end, all transformations one behind the other."""
    request = data.draw(REQUESTS)
    blocks = data.draw(BLOCKS)
    body = b"".join(blocks)
    length = lengths(data, len(body))
    names = data.draw(st.lists(st.sampled_from(sorted(MAKERS)), max_size=3))
    status = data.draw(st.sampled_from(STATUSES))
    headers = [("X", "y"), *([("Content-Length", str(length))] if length >= 0 else [])]
    transformations = [MAKERS[name][0]() for name in names]
    call, box = made(None, *transformations, **request)
    path = tmp_path_factory.getbasetemp() / "body"
    way = data.draw(st.sampled_from(WAYS))
    try:
        call.run(application(way, status, headers, blocks, path), {})
    except Disconnected:
        raise AssertionError("nobody left") from None
    found = received(box, head=request["head"], http=request["http"])
    assert found.headers["x"] == "y" and call.finished
    if request["head"] or call.code in (204, 304):
        return
    wanted = body if length < 0 else body[:length]
    full = len(body) >= length
    for name in names:
        wanted = MAKERS[name][1](wanted)
    known = "content-length" in found.headers or "transfer-encoding" in found.headers
    assert found.complete == full or not known, "a body that is too short must not look complete"
    assert box.abandoned == ([] if full else [call.framing == "close"])
    if full:
        assert found.body == wanted
        assert any("longer than its Content-Length" in text for text in WARNINGS) == (0 <= length < len(body))
    else:
        assert any("before its Content-Length" in text for text in WARNINGS)
        started = [each for each in transformations if each.said == ["start", "failed"]]
        assert len(started) == sum(name != "refusing" for name in names)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_compressed_reply_is_framed_rightly(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    request = data.draw(REQUESTS)
    blocks = data.draw(BLOCKS)
    body = b"".join(blocks)
    length = lengths(data, len(body))
    headers = [("Content-Type", "text/html")]
    headers += [("Content-Length", str(length))] if length >= 0 else []
    call, box = made(COMPRESSED, **request)
    call.environ["HTTP_ACCEPT_ENCODING"] = data.draw(
        st.sampled_from(["gzip", "br, gzip;q=0.1", "", "gzip;q=0"])
    )
    path = tmp_path_factory.getbasetemp() / "body"
    call.run(application(data.draw(st.sampled_from(WAYS)), "200 OK", headers, blocks, path), {})
    found = received(box, head=request["head"], http=request["http"])
    assert found.headers["vary"] == "Accept-Encoding"
    encoded = "content-encoding" in found.headers
    assert encoded == (call.environ["HTTP_ACCEPT_ENCODING"] in ("gzip", "br, gzip;q=0.1"))
    if request["head"]:
        assert not encoded or "content-length" not in found.headers
    elif len(body) >= length:
        wanted = body if length < 0 else body[:length]
        assert (zlib.decompress(found.body, 31) if encoded else found.body) == wanted


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", sorted(MAKERS))
@pytest.mark.parametrize("over", [-3, 0, 3])
def test_every_way_out_meets_its_declared_length(tmp_path: Path, way: str, name: str, over: int) -> None:
    """``over``: how many bytes come beyond it."""
    for blocks in ([b"12345"], [b"12", b"345"], [b"1", b"", b"234", b"5"]):
        call, box = made(None, MAKERS[name][0]())
        length = ("Content-Length", str(5 - over))
        call.run(application(way, "200 OK", [length], blocks, tmp_path / "f"), {})
        found = received(box)
        assert found.complete == (over >= 0) and call.finished
        if over >= 0:
            assert found.body == MAKERS[name][1](b"12345"[: 5 - over])
        said = {-3: f"{-over} bytes before", 3: f"{over} bytes longer"}
        assert [text for text in WARNINGS if said.get(over, "no such") in text] == WARNINGS
        assert len(WARNINGS) == bool(over)


@pytest.mark.parametrize("way", WAYS)
def test_the_body_of_a_head_is_not_transformed(tmp_path: Path, way: str) -> None:
    each = Each(lambda data: data * 1000, b"tail")
    call, box = made(None, each, head=True)
    call.run(application(way, "200 OK", [("Content-Length", "4")], [b"ab", b"cd"], tmp_path / "f"), {})
    found = received(box, head=True)
    assert each.said == ["start"] and "content-length" not in found.headers


def test_blocks_are_not_kept_back_by_compression() -> None:
    """PEP 3333: what was given can be read before the next block is asked for."""
    call, box = made(COMPRESSED)
    call.environ["HTTP_ACCEPT_ENCODING"] = "gzip"
    seen: list[bytes] = []

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        for block in (b"first", b"second"):
            yield block
            sizes = box.sent.partition(b"\r\n\r\n")[2].split(b"\r\n")[1::2]
            seen.append(zlib.decompressobj(31).decompress(b"".join(sizes)))

    call.run(app, {})
    assert seen == [b"first", b"firstsecond"]


def test_a_whole_reply_is_one_send_with_its_new_length() -> None:
    call, box = made(COMPRESSED)
    call.environ["HTTP_ACCEPT_ENCODING"] = "gzip"
    call.begin("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5000")])
    assert call.whole(b"x" * 5000)
    found = received(box)
    assert len(box.puts) == 1 and found.headers["content-length"] == str(len(found.body))
    assert len(found.body) < 100 and zlib.decompress(found.body, 31) == b"x" * 5000
    assert call.body_sent == len(found.body)


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 7])
@pytest.mark.parametrize("declared", [True, False])
def test_a_file_is_read_in_blocks(tmp_path: Path, size: int, declared: bool) -> None:
    content = os.urandom(size)
    (tmp_path / "f").write_bytes(b"skip" + content)
    call, box = made(None, MAKERS["tail"][0]())
    call.begin("200 OK", [("Content-Length", str(size))] if declared else [])
    with (tmp_path / "f").open("rb") as file:
        call.file(file.fileno(), 4, size)
    assert received(box).body == content + b"tail" and call.finished and call.via == ""


def test_a_file_that_became_shorter_is_said() -> None:
    call, box = made(None, MAKERS["same"][0]())
    with open(__file__, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        call.begin("200 OK", [])
        with pytest.raises(OSError, match="became shorter"):
            call.file(file.fileno(), size - 3, 7)
    call.fail()
    found = received(box)
    assert not found.complete and len(found.body) == 3


def test_nothing_transformed_is_sent_by_sendfile() -> None:
    call, box = made(None, MAKERS["refusing"][0]())
    with open(__file__, "rb") as file:
        call.begin("200 OK", [])
        call.file(file.fileno(), 0, 7)
    assert call.via == "sendfile()" and received(box).body == b'"""What'


def test_a_client_that_left_ends_the_transformation() -> None:
    each = MAKERS["same"][0]()
    call, box = made(None, each)
    call.begin("200 OK", [])
    call.block(b"x")
    box.gone = True
    with pytest.raises(Disconnected):
        call.block(b"y")
    call.fail()
    assert each.said == ["start", "failed"] and box.abandoned == [False]


def test_what_comes_behind_the_end_is_counted_and_dropped() -> None:
    """The declared body is complete, chunked as it goes out: nothing may follow the last chunk."""
    call, box = made(None, MAKERS["same"][0]())
    call.begin("200 OK", [("Content-Length", "4")])
    call.block(b"ab")
    call.block(b"cd")
    assert call.finished, "before the application is asked for more"
    call.block(b"surplus")
    assert call.end() and call.overrun == 7
    assert received(box).body == b"abcd"
