"""What applications answer, as it arrives on the wire: right ones whole, wrong ones safe."""

import json
import time

import httpx
import pytest

from tests.e2e.server import Client, Server
from tests.sites.zoo import pattern


def test_a_small_reply_has_a_length_a_date_and_keeps_the_connection(client: Client) -> None:
    for _ in range(3):
        reply = client.get("/hello")
        assert (reply.status, reply.body) == (200, b"Hello, World!")
        assert reply.headers["content-length"] == "13"
        assert sum(line.startswith("Date:") for line in reply.lines) == 1
        assert "connection" not in reply.headers


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/write", b"one,two,three"),
        ("/stream?n=3", b"0;1;2;"),
        ("/lazy", b"late head"),
        ("/text?kind=bytes", b"whole"),
        ("/text?kind=empty", b""),
        ("/text?kind=list", b"ab"),
        ("/hops", b"hops"),
        ("/exc-info", b"replaced"),
        ("/exc-info-of-nothing", b"nothing was raised"),
    ],
)
def test_bodies_arrive_whole_and_the_connection_stays(client: Client, path: str, body: bytes) -> None:
    assert client.get(path).body == body
    assert client.get("/hello").status == 200


def test_exc_info_replaces_status_and_headers(client: Client) -> None:
    reply = client.get("/exc-info")
    assert (reply.status, reply.reason) == (500, "Replaced")
    assert "x-second" in reply.headers
    assert "x-first" not in reply.headers
    assert reply.headers["content-length"] == "8"


def test_hop_by_hop_headers_of_the_application_do_not_leave(server: Server, client: Client) -> None:
    reply = client.get("/hops")
    assert "keep-alive" not in reply.headers
    assert "transfer-encoding" not in reply.headers
    assert reply.headers["x-a"] == "b"
    assert server.text().count("the application sets Keep-Alive") == 1


def test_connection_close_from_the_application_closes_after_the_reply(client: Client) -> None:
    reply = client.get("/close-me")
    assert reply.headers["connection"] == "close"
    assert reply.body == b"bye"
    assert client.ended()


@pytest.mark.parametrize(
    "kind",
    [
        "crlf", "lf", "nul", "name", "status", "long-status", "int-status", "tuple", "int-value",
        "two-lengths", "bad-length", "unicode", "interim",
    ],
)  # fmt: skip
def test_what_must_not_be_sent_is_a_500_and_nothing_of_it_leaves(client: Client, kind: str) -> None:
    reply = client.get(f"/bad-header?kind={kind}")
    assert reply.status == 500
    assert "x-a" not in reply.headers
    assert "set-cookie" not in reply.headers
    assert "x-evil" not in reply.headers
    assert client.get("/hello").status == 200


@pytest.mark.parametrize(
    "path",
    ["/fail", "/fail-after", "/leave?kind=exit", "/leave?kind=interrupt", "/leave?kind=generator", "/twice",
     "/never", "/text?kind=str", "/text?kind=none", "/text?kind=int"],
)  # fmt: skip
def test_an_application_that_fails_is_a_500_and_the_server_lives(client: Client, path: str) -> None:
    reply = client.get(path)
    assert reply.status == 500
    assert b"Traceback" not in reply.body
    assert client.get("/hello").status == 200


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/bad-header?kind=int-status", "BadReply: the status must be a str, not int"),
        ("/bad-header?kind=tuple", "BadReply: the headers must be a list, not tuple"),
        ("/bad-header?kind=int-value", "BadReply: a header's name and value must be str: ('X-A', 1)"),
        ("/text?kind=str", "TypeError: the application gave str, not bytes"),
        ("/text?kind=lazy", "TypeError: the application gave str, not bytes"),
        ("/text?kind=array", "TypeError: the application gave bytearray, not bytes"),
    ],
)
def test_a_wrong_type_is_told_in_words(server: Server, client: Client, path: str, said: str) -> None:
    before = server.text().count(said)
    assert client.get(path).status == 500
    until = time.monotonic() + 5
    while server.text().count(said) == before:
        assert time.monotonic() < until, server.text()
        time.sleep(0.02)


