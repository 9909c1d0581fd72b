"""What the other server is told: the client's fields, none of its tricks."""

from typing import Any

import pytest

from penstock.codecs.uwsgi import UwsgiDecoder
from penstock.core.errors import ProtocolError
from penstock.core.request import Request
from penstock.serve.proxy.outgoing import http_head, http_target, uwsgi_packet

PLAIN = {"REQUEST_METHOD": "GET", "REQUEST_URI": "/a?b=c", "HTTP_HOST": "h", "REMOTE_ADDR": "192.0.2.1"}


def lines(words: dict[str, Any] | None = None, length: int = 0, **changed: Any) -> list[bytes]:
    """The head's lines behind the first; ``words`` and ``changed`` of a plain environ."""
    changed.update(words or {})
    environ = {name: value for name, value in {**PLAIN, **changed}.items() if value is not None}
    head = http_head(environ, environ.get("HTTP_HOST", "h"), "/", length)
    assert head.endswith(b"\r\n\r\n")
    return head[:-4].split(b"\r\n")[1:]


# ---- Fields ---------------------------------------------------------------------------------------------


def test_a_plain_request() -> None:
    assert lines() == [b"Host: h", b"X-Forwarded-For: 192.0.2.1"]


def test_the_clients_fields_go_on() -> None:
    assert lines(
        HTTP_ACCEPT="*/*",
        HTTP_COOKIE="a=b; c=d",
        HTTP_X_2FA_CODE="\xe4",
        HTTP_EMPTY="",
        CONTENT_TYPE="text/plain",
        HTTP_X_FORWARDED_FOR="198.51.100.1",
        length=3,
    ) == [
        b"Host: h",
        b"Accept: */*",
        b"Cookie: a=b; c=d",
        b"X-2fa-Code: \xe4",
        b"Empty: ",
        b"Content-Type: text/plain",
        b"Content-Length: 3",
        b"X-Forwarded-For: 198.51.100.1, 192.0.2.1",
    ]


@pytest.mark.parametrize("name", [
    "CONNECTION", "KEEP_ALIVE", "TE", "TRAILER", "TRANSFER_ENCODING", "UPGRADE", "PROXY_CONNECTION",
    "PROXY_AUTHORIZATION", "PROXY_AUTHENTICATE", "HTTP2_SETTINGS", "EXPECT", "CONTENT_LENGTH", "CONTENT_TYPE",
    "PROXY",
])  # fmt: skip
def test_what_is_for_us_does_not(name: str) -> None:
    assert lines({f"HTTP_{name}": "5"}) == lines()


def test_nor_what_the_client_says_is_for_us() -> None:
    kept = lines(HTTP_CONNECTION="close, X-Hop, Cookie", HTTP_X_HOP="a", HTTP_COOKIE="b")
    assert kept == [b"Host: h", b"Cookie: b", b"X-Forwarded-For: 192.0.2.1"]


@pytest.mark.parametrize(("length", "method", "framing"), [
    (0, "GET", []),
    (0, "DELETE", []),
    (0, "POST", [b"Content-Length: 0"]),
    (0, "PUT", [b"Content-Length: 0"]),
    (7, "GET", [b"Content-Length: 7"]),
    (-1, "POST", [b"Transfer-Encoding: chunked"]),
])  # fmt: skip
def test_one_word_says_where_the_body_ends(length: int, method: str, framing: list[bytes]) -> None:
    """The body's own length, whatever the request said of it."""
    said = lines(length=length, REQUEST_METHOD=method, CONTENT_LENGTH="99", HTTP_TRANSFER_ENCODING="chunked")
    assert said == [b"Host: h", *framing, b"X-Forwarded-For: 192.0.2.1"]


@pytest.mark.parametrize(("scheme", "proto", "ssl"), [("http", b"http", b"off"), ("https", b"https", b"on")])
def test_the_scheme_is_what_is_known_here(scheme: str, proto: bytes, ssl: bytes) -> None:
    words = {"HTTP_X_FORWARDED_PROTO": "ftp", "HTTP_X_FORWARDED_SSL": "maybe", "wsgi.url_scheme": scheme}
    said = lines(words)
    assert said[1:3] == [b"X-Forwarded-Proto: " + proto, b"X-Forwarded-Ssl: " + ssl]
    environ = {**PLAIN, **words}
    assert read(uwsgi_packet(environ, 0, (0, 0), ""))["HTTP_X_FORWARDED_PROTO"] == scheme
    assert not any(b"Proto" in line for line in lines({"wsgi.url_scheme": scheme})), (
        "as uWSGI: only passed on"
    )


def test_a_peer_without_an_address_is_not_named() -> None:
    assert lines(REMOTE_ADDR="") == lines(REMOTE_ADDR=None) == [b"Host: h"]


@pytest.mark.parametrize("words", [
    {"HTTP_X": "a\r\nX-Admin: yes"},
    {"HTTP_X": "a\nX-Admin: yes"},
    {"HTTP_X": "a\0"},
    {"HTTP_HOST": "h\r\nX-Admin: yes"},
    {"HTTP_HOST": "h\r\n\r\nGET /admin HTTP/1.1"},
    {"CONTENT_TYPE": "a\r\nX: y"},
    {"REMOTE_ADDR": "a\r\nX: y"},
    {"REQUEST_METHOD": "GET / HTTP/1.1\r\nX: y\r\n\r\nGET"},
    {"REQUEST_METHOD": "CONNECT"},
    {"HTTP_X": "\u20ac"},
])  # fmt: skip
def test_a_rule_cannot_be_made_to_say_more_than_one_field(words: dict[str, str]) -> None:
    with pytest.raises(ProtocolError) as caught:
        lines(words)
    assert caught.value.status == 400


