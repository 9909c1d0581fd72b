"""The status page: who sees it, what keeps other sites from reading it, and what it gives."""

import json
import re
import time
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from penstock.process.pages.httpd import PageReply, PageRequest
from penstock.process.pages.status import WRONG, StatusPage

Done = Callable[[dict[str, Any]], None]
HERE = {"host": "127.0.0.1:9000"}


class Asked:
    """Whoever has the figures: remembers since when they were wanted, and answers when it is told to."""

    def __init__(self) -> None:
        self.since: list[int] = []
        self.done: list[Done] = []

    def __call__(self, done: Done, since: int) -> None:
        self.since.append(since)
        self.done.append(done)


def page(auth: str = "", shared: bool = False, ask: Asked | None = None) -> StatusPage:
    return StatusPage(ask or Asked(), auth, lambda key, text: None, shared)


def request(query: str = "", peer: str = "127.0.0.1", user: str = "", **headers: str) -> PageRequest:
    fields = {**HERE, **{name.replace("_", "-"): value for name, value in headers.items()}}
    if user:
        fields["authorization"] = f"Basic {b64encode(user.encode()).decode()}"
    return PageRequest("GET", "/", query, fields, peer)


def at_once(asked: StatusPage, what: PageRequest) -> PageReply:
    found = asked.answer(what)
    assert isinstance(found, PageReply)
    return found


# ---- What it gives --------------------------------------------------------------------------------------


