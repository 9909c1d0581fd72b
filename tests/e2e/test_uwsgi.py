"""uwsgi listeners, spoken to directly: what nginx would send, and what nobody should."""

import json
import socket
import time
from pathlib import Path

import pytest

from penstock.codecs.uwsgi import ResponseDecoder, encode_request
from tests.cases import covering
from tests.e2e.server import LOOPS, Client, Server, serving


def variables(path: str = "/hello", **more: str) -> dict[str, str]:
    path, _, query = path.partition("?")
    return {
        "QUERY_STRING": query,
        "REQUEST_METHOD": "GET",
        "CONTENT_TYPE": "",
        "CONTENT_LENGTH": "",
        "REQUEST_URI": path,
        "PATH_INFO": path,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "203.0.113.7",
        "HTTP_HOST": "example.org",
        **more,
    }


def ask(server: Server, path: str = "/hello", body: bytes = b"", **more: str) -> ResponseDecoder:
    if body:
        more.setdefault("CONTENT_LENGTH", str(len(body)))
    with server.client() as client:
        client.send(encode_request(variables(path, **more)) + body)
        decoder = ResponseDecoder()
        decoder.receive(client.to_end())
        decoder.eof()
        return decoder


@pytest.fixture(
    scope="module",
    params=[pytest.param(one.values, marks=one.marks) for one in covering(LOOPS, ("tcp", "unix"))],
    ids="-".join,
)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> object:
    loop, kind = request.param
    tmp = tmp_path_factory.mktemp("uwsgi")
    address = "127.0.0.1:0" if kind == "tcp" else str(tmp / "s")
    options = (
        "--uwsgi-socket",
        address,
        "--loop",
        loop,
        "--threads",
        "4",
        "--early-hints",
        "--head-timeout",
        "1",
    )
    with serving(tmp, *options) as running:
        yield running


def test_a_reply_is_http_without_framing_of_its_own(server: Server) -> None:
    reply = ask(server)
    assert (reply.status, bytes(reply.body)) == (200, b"Hello, World!")
    names = [name.lower() for name, _ in reply.headers]
    assert names == ["content-type", "content-length"], "no Date, no Connection: those are nginx's"
    stream = ask(server, "/stream?n=4")
    assert bytes(stream.body) == b"0;1;2;3;"
    assert [name for name, _ in stream.headers] == ["Content-Type"]


@pytest.mark.parametrize("size", [1, 70_000, 2_000_000])
def test_bodies(server: Server, size: int) -> None:
    assert ask(server, "/digest", b"x" * size, REQUEST_METHOD="POST").body.startswith(b"%d " % size)


def test_a_chunk_framed_body(server: Server) -> None:
    body = b"5\r\nhello\r\n0\r\n\r\n"
    reply = ask(
        server, "/digest", body, REQUEST_METHOD="POST", CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked"
    )
    assert reply.body.startswith(b"5 ")


def test_the_environ_is_the_packet(server: Server) -> None:
    found = json.loads(ask(server, "/show", HTTPS="on").body)
    assert found["REMOTE_ADDR"] == ["str", "203.0.113.7"]
    assert found["wsgi.url_scheme"] == ["str", "https"]
    assert found["CONTENT_LENGTH"] == ["str", ""]
    assert found["SCRIPT_NAME"] == ["str", ""]


def test_no_interim_reply_ever(server: Server) -> None:
    assert ask(server, "/hints").body == b"False"
    reply = ask(server, "/digest", b"x" * 100_000, REQUEST_METHOD="POST", HTTP_EXPECT="100-continue")
    assert reply.status == 200


def test_an_abort_in_mid_reply_is_a_reset_on_tcp(server: Server) -> None:
    with server.client() as client:
        client.send(encode_request(variables("/fail-middle")))
        if client.sock.family == socket.AF_UNIX:
            assert client.to_end().endswith(b"half")
            return
        with pytest.raises(ConnectionResetError):
            while client.sock.recv(1000):
                pass


def test_a_failure_before_the_head_is_a_500(server: Server) -> None:
    assert ask(server, "/fail").status == 500


@pytest.mark.parametrize("part", [b"", b"\0", b"\0\x50", b"\0\x50\0\0abc"])
def test_an_incomplete_packet_is_not_waited_for(server: Server, part: bytes) -> None:
    with server.client(timeout=4) as client:
        client.send(part)
        begun = time.monotonic()
        assert client.ended()
        assert time.monotonic() - begun < 3


def test_nonsense_is_refused_with_its_reason(server: Server) -> None:
    for data in (b"GET / HTTP/1.1\r\n\r\n", b"\x6f\x01\x00\x00x", encode_request({"REQUEST_METHOD": ""})):
        with server.client() as client:
            client.send(data)
            assert client.ended()
    server.wait_for("this looks like HTTP")
    server.wait_for("modifier 111 is not served")


def test_a_public_uwsgi_listener_is_warned_of(tmp_path: Path) -> None:
    with serving(tmp_path, "--uwsgi-socket", "0.0.0.0:0") as server:
        assert "can be reached from other hosts" in server.text()
        with Client(("127.0.0.1", server.port)) as client:
            client.send(encode_request(variables()))
            assert b"Hello" in client.to_end()


def test_a_hundred_thousand_bytes_reach_a_client_that_reads_late(server: Server) -> None:
    with server.client() as client:
        client.send(encode_request(variables("/big?size=6000000")))
        time.sleep(0.2)
        assert client.to_end().endswith(b"x" * 6_000_000)


@pytest.mark.parametrize("address", ["203.0.113.7", "unix:", "127.0.0.1", None])
def test_what_the_front_servers_client_says_of_itself_is_believed_of_trusted_proxies_only(
    server: Server, address: str | None
) -> None:
    headers = {"HTTP_X_FORWARDED_PROTO": "https", "HTTP_X_FORWARDED_FOR": "198.51.100.1"}
    asked = variables("/show", **headers)
    del asked["REMOTE_ADDR"]
    if address is not None:
        asked["REMOTE_ADDR"] = address
    with server.client() as client:
        client.send(encode_request(asked))
        decoder = ResponseDecoder()
        decoder.receive(client.to_end())
        decoder.eof()
    seen = json.loads(bytes(decoder.body))
    trusted = address in ("unix:", "127.0.0.1")
    assert seen["wsgi.url_scheme"][1] == ("https" if trusted else "http")
    assert ("penstock.client" in seen) is trusted
    assert seen["HTTP_X_FORWARDED_PROTO"][1] == "https", "it stays a header like any other"
    assert "REMOTE_PORT" not in seen, "our peer's port is not the client's"
