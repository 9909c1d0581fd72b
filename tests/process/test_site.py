"""A site from its settings: what is there and what is not, and what it makes of real requests."""

from pathlib import Path
from typing import Any

import pytest

from penstock.config.assemble import from_keywords
from penstock.core.errors import StartError
from penstock.process import build, diaries
from penstock.process.site import Around, Voice, checked, site_of
from penstock.serve.finish.call import FinishedCall
from penstock.serve.wsgi.call import Call
from tests.process.running import hello, running
from tests.serve.boxes import ListBox, exchange, manner


def site(**options: Any) -> Any:
    settings = from_keywords(options, application=True)
    return site_of(settings, hello, Around(lambda key, text: None, lambda text: None))


def test_where_nothing_is_asked_for_there_is_none() -> None:
    assert site() is None
    assert site(add_header=["X: y"]) is None


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"static_map": ["/s=/nowhere"]}, {"files"}),
        ({"route": ["^/a last:"]}, {"rules", "quiet", "call"}),
        ({"route_run": ["last:"]}, {"rules", "call"}),
        (
            {"static_map": ["/s=/x"], "static_index": ["index.html"], "route": ["^/s/index last:"]},
            {"files", "rules", "call"},  # the path has the name of the index only later
        ),
        ({"final_route_run": ["log:x"]}, {"rules", "call"}),
        ({"route": ["^/a last:"], "security_headers": True}, {"rules", "call"}),
        ({"security_headers": True}, {"call"}),
        ({"route": ["^/a file:filename=/x"]}, {"rules", "quiet", "call"}),
        ({"http_to_https": ["127.0.0.1:0"]}, {"redirect"}),
    ],
)
def test_it_has_what_is_asked_for_and_nothing_else(options: dict[str, Any], parts: set[str]) -> None:
    made = site(**options)
    names = ("prepare", "files", "rules", "stored", "quiet", "redirect")
    found = {name for name in names if getattr(made, name) is not None}
    assert found | ({"call"} if made.call is not Call else set()) == parts


@pytest.mark.parametrize(("path", "kind"), [("/a/b", FinishedCall), ("/b/a", Call)])
def test_a_request_that_no_rule_can_be_for_has_a_plain_reply(path: str, kind: type) -> None:
    made = site(route=["^/a addheader:X: y"])
    x = exchange(ListBox())
    x.request.vars["PATH_INFO"] = path
    call = made.begin(x, manner())
    assert type(call) is kind
    assert not made.ended(call, x.request.vars)


def test_rules_that_are_wrong_are_named_before_anything_is_opened() -> None:
    said: list[str] = []
    settings = from_keywords({"route": ["^/a nowhere:", "^/( last:"]}, application=True)
    with pytest.raises(StartError, match=r"route = \^/a nowhere:: there is no action nowhere") as caught:
        checked(settings, lambda key, text: said.append(text), said.append)
    assert str(caught.value).count("\n") == 1
    odd = from_keywords({"route_run": ["last:", "log:x"]}, application=True)
    checked(odd, lambda key, text: said.append(text), said.append)
    assert len(said) == 1


def test_what_rules_may_have_is_listed() -> None:
    said: list[str] = []
    for listed in (False, True):
        settings = from_keywords({"router_list": listed}, application=True)
        checked(settings, lambda key, text: None, said.append)
    assert [line.split(":")[0] for line in said] == ["routing actions", "routing conditions"]
    assert " redirect-301 " in said[0] and " startswith" in said[1]


def test_a_rule_may_set_a_deadline_where_there_is_none() -> None:
    assert not build.deadlines_of(from_keywords({"route": ["^/a last:"]}, application=True)).wanted
    assert build.deadlines_of(from_keywords({"route": ["^/a harakiri:5"]}, application=True)).wanted


def test_a_length_for_all_replies_is_refused() -> None:
    settings = from_keywords({"add_header": ["Content-Length: 5"]}, application=True)
    diary = diaries.open_diary(settings)
    with pytest.raises(StartError, match="add-header: Content-Length: 5: each reply has its own length"):
        build.kitchen_of(settings, hello, diary)
    diary.close()


