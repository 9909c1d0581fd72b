"""``http:`` and ``uwsgi:``: what a rule's text asks for, and what a client is told when it cannot be had."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from penstock.codecs.uwsgi import encode_request
from penstock.config.settings import Settings
from penstock.handoff.doorway import Doorway
from penstock.handoff.inbox import Inbox
from penstock.serve.finish.call import FinishedCall
from penstock.serve.finish.finish import Finish
from penstock.serve.proxy.upstreams import Upstreams
from penstock.serve.routing.actions.names import ACTIONS as NAMED
from penstock.serve.routing.actions.proxy import ACTIONS, upstreams_of
from penstock.serve.routing.flow import BREAK, CONTINUE, ERROR, FINAL, RESPONSE
from penstock.serve.routing.tools import Tools
from penstock.serve.routing.turn import Turn
from penstock.serve.wsgi.input import make_input
from tests.fakes import FakeLoop
from tests.serve.boxes import ListBox, exchange, manner
from tests.serve.proxy.scripted import HELLO, OK, Said, answers, server
from tests.serve.routing.ground import Ground

WARNED: list[str] = []


@pytest.fixture
def tools() -> Iterator[Tools]:
    WARNED.clear()
    upstreams = Upstreams(timeout=5.0, connect_timeout=2.0)
    yield Tools(upstreams=upstreams, warn=lambda key, text: WARNED.append(text))
    upstreams.close()


def turn_of(words: dict[str, str] | None = None, body: Any = None, **request: Any) -> tuple[Turn, ListBox]:
    """A request at its rules."""
    box = ListBox()
    x = exchange(box, body=body, **request)
    x.request.vars.update(
        {"HTTP_HOST": "site", "REMOTE_ADDR": "192.0.2.1", "PATH_INFO": "/x", **(words or {})}
    )
    x.request.vars["wsgi.input"] = make_input(body, None)
    return Turn(FinishedCall(x, manner(), Finish()), x.request.vars), box


def act(text: str, turn: Turn, tools: Tools) -> int:
    name, _, rest = text.partition(":")
    return ACTIONS[name](rest, tools)(turn)


def status(box: ListBox) -> bytes:
    return box.sent.partition(b"\r\n")[0]


def test_the_names_are_those_that_are_said_to_be_here() -> None:
    assert set(ACTIONS) == set(NAMED["proxy"].split())


# ---- http: ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["http", "httpdumb", "proxyhttp"])
def test_a_request_goes_to_an_http_server(tools: Tools, name: str) -> None:
    turn, box = turn_of()
    with server(answers(HELLO)) as other:
        assert act(f"{name}:{other.address}", turn, tools) == BREAK
    assert other.seen[0].heads == [b"GET /x HTTP/1.1\r\nHost: site\r\nX-Forwarded-For: 192.0.2.1\r\n"]
    assert box.sent.endswith(b"hello") and turn.call.via == "route()" and not WARNED


@pytest.mark.parametrize(("rest", "line", "host"), [
    (",other", b"GET /x HTTP/1.1", b"Host: other"),
    (",other,", b"GET /x HTTP/1.1", b"Host: other"),
    (",,/v2/$1", b"GET /v2/b%20c HTTP/1.1", b"Host: site"),
    (",other,/${PATH_INFO}?x=$2,y", b"GET //x?x=,y HTTP/1.1", b"Host: other"),
    (",$1", b"GET /x HTTP/1.1", b"Host: $1"),  # as in uWSGI: only address and target have variables
])  # fmt: skip
def test_with_another_host_or_target(tools: Tools, rest: str, line: bytes, host: bytes) -> None:
    turn, _ = turn_of()
    turn.match = re.search("a(.*)", "ab c")
    with server(answers(HELLO)) as other:
        act(f"http:{other.address}{rest}", turn, tools)
    assert other.seen[0].heads[0].split(b"\r\n")[:2] == [line, host]


def test_the_address_may_have_variables(tools: Tools) -> None:
    with server(answers(HELLO)) as other:
        turn, box = turn_of({"BACKEND": other.address})
        assert act("http:${BACKEND}", turn, tools) == BREAK
    assert box.sent.endswith(b"hello")


def test_a_request_without_host_gets_one(tools: Tools, tmp_path: Any) -> None:
    for path, host in (("", b""), (str(tmp_path / "s"), b"Host: localhost")):
        turn, _ = turn_of({"HTTP_HOST": ""})
        with server(answers(HELLO), path=path) as other:
            act(f"http:{other.address}", turn, tools)
        assert other.seen[0].heads[0].split(b"\r\n")[1] == (host or b"Host: " + other.address.encode())


# ---- uwsgi: ---------------------------------------------------------------------------------------------


def hear_packet(said: Said) -> bytes:
    """A packet and, by its CONTENT_LENGTH, the body."""
    head = said.file.read(4)
    block = said.file.read(head[1] | head[2] << 8)
    said.heads.append(head + block)
    found = re.search(rb"CONTENT_LENGTH..(\d+)", block, re.DOTALL)
    said.bodies.append(said.file.read(int(found[1])) if found else b"")
    return block


def uwsgi_answers(reply: bytes) -> Any:
    def script(said: Said) -> None:
        hear_packet(said)
        said.say(reply)

    return script


@pytest.mark.parametrize("name", ["uwsgi", "proxyuwsgi"])
def test_a_request_goes_to_a_uwsgi_server(tools: Tools, name: str) -> None:
    turn, box = turn_of()
    with server(uwsgi_answers(OK + b"X: y\r\n\r\nhello")) as other:
        assert act(f"{name}:{other.address},5,7,shop", turn, tools) == BREAK
    words = {"REQUEST_METHOD": "GET", "REQUEST_URI": "/x", "HTTP_HOST": "site", "REMOTE_ADDR": "192.0.2.1",
             "PATH_INFO": "/x", "UWSGI_APPID": "shop"}  # fmt: skip
    assert other.seen[0].heads == [encode_request(words, 5, 7)]
    assert status(box) == b"HTTP/1.1 200 OK" and b"X: y\r\n" in box.sent
    assert box.sent.endswith(b"5\r\nhello\r\n0\r\n\r\n")


def test_a_body_without_a_length_is_gathered_first(tools: Tools) -> None:
    data = b"x" * (3 << 20)
    source = Inbox(Doorway(FakeLoop()()), lambda: None)
    source.feed(data)
    source.finish()
    turn, box = turn_of({"HTTP_TRANSFER_ENCODING": "chunked", "REQUEST_METHOD": "POST"}, body=source)
    turn.call.x.request.content_length = -1
    with server(uwsgi_answers(b"Status: 201 Created\r\nContent-Length: 0\r\n\r\n")) as other:
        act(f"uwsgi:{other.address},0,0", turn, tools)
    assert other.seen[0].bodies == [data]
    assert b"TRANSFER" not in other.seen[0].heads[0]
    assert status(box) == b"HTTP/1.1 201 Created"


def test_without_an_address_another_application_here_answers(tools: Tools) -> None:
    turn, box = turn_of()
    assert act("uwsgi:,0,0,shop", turn, tools) == CONTINUE
    assert turn.get("UWSGI_APPID") == "shop" and not box.puts
    turn, _ = turn_of()
    assert act("uwsgi:,30,0", turn, tools) == CONTINUE
    assert "UWSGI_APPID" not in turn.environ


# ---- What is wrong at boot -------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "said"), [
    ("http:", "expects an address"),
    ("http:,host", "expects an address"),
    ("http:127.0.0.1:", "no port"),
    ("http:a:b:1", "brackets"),
    ("http:fd://3", "no address to connect to"),
    ("uwsgi:", "MODIFIER1"),
    ("uwsgi:127.0.0.1:3031", "MODIFIER1"),
    ("uwsgi:127.0.0.1:3031,0", "MODIFIER1"),
    ("uwsgi:127.0.0.1:3031,256,0", "0 to 255"),
    ("uwsgi:127.0.0.1:3031,a,0", "0 to 255"),
    ("uwsgi:127.0.0.1,0,-1", "0 to 255"),
    ("uwsgi:127.0.0.1:,0,0", "no port"),
    ("uwsgi:,5,0", "0 or 30"),
    ("httpconnect:127.0.0.1:80", "CONNECT is answered 501"),
    ("proxyhttpconnect:127.0.0.1:80", "CONNECT is answered 501"),
])  # fmt: skip
def test_a_rule_that_cannot_be(tools: Tools, text: str, said: str) -> None:
    name, _, rest = text.partition(":")
    with pytest.raises(ValueError, match=said) as caught:
        ACTIONS[name](rest, tools)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("phase", [RESPONSE, FINAL])
def test_where_there_is_a_reply_it_gives_none(tools: Tools, phase: str) -> None:
    for name, rest in (("http", "127.0.0.1:1"), ("uwsgi", "127.0.0.1:1,0,0")):
        with pytest.raises(ValueError, match="there is one"):
            ACTIONS[name](rest, replace(tools, phase=phase))


def test_an_error_rule_may_fetch_its_page(tools: Tools) -> None:
    turn, box = turn_of()
    with server(answers(HELLO)) as other:
        assert act(f"http:{other.address}", turn, replace(tools, phase=ERROR)) == BREAK
    assert box.sent.endswith(b"hello")


def test_without_a_store_a_rule_has_one_of_its_own() -> None:
    turn, box = turn_of()
    with server(answers(OK + b"Content-Length: 0\r\nConnection: close\r\n\r\n")) as other:
        act(f"http:{other.address}", turn, Tools())
    assert status(box) == b"HTTP/1.1 200 OK"


# ---- What is wrong with a request ------------------------------------------------------------------------


def refused(turn: Turn, box: ListBox, code: int, said: str) -> None:
    assert status(box).startswith(b"HTTP/1.1 %d " % code) and turn.call.finished
    assert len(WARNED) == 1 and said in WARNED[0] and f"answered {code}" in WARNED[0]
    assert "\n" not in WARNED[0]


@pytest.mark.parametrize(("text", "words", "code", "said"), [
    ("http:127.0.0.1:1", {}, 502, "http:127.0.0.1:1: Connection refused"),
    ("uwsgi:127.0.0.1:1,0,0", {}, 502, "uwsgi:127.0.0.1:1: Connection refused"),
    ("http:${NONE}", {}, 502, "an empty address"),
    ("http:${B}", {"B": "127.0.0.1:99999"}, 502, "no port 99999"),
    ("http:127.0.0.1:1,,/$1/../admin", {}, 400, "dot segments"),
    ("http:127.0.0.1:1", {"HTTP_X": "a\r\nb"}, 400, "must not be sent"),
    ("http:127.0.0.1:1", {"HTTP_UPGRADE": "WebSocket"}, 501, "WebSockets"),
    ("uwsgi:127.0.0.1:1,0,0", {"HTTP_X": "x" * 65536}, 431, "cannot be carried"),
])  # fmt: skip
def test_what_cannot_be_passed_on(
    tools: Tools, text: str, words: dict[str, str], code: int, said: str
) -> None:
    turn, box = turn_of(words)
    assert act(text, turn, tools) == BREAK
    refused(turn, box, code, said)


@pytest.mark.parametrize(("reply", "said"), [
    (b"", "before a reply"),
    (b"nonsense\r\n\r\n", "not a status line"),
    (OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nx", "more than once"),
])  # fmt: skip
def test_what_is_no_reply(tools: Tools, reply: bytes, said: str) -> None:
    turn, box = turn_of()
    with server(answers(reply)) as other:
        assert act(f"http:{other.address}", turn, tools) == BREAK
    refused(turn, box, 502, said)


def test_silence_is_504() -> None:
    WARNED.clear()
    tools = Tools(upstreams=Upstreams(timeout=0.1), warn=lambda key, text: WARNED.append(text))
    turn, box = turn_of()

    def script(said: Said) -> None:
        said.hear()
        assert said.gone()

    with server(script) as other:
        assert act(f"http:{other.address}", turn, tools) == BREAK
    refused(turn, box, 504, "nothing for 0.1 s")


def test_half_a_reply_is_cut(tools: Tools) -> None:
    turn, box = turn_of()
    with server(answers(OK + b"Content-Length: 9\r\n\r\nhello")) as other:
        assert act(f"http:{other.address}", turn, tools) == BREAK
    assert box.abandoned == [False] and turn.call.finished
    assert len(WARNED) == 1 and "its reply was cut" in WARNED[0]


def test_where_a_head_is_out_nothing_is_asked(tools: Tools) -> None:
    turn, box = turn_of()
    turn.reply("200 OK", [], b"done")
    before = box.sent
    assert act("http:127.0.0.1:1", turn, tools) == BREAK
    assert box.sent == before and not WARNED


def test_what_the_other_server_says_is_touched_up_as_any_reply(tools: Tools) -> None:
    turn, box = turn_of()
    turn.call.touches.added.append(("X-Own", "a"))
    turn.call.touches.removed.add("server")
    with server(answers(OK + b"Server: other\r\nContent-Length: 5\r\n\r\nhello")) as other:
        act(f"http:{other.address}", turn, tools)
    assert b"X-Own: a\r\n" in box.sent and b"Server" not in box.sent


def test_that_store_is_as_the_settings_say() -> None:
    settings = Settings(proxy_timeout=7.0, proxy_connect_timeout=3.0)
    found = upstreams_of(Tools(settings=settings))
    assert (found.timeout, found.connect_timeout) == (7.0, 3.0)


def test_a_name_without_a_port_is_said_to_be_a_socket() -> None:
    (line,) = Ground("route-run = http:backend").warnings
    assert line.endswith("a UNIX socket in this folder; a server of that name has a port: backend:80")
    for text in ("backend:80", "/run/app.sock", "@app", "127.0.0.1:9"):
        assert Ground(f"route-run = http:{text}").warnings == []