def test_a_wrong_type_behind_a_good_block_cuts_the_reply(client: Client) -> None:
    client.send(b"GET /text?kind=later HTTP/1.1\r\nHost: a\r\n\r\n")
    assert client.head().status == 200
    assert client.to_end() == b"1\r\na\r\n"


def test_the_traceback_and_the_request_line_are_in_the_log(server: Server, client: Client) -> None:
    client.get("/fail?this=one")
    server.wait_for("ValueError: before start_response")
    assert "GET /fail?this=one" in server.text()


def test_a_failure_in_mid_body_is_cut_without_the_final_chunk(client: Client) -> None:
    client.send(b"GET /fail-middle HTTP/1.1\r\nHost: a\r\n\r\n")
    assert client.head().status == 200
    rest = client.to_end()
    assert rest == b"4\r\nhalf\r\n"


def test_a_failure_in_mid_body_resets_an_old_client(client: Client) -> None:
    client.send(b"GET /fail-middle HTTP/1.0\r\n\r\n")
    with pytest.raises(ConnectionResetError):
        while client.sock.recv(1000):
            pass


def test_exc_info_after_the_head_cuts_the_reply(client: Client) -> None:
    client.send(b"GET /exc-info-late HTTP/1.1\r\nHost: a\r\n\r\n")
    assert client.head().status == 200
    assert client.to_end() == b"4\r\nsent\r\n"


def test_a_body_shorter_than_declared_closes_the_connection(server: Server, client: Client) -> None:
    client.send(b"GET /short HTTP/1.1\r\nHost: a\r\n\r\n")
    assert client.head().headers["content-length"] == "100"
    assert client.to_end() == b"only this"
    server.wait_for("91 bytes before its Content-Length")


@pytest.mark.parametrize("path", ["/long", "/long?split=1"])
def test_bytes_beyond_the_declared_length_are_not_sent(server: Server, client: Client, path: str) -> None:
    assert client.get(path).body == b"only"
    assert client.get("/hello").body == b"Hello, World!"
    server.wait_for("9 bytes longer than its Content-Length")


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_some_statuses_have_no_body(client: Client, status: str) -> None:
    reply = client.get("/status?is=" + status.replace(" ", "%20"))
    assert reply.status == int(status[:3])
    assert "transfer-encoding" not in reply.headers
    if status.startswith("204"):
        assert "content-length" not in reply.headers
    assert client.get("/hello").body == b"Hello, World!"


@pytest.mark.parametrize("path", ["/hello", "/stream", "/file", "/big?size=2000000", "/write"])
def test_head_has_the_head_and_no_body(client: Client, path: str) -> None:
    reply = client.get(path, method="HEAD")
    assert reply.status == 200
    assert client.get("/hello").body == b"Hello, World!"


def test_a_bare_status_code_is_completed(client: Client) -> None:
    assert client.get("/status?is=404").reason == "Not Found"


@pytest.mark.parametrize("kind", ["fine", "raises", "at-once"])
def test_close_is_always_called_once(server: Server, kind: str) -> None:
    name = f"{kind}-{id(kind)}"
    with server.client() as one:
        one.send(
            f"GET /closing?kind={kind}&name={name} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()
        )
        one.to_end()
    with server.client() as other:
        assert other.get(f"/was-closed?name={name}").body == b"1"


@pytest.mark.parametrize("size", [0, 1, 100_000, 5_000_000])
@pytest.mark.parametrize("bare", ["", "&bare=1"])
def test_a_file_goes_out_from_where_it_stands(client: Client, size: int, bare: str) -> None:
    at = size // 3
    reply = client.get(f"/file?size={size}&at={at}{bare}")
    assert reply.body == pattern(size)[at:]
    assert reply.headers["content-length"] == str(size - at)
    assert client.get("/hello").status == 200