def test_names_that_are_none_are_left_out() -> None:
    """A uwsgi packet may bring any."""
    assert lines({"HTTP_X Y": "a", "HTTP_X:": "b", "HTTP_": "c", "HTTP_\xe4": "d", "HTTP_X": 5}) == lines()


# ---- Targets --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("uri", "target"), [
    ("", "/a?b=c"),
    ("/v2/x", "/v2/x"),
    ("v2", "/v2"),
    ("/a b", "/a%20b"),
    ("/\xc3\xa4", "/%C3%A4"),
    ("/a\r\nX: y", "/a%0D%0AX:%20y"),
    ("/a\0b", "/a%00b"),
    ("/a#b", "/a%23b"),
    ("/100%", "/100%25"),
    ("/a%20b", "/a%20b"),
    ("/a%zz", "/a%25zz"),
    ("/.well-known/x", "/.well-known/x"),
    ("/a...b/..c/d../...", "/a...b/..c/d../..."),
    ("/a?b=/../c", "/a?b=/../c"),
    ("//a", "//a"),
])  # fmt: skip
def test_a_target_is_one_word(uri: str, target: str) -> None:
    assert http_target(PLAIN, uri) == target


@pytest.mark.parametrize(("said", "target"), [
    ("http://other.example/a?b", "/a?b"),
    ("http://other.example", "/"),
    ("/a/b", "/a/b"),
])  # fmt: skip
def test_the_clients_target_goes_on_in_origin_form(said: str, target: str) -> None:
    assert http_target({"REQUEST_URI": said}, "") == target


def test_a_star_is_for_options() -> None:
    assert http_target({"REQUEST_URI": "*", "REQUEST_METHOD": "OPTIONS"}, "") == "*"
    with pytest.raises(ProtocolError):
        http_target({"REQUEST_URI": "*", "REQUEST_METHOD": "GET"}, "")


@pytest.mark.parametrize(("words", "target"), [
    ({"PATH_INFO": "/\xc3\xa4?%", "QUERY_STRING": "a=b"}, "/%C3%A4%3F%25?a=b"),
    ({"SCRIPT_NAME": "/app", "PATH_INFO": "/x"}, "/app/x"),
    ({}, "/"),
])  # fmt: skip
def test_without_one_it_is_made_of_the_path(words: dict[str, str], target: str) -> None:
    assert http_target(words, "") == target


@pytest.mark.parametrize("path", [
    "/a/../b", "/..", "/.", "/./a", "/a/..", "/a/%2e%2e/b", "/a/.%2E/b", "/a%2f..%2fb", "/a\\..\\b",
    "/a/%5c..%5Cb", "/a/..;x/b", "/a/.;/b",
])  # fmt: skip
@pytest.mark.parametrize("written", [True, False])
def test_dot_segments_are_not_passed_on(path: str, written: bool) -> None:
    with pytest.raises(ProtocolError) as caught:
        http_target({"REQUEST_URI": path}, path if written else "")
    assert caught.value.status == 400


# ---- uwsgi ----------------------------------------------------------------------------------------------


def read(packet: bytes) -> dict[str, Any]:
    """What a uwsgi server would make of it."""
    request = UwsgiDecoder({}).receive(packet)[0]
    assert isinstance(request, Request)
    return request.vars


def test_a_packet_has_the_requests_words() -> None:
    environ = {**PLAIN, "HTTP_X": "\xe4", "CONTENT_LENGTH": "9", "HTTP_TRANSFER_ENCODING": "chunked",
               "HTTP_EXPECT": "100-continue", "HTTP_CONTENT_LENGTH": "7", "wsgi.url_scheme": "http",
               "wsgi.input": object(), "penstock.client": "x", "wsgi.version": (1, 0), "": "x"}  # fmt: skip
    packet = uwsgi_packet(environ, 3, (5, 7), "")
    assert (packet[0], packet[3]) == (5, 7)
    assert read(b"\0" + packet[1:] + b"abc") == {**PLAIN, "HTTP_X": "\xe4", "CONTENT_LENGTH": "3"}


def test_a_packet_may_name_the_application_and_says_https() -> None:
    said = read(uwsgi_packet({**PLAIN, "wsgi.url_scheme": "https"}, 0, (0, 0), "shop"))
    assert (said["UWSGI_APPID"], said["HTTPS"]) == ("shop", "on")


def test_without_a_body_its_length_is_said_only_where_it_was() -> None:
    assert "CONTENT_LENGTH" not in read(uwsgi_packet(PLAIN, 0, (0, 0), ""))
    assert read(uwsgi_packet({**PLAIN, "CONTENT_LENGTH": "0"}, 0, (0, 0), ""))["CONTENT_LENGTH"] == ""


def test_what_does_not_fit_a_packet_is_431() -> None:
    with pytest.raises(ProtocolError) as caught:
        uwsgi_packet({**PLAIN, "HTTP_X": "x" * 65_500}, 0, (0, 0), "")
    assert caught.value.status == 431
