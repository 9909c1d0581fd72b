"""What is compressed, for whom, and what the head says of it; what must never be."""

import zlib
from typing import Any

import pytest

from penstock.serve.finish.coders import Gzip, coder_of
from penstock.serve.finish.compression import Compression, types_of
from penstock.serve.finish.finish import Finish
from tests.serve.finish.transforming import Received, made, received

TYPES = types_of(["text/*", "application/*+json", "application/json"])
HTML = ("Content-Type", "text/html; charset=utf-8")


def policy(*ways: str, marked: bool = False, least: int = 100) -> Finish:
    coders = {way: coder_of(way) for way in (ways or ("gzip",))}
    return Finish(compression=Compression(coders, frozenset(ways), marked, least, TYPES))


GZIP = policy("gzip")


def got(
    finish: Finish,
    *headers: tuple[str, str],
    accept: str = "gzip",
    body: bytes = b"x" * 200,
    status: str = "200 OK",
    blocks: int = 1,
    environ: dict[str, Any] | None = None,
    **request: Any,
) -> Received:
    call, box = made(finish, **request)
    call.environ.update(environ or {})
    if accept:
        call.environ["HTTP_ACCEPT_ENCODING"] = accept

    def application(environ: Any, start_response: Any) -> Any:
        start_response(status, list(headers))
        return [body] if blocks == 1 else iter([body] * blocks)

    call.run(application, call.environ)
    return received(box, head=request.get("head", False))


def test_a_reply_of_the_right_type_and_size_is_compressed() -> None:
    found = got(GZIP, HTML, ("Content-Length", "200"), ("ETag", '"tag"'), ("Accept-Ranges", "bytes"))
    assert zlib.decompress(found.body, 31) == b"x" * 200
    assert found.headers["content-encoding"] == "gzip" and found.headers["vary"] == "Accept-Encoding"
    assert found.headers["content-length"] == str(len(found.body))
    assert found.headers["etag"] == 'W/"tag"', "RFC 9110 §8.8.3: the bytes are others"
    assert "accept-ranges" not in found.headers, "a range of it would be one of other bytes"
    assert got(GZIP, HTML).body == got(GZIP, HTML).body, "nothing of the time is in it"


@pytest.mark.parametrize(
    ("headers", "more"),
    [
        ([HTML, ("Content-Encoding", "br")], {}),
        ([HTML, ("Cache-Control", "public, No-Transform")], {}),
        ([HTML, ("Cache-Control", "public"), ("cache-control", "no-transform")], {}),
        ([HTML], {"environ": {"HTTP_CACHE_CONTROL": "no-transform"}}),
        ([HTML, ("Content-Range", "bytes 0-199/1000")], {"status": "206 Partial Content"}),
        ([HTML, ("Content-Digest", "sha-256=:x:")], {}),
        ([HTML, ("Content-MD5", "x")], {}),
        ([("Content-Type", "image/png")], {}),
        ([("Content-Type", "text")], {}),
        ([], {}),
        ([HTML], {"body": b"x" * 99}),
        ([HTML, ("Content-Length", "99")], {"body": b"x" * 33, "blocks": 3}),
    ],
)
def test_what_is_never_compressed(headers: list[tuple[str, str]], more: dict[str, Any]) -> None:
    call, _ = made()
    size = len(more.get("body", b"x" * 200)) * more.get("blocks", 1)
    again = dict.fromkeys(name.lower() for name, _ in headers)
    if len(again) < len(headers):
        headers = [headers[0], ("Cache-Control", "no-transform")]
    found = got(GZIP, *headers, **more)
    assert len(found.body) == size and "vary" not in found.headers
    assert found.headers.get("content-encoding") == dict(headers).get("Content-Encoding")
    assert call.code == 0


def test_no_transform_is_seen_in_whichever_line_it_stands() -> None:
    call, box = made(GZIP)
    call.environ["HTTP_ACCEPT_ENCODING"] = "gzip"
    call.begin("200 OK", [HTML, ("Cache-Control", "public"), ("Cache-Control", "no-transform")])
    call.whole(b"x" * 200)
    assert box.sent.endswith(b"\r\n\r\n" + b"x" * 200)


@pytest.mark.parametrize(
    "kind", ["TEXT/HTML", "application/problem+json ; charset=x", "application/json", "text/css"]
)
def test_types_are_patterns(kind: str) -> None:
    assert "content-encoding" in got(GZIP, ("Content-Type", kind)).headers


def test_a_star_is_any_type_and_dots_are_dots() -> None:
    assert types_of(["*"]).fullmatch("") and types_of(["*"]).fullmatch("image/png")
    assert not types_of(["application/vnd.x"]).fullmatch("application/vndyx")
    assert not types_of([]).fullmatch("") and not TYPES.fullmatch("text/html\n")


@pytest.mark.parametrize("accept", ["", "identity", "br", "gzip;q=0", "gzip;q=0.000, *;q=0", "deflate"])
def test_who_does_not_take_it_gets_it_plain_and_caches_are_told(accept: str) -> None:
    found = got(GZIP, HTML, accept=accept)
    assert found.body == b"x" * 200 and found.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize("accept", ["gzip", "GZIP", "x-gzip", "br, gzip;q=0.5", "*", "identity;q=0.5, gzip"])
def test_who_takes_it_gets_it(accept: str) -> None:
    assert got(GZIP, HTML, accept=accept).headers["content-encoding"] == "gzip"