def test_the_page_is_one_file_that_asks_nobody_else() -> None:
    reply = at_once(page(), request())
    text = reply.body.decode()
    assert reply.status == 200 and reply.content_type.startswith("text/html")
    assert not re.findall(r"""(?:src|href)=["'](?!data:)""", text), "nothing is loaded beside it"
    assert set(re.findall(r"https?://[^\s\"'`]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "@import" not in text and "url(" not in text


@pytest.mark.parametrize("way", ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("])
def test_what_clients_ask_for_is_never_read_as_html(way: str) -> None:
    assert way not in at_once(page(), request()).body.decode()


def test_its_policy_lets_its_own_script_and_style_run_and_nothing_else() -> None:
    reply = at_once(page(), request())
    policy = dict(reply.headers)["Content-Security-Policy"]
    for tag in ("script", "style"):
        (inside,) = re.findall(rf"<{tag}>(.*?)</{tag}>".encode(), reply.body, re.DOTALL)
        digest = b64encode(sha256(inside).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}';" in policy
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert not re.search(rb"\son\w+=|style=", reply.body), "what the policy would not let through"


def test_no_other_site_may_read_it() -> None:
    headers = dict(at_once(page(), request()).headers)
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["Cache-Control"] == "no-store"
    assert not any(name.lower().startswith("access-control") for name in headers)


def test_figures_come_when_they_are_there() -> None:
    ask = Asked()
    found = page(ask=ask).answer(request("data&since=1700000000"))
    assert not isinstance(found, PageReply) and ask.since == [1700000000]
    heard: list[PageReply] = []
    found.hear(heard.append)
    assert heard == []
    ask.done[0]({"pid": 7})
    assert heard[0].status == 200 and heard[0].content_type == "application/json"
    assert json.loads(heard[0].body) == {"pid": 7}


@pytest.mark.parametrize(
    "query", ["data", "data&since=", "data&since=-1", "data&since=x", "data&since=" + "9" * 20]
)
def test_since_anything_else_is_from_the_beginning(query: str) -> None:
    ask = Asked()
    page(ask=ask).answer(request(query))
    assert ask.since == [0]


# ---- Who sees it without a password ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:80", "127.0.0.1:9000", "[::1]:9000", "[::1]", "127.0.0.2"]
)
@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "::ffff:127.0.0.1", ""])
def test_who_is_here_sees_it(host: str, peer: str) -> None:
    assert at_once(page(), request(peer=peer, host=host)).status == 200


@pytest.mark.parametrize("peer", ["192.0.2.1", "10.0.0.1", "::ffff:10.0.0.1", "fe80::1", "1127.0.0.1"])
def test_who_is_elsewhere_does_not(peer: str) -> None:
    reply = at_once(page(), request(peer=peer))
    assert reply.status == 403 and b"status-auth" in reply.body


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:9000", "127.0.0.1.evil.example", "localhost.evil", "", "127.1"]
)
def test_a_name_that_was_rebound_to_this_machine_does_not(host: str) -> None:
    assert at_once(page(), request("data", host=host)).status == 403


@pytest.mark.parametrize("name", ["x_forwarded_for", "forwarded", "via", "x_real_ip", "x_forwarded_host"])
def test_what_a_proxy_passes_on_does_not(name: str) -> None:
    assert at_once(page(), request(**{name: "127.0.0.1"})).status == 403


def test_on_the_applications_sockets_nobody_does() -> None:
    reply = at_once(page(shared=True), request())
    assert reply.status == 403 and b"front server" in reply.body
    assert at_once(page("a:b", shared=True), request(user="a:b")).status == 200


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        ({"sec_fetch_site": "none", "sec_fetch_mode": "navigate"}, "", 200),
        ({"sec_fetch_site": "same-origin", "sec_fetch_mode": "cors"}, "since=1", 200),
        ({"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}, "", 200),
        ({"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}, "data", 403),
        ({"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors"}, "", 403),
        ({"sec_fetch_site": "same-site", "sec_fetch_mode": "cors"}, "data", 403),
    ],
)
def test_a_script_of_another_site_has_nothing_to_ask(
    headers: dict[str, str], query: str, status: int
) -> None:
    assert at_once(page(), request(query, **headers)).status == status
    assert at_once(page("a:b"), request(query, user="a:b", **headers)).status == status


# ---- Who sees it with one -------------------------------------------------------------------------------


def test_a_password_is_asked_for_wherever_somebody_is() -> None:
    asked = page("jane:se:cret")
    for user, status in (("", 401), ("jane:wrong", 401), ("jane:se:cret", 200), ("jan:ese:cret", 401)):
        reply = at_once(asked, request(peer="192.0.2.1", user=user, host="status.example"))
        assert reply.status == status, user
        assert ("WWW-Authenticate" in dict(reply.headers)) == (status == 401)
        assert b"<html" not in reply.body or status == 200


@pytest.mark.parametrize("user", ["jürgen:süß", "анна:пароль"])
def test_a_password_of_any_alphabet(user: str) -> None:
    assert at_once(page(user), request(user=user)).status == 200
    assert at_once(page(user), request(user=f"{user}!")).status == 401


@pytest.mark.parametrize(
    "said", ["Basic", "Basic ???", "Bearer x", "Basic " + b64encode(b"no colon").decode()]
)
def test_words_that_are_no_password(said: str) -> None:
    assert at_once(page("a:b"), request(authorization=said)).status == 401


def test_a_file_of_users(tmp_path: Path) -> None:
    file = tmp_path / "users"
    file.write_text(
        "jane:{SHA}" + b64encode(bytes.fromhex("5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8")).decode()
    )
    asked = page(str(file))
    assert at_once(asked, request(user="jane:password")).status == 200
    assert at_once(asked, request(user="jane:passwort")).status == 401
    file.unlink()
    assert at_once(asked, request(user="jane:password")).status == 401


def test_passwords_are_not_tried_by_the_thousand() -> None:
    asked = page("a:b")
    replies = [at_once(asked, request(user="a:c")).status for _ in range(WRONG + 3)]
    assert replies == [401] * WRONG + [429] * 3
    assert at_once(asked, request()).status == 401, "who says no password is asked for one"


def test_who_was_let_in_stays_in_whatever_others_try() -> None:
    asked = page("a:b")
    assert at_once(asked, request(user="a:b")).status == 200
    assert {at_once(asked, request(user="a:c")).status for _ in range(WRONG + 3)} == {401, 429}
    assert at_once(asked, request(user="a:b")).status == 200


def test_a_hash_that_takes_long_is_tried_for_a_tenth_of_the_time() -> None:
    asked, tried = page("a:b"), []

    def admits(user: bytes, password: bytes) -> bool:
        tried.append(password)
        time.sleep(0.02)
        return False

    asked.admits = admits
    until = time.monotonic() + 0.3
    while time.monotonic() < until:
        at_once(asked, request(user=f"a:{len(tried)}"))
    assert 1 <= len(tried) <= 3