# ---- With real requests -----------------------------------------------------------------------------


def seen(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    names = ("KIND", "PATH_INFO", "REMOTE_USER", "QUERY_STRING")
    return [" ".join(str(environ.get(name, "-")) for name in names).encode()]


@pytest.mark.parametrize(("option", "kind"), [("http", b"gateway"), ("http_socket", b"-")])
def test_listeners_of_http_have_variables_of_their_own(tmp_path: Path, option: str, kind: bytes) -> None:
    words: dict[str, Any] = {"bind": [], option: ["127.0.0.1:0"], "http_var": ["KIND=gateway"]}
    with running(tmp_path, seen, **words) as it, it.client() as client:
        assert client.get("/x").body.split() == [kind, b"/x", b"-"]


@pytest.mark.parametrize(("port", "shown"), [("", ""), (",8443", ":8443")])
def test_a_listener_that_sends_everybody_to_https(tmp_path: Path, port: str, shown: str) -> None:
    with running(tmp_path, seen, bind=[], http_to_https=[f"127.0.0.1:0{port}"]) as it, it.client() as client:
        reply = client.get("/a?b=c")
        assert (reply.status, reply.headers["location"]) == (301, f"https://test{shown}/a?b=c")
        reply = client.get("/d")
        assert (reply.status, reply.headers["location"]) == (301, f"https://test{shown}/d")


def test_what_rules_change_is_what_is_logged_and_what_they_say_not_to_is_not(tmp_path: Path) -> None:
    rules = ["^/mine setuser:jo", "^/quiet donotlog:", "^/moved rewrite:/new?x=y"]
    with running(tmp_path, seen, route=rules) as it:
        with it.client() as client:
            assert client.get("/mine").body.split() == [b"-", b"/mine", b"jo"]
            assert client.get("/quiet").status == 200
            assert client.get("/moved").body.split() == [b"-", b"/new", b"-", b"x=y"]
        assert it.end(it.worker.leave) == 0
        text = it.log.read_text()
    assert " (jo) " in text and "GET /mine " in text
    assert "/quiet" not in text and "GET /moved " in text


def test_what_each_rule_did_is_said_where_that_is_asked_for(tmp_path: Path) -> None:
    rules = ["^/a addvar:KIND=one", "^/b last:"]
    with running(tmp_path, seen, route=rules, trace_routes=True) as it:
        with it.client() as client:
            assert client.get("/a").body.split()[0] == b"one"
        assert it.end(it.worker.leave) == 0
        lines = [line for line in it.log.read_text().splitlines() if "GET /a: " in line]
    assert len(lines) == 2
    assert "KIND" in lines[0] and "^/b last:" in lines[1]


def test_a_file_that_goes_meanwhile_is_the_applications(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "a").write_bytes(b"x" * 300_000)
    with running(tmp_path, seen, static_map=[f"/s={folder}"]) as it, it.client() as client:
        assert client.get("/s/a").body == b"x" * 300_000
        (folder / "a").unlink()
        assert client.get("/s/a").body.split()[1] == b"/s/a"


@pytest.mark.parametrize(("number", "times"), [(0, 1), (1, 1), (2, 0)])
def test_what_is_odd_about_a_rule_is_said_by_one_worker(number: int, times: int) -> None:
    said: list[tuple[str, str]] = []
    settings = from_keywords({"route_run": ["redirect:/$1"]}, application=True)
    site_of(settings, hello, Around(lambda key, text: said.append((key, text)), print, number=number))
    assert len(said) == times
    assert all(key == text and "$1 is always empty" in text for key, text in said)  # once, whoever compiles


def test_what_a_rule_says_of_a_request_is_said_by_all() -> None:
    said: list[str] = []
    voice = Voice(Around(lambda key, text: said.append(f"{key}|{text}"), print, number=2))
    voice("", "while it is compiled")
    voice.compiled = True
    voice("", "each time")
    assert said == ["|each time"]