@pytest.mark.parametrize(
    ("vary", "wanted"),
    [
        ("Cookie", "Cookie, Accept-Encoding"),
        ("accept-encoding", "accept-encoding"),
        ("*", "*"),
        ("", "Accept-Encoding"),
    ],
)
def test_vary_is_completed(vary: str, wanted: str) -> None:
    assert got(GZIP, HTML, ("Vary", vary)).headers["vary"] == wanted


def test_an_identity_is_no_coding() -> None:
    assert got(GZIP, HTML, ("Content-Encoding", "identity")).headers["content-encoding"] == "gzip"


def test_a_stream_is_compressed_whatever_its_length() -> None:
    found = got(GZIP, HTML, body=b"x", blocks=3)
    assert found.headers["transfer-encoding"] == "chunked" and zlib.decompress(found.body, 31) == b"xxx"


def test_the_head_of_a_get_is_that_of_head() -> None:
    for more in ([("Content-Length", "200")], []):
        found = got(GZIP, HTML, *more, ("ETag", '"t"'), head=True, body=b"")
        assert found.headers["content-encoding"] == "gzip" and "content-length" not in found.headers
        assert (found.headers["vary"], found.headers["etag"]) == ("Accept-Encoding", 'W/"t"')
    small = got(GZIP, HTML, ("Content-Length", "99"), head=True, body=b"")
    assert "content-encoding" not in small.headers and small.headers["content-length"] == "99"


@pytest.mark.parametrize(
    ("asked", "tag"), [('W/"t"', 'W/"t"'), ('"a", W/"t"', 'W/"t"'), ('"t"', '"t"'), ("*", '"t"'), ("", '"t"')]
)
def test_a_304_has_the_tag_that_was_asked_about(asked: str, tag: str) -> None:
    """RFC 9111 §4.3.4: a cache finds the reply that it has by it."""
    environ = {"HTTP_IF_NONE_MATCH": asked}
    found = got(GZIP, ("ETag", '"t"'), status="304 Not Modified", body=b"", environ=environ)
    assert (found.headers["etag"], found.headers["vary"]) == (tag, "Accept-Encoding")
    assert got(GZIP, status="204 No Content", body=b"").headers.keys() == {"date"}


def test_a_reply_may_ask_for_gzip_itself_as_with_uwsgi_s_router() -> None:
    mark = ("uWSGI-Encoding", "gzip")
    marked = policy(marked=True)
    found = got(marked, mark, body=b"abc")
    assert zlib.decompress(found.body, 31) == b"abc" and "uwsgi-encoding" not in found.headers
    assert found.headers["vary"] == "Accept-Encoding"
    for plain in (
        got(marked, ("Content-Length", "3"), mark, body=b"abc"),
        got(marked, mark, ("Cache-Control", "no-transform"), body=b"abc"),
        got(marked, mark, body=b"abc", accept="br"),
        got(marked, HTML),
        got(marked, ("uWSGI-Encoding", "br"), body=b"abc"),
    ):
        assert "content-encoding" not in plain.headers and "uwsgi-encoding" not in plain.headers
    assert got(GZIP, mark, body=b"abc").headers["uwsgi-encoding"] == "gzip", "nobody asked for that"


def test_the_way_that_the_client_likes_best() -> None:
    zstandard = pytest.importorskip("zstandard")
    brotli = pytest.importorskip("brotli")
    three = policy("gzip", "br", "zstd")
    decoders: dict[str, Any] = {
        "br": brotli.decompress,
        "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
        "gzip": lambda data: zlib.decompress(data, 31),
    }
    for accept, way in (
        ("gzip, deflate, br, zstd", "br"), ("gzip, zstd", "zstd"), ("zstd;q=0.9, gzip", "gzip"), ("*", "br")
    ):  # fmt: skip
        for blocks in (1, 3):
            found = got(three, HTML, accept=accept, blocks=blocks, body=b"y" * 300)
            assert found.headers["content-encoding"] == way
            assert decoders[way](found.body) == b"y" * 300 * blocks
    assert got(policy("gzip", "br"), HTML, accept="zstd, gzip;q=0.1").headers["content-encoding"] == "gzip"


@pytest.mark.parametrize("way", ["gzip", "br", "zstd"])
def test_what_was_flushed_can_be_read(way: str) -> None:
    if way != "gzip":
        pytest.importorskip({"br": "brotli", "zstd": "zstandard"}[way])
    coder = coder_of(way)()
    sent = coder.feed(b"first ") + coder.flush()
    assert decoded(way, sent) == b"first "
    sent += coder.feed(b"second") + coder.flush() + coder.finish()
    assert decoded(way, sent) == b"first second"


def decoded(way: str, data: bytes) -> bytes:
    """As much as can be read of what came so far."""
    if way == "gzip":
        return zlib.decompressobj(31).decompress(data)
    if way == "br":
        made: bytes = pytest.importorskip("brotli").Decompressor().process(data)
        return made
    read: bytes = pytest.importorskip("zstandard").ZstdDecompressor().decompressobj().decompress(data)
    return read


def test_each_reply_has_a_coder_of_its_own() -> None:
    assert coder_of("gzip") is Gzip and coder_of("gzip")() is not coder_of("gzip")()
    with pytest.raises(ValueError, match="gzip, br or zstd is expected"):
        coder_of("deflate")