def test_the_log_says_that_a_file_went_by_sendfile(server: Server, client: Client) -> None:
    client.get("/file?size=12345&at=0")
    server.wait_for("generated 12345 bytes in ")
    (line,) = (text for text in server.text().splitlines() if "generated 12345 bytes" in text)
    assert " msecs via sendfile() (HTTP/1.1 200) " in line


@pytest.mark.parametrize("size", [0, 1, 65_535, 131_073, 3_000_000, 20_000_000])
def test_replies_of_every_size_arrive_whole(client: Client, size: int) -> None:
    assert client.get(f"/big?size={size}").body == b"x" * size
    assert client.get("/hello").status == 200


def test_an_http10_client_gets_http10_and_a_close(client: Client) -> None:
    reply = client.get("/stream", version="HTTP/1.0")
    assert reply.lines[0].startswith("HTTP/1.0 200")
    assert "transfer-encoding" not in reply.headers
    assert reply.body == b"0;1;2;"


def test_an_http10_client_may_keep_its_connection(client: Client) -> None:
    for _ in range(2):
        reply = client.get("/hello", "Connection: keep-alive", version="HTTP/1.0")
        assert reply.headers["connection"] == "keep-alive"
        assert reply.body == b"Hello, World!"


def test_a_child_that_the_application_forks_writes_nothing(client: Client) -> None:
    reply = client.get("/fork", "Connection: close")
    assert reply.body == b"from the parent"
    assert client.ended()


def test_the_validator_of_wsgiref_has_nothing_to_say(server: Server) -> None:
    with httpx.Client(base_url=server.url) as http:
        for path in ("/hello", "/show", "/write", "/stream", "/file", "/sleep?s=0"):
            reply = http.get(f"/checked{path}")
            assert reply.status_code == 200, (path, reply.text)
        assert http.post("/checked/digest", content=b"x" * 100).text.startswith("100 ")
        assert http.post("/checked/digest", content=iter([b"a", b"b"])).text.startswith("2 ")
        assert http.post("/checked/digest", content=b"y" * 300_000).text.startswith("300000 ")
    assert "AssertionError" not in server.text()


def test_the_environ_is_what_pep_3333_asks_for(server: Server, client: Client) -> None:
    found = json.loads(client.get("/show//a%2Fb%20c/%C3%A9?x=1&y=%20", "X-Y: z").body)
    assert found["PATH_INFO"] == ["str", "/show//a/b c/\u00c3\u00a9"]
    assert found["REQUEST_URI"] == ["str", "/show//a%2Fb%20c/%C3%A9?x=1&y=%20"]
    assert found["QUERY_STRING"] == ["str", "x=1&y=%20"]
    assert found["SCRIPT_NAME"] == ["str", ""]
    assert found["REQUEST_METHOD"] == ["str", "GET"]
    assert found["SERVER_PROTOCOL"] == ["str", "HTTP/1.1"]
    assert found["SERVER_PORT"] == ["str", str(server.port)]
    assert found["REMOTE_ADDR"] == ["str", "127.0.0.1"]
    assert found["HTTP_X_Y"] == ["str", "z"]
    assert found["wsgi.version"] == ["tuple", "(1, 0)"]
    assert found["wsgi.url_scheme"] == ["str", "http"]
    assert found["wsgi.multithread"] == ["bool", "True"]
    assert found["wsgi.multiprocess"] == ["bool", "False"]
    assert found["wsgi.run_once"] == ["bool", "False"]
    assert found["wsgi.input_terminated"] == ["bool", "True"]
    assert all(kind == "str" for key, (kind, _) in found.items() if "." not in key)


def test_trusted_peers_set_the_scheme(client: Client) -> None:
    found = json.loads(client.get("/show", "X-Forwarded-Proto: https", "X-Forwarded-For: 203.0.113.9").body)
    assert found["wsgi.url_scheme"] == ["str", "https"]
    assert found["REMOTE_ADDR"] == ["str", "127.0.0.1"], "never rewritten unless asked"
