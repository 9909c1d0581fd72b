"""A page that the supervisor answers for a worker: the way there and back, and what is lost on it."""

import json
import os
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from penstock.core.request import Request
from penstock.interprocess.channel import pair
from penstock.net.lane import Lane
from penstock.process.pages.httpd import Deferred, PageReply, PageRequest
from penstock.process.sights import paging
from penstock.process.sights.paging import METRICS, MOST, STATUS, Paging

VARS = {
    "REQUEST_METHOD": "GET", "PATH_INFO": "/-/status", "QUERY_STRING": "data&since=3",
    "REMOTE_ADDR": "192.0.2.7", "HTTP_HOST": "x", "HTTP_AUTHORIZATION": "Basic eA==",
    "HTTP_COOKIE": "secret", "HTTP_SEC_FETCH_SITE": "none", "HTTP_X_FORWARDED_FOR": "192.0.2.9",
}  # fmt: skip


def request(*without: str) -> Request:
    return Request({name: text for name, text in VARS.items() if name not in without})


class Visited:
    """A client's side of a lane."""

    def __init__(self) -> None:
        self.replies: list[tuple[Any, ...]] = []

    def __call__(self, status: int, kind: str, body: bytes, fields: Any) -> None:
        self.replies.append((status, kind, body, list(fields)))


def hello(request: PageRequest) -> PageReply:
    return PageReply(200, "text/plain", f"{request.path} {request.query}".encode(), [("X-Of", request.peer)])


class Later:
    """A page whose answer comes later."""

    def __init__(self, deferred: Deferred) -> None:
        self.deferred = deferred

    def __call__(self, request: PageRequest) -> Deferred:
        return self.deferred


def asking() -> tuple[Paging, list[dict[str, Any]]]:
    sent: list[dict[str, Any]] = []
    page = Paging(Lane(lambda text: None), sent.append)
    page.offer("/-/status", STATUS)
    return page, sent


def travelling(
    page: Paging, answers: list[dict[str, Any]]
) -> Callable[[dict[str, Any], Sequence[int]], None]:
    """The way back to a worker, on which ``answers`` are noted."""

    def send(message: dict[str, Any], fds: Sequence[int]) -> None:
        answers.append(json.loads(json.dumps(message)))
        page.told(answers[-1], list(fds))

    return send


def test_there_and_back() -> None:
    (page, sent), client = asking(), Visited()
    page.lane.pages["/-/status"](request(), client)
    (question,) = sent
    assert "cookie" not in json.dumps(question), "what no page looks at is not carried around"
    assert question["headers"]["authorization"] == "Basic eA=="
    answers: list[dict[str, Any]] = []
    paging.answered(STATUS, hello, json.loads(json.dumps(question)), travelling(page, answers))
    assert client.replies == [(200, "text/plain", b"/-/status data&since=3", [("X-Of", "192.0.2.7")])]
    page.told(answers[0], [])
    assert len(client.replies) == 1, "once"


def test_an_answer_that_comes_later() -> None:
    (page, sent), clients, late = asking(), [Visited(), Visited()], [Deferred(), Deferred()]
    answers: list[dict[str, Any]] = []
    for client, deferred in zip(clients, late, strict=True):
        page.visit(STATUS, request(), client)
        paging.answered(STATUS, Later(deferred), sent[-1], travelling(page, answers))
    assert answers == []
    for deferred, text in zip(reversed(late), (b"two", b"one"), strict=True):
        deferred.done(PageReply(200, "text/plain", text))
    assert [client.replies[0][2] for client in clients] == [b"one", b"two"]


def test_variables_that_a_front_server_leaves_out() -> None:
    (page, sent), client = asking(), Visited()
    page.visit(STATUS, request("QUERY_STRING", "REMOTE_ADDR", "HTTP_HOST", "HTTP_AUTHORIZATION"), client)
    assert (sent[0]["query"], sent[0]["peer"]) == ("", "") and "host" not in sent[0]["headers"]
    paging.within(hello, request("QUERY_STRING"), client)
    assert client.replies[0][2] == b"/-/status "


def test_what_waits_is_bounded() -> None:
    page, sent = asking()
    clients = [Visited() for _ in range(MOST + 5)]
    for client in clients:
        page.visit(STATUS, request(), client)
    assert len(page.open) == MOST
    for question in sent:
        paging.answered(STATUS, hello, question, travelling(page, []))
    assert [client.replies[0][0] for client in clients] == [503] * 5 + [200] * MOST
    assert {len(client.replies) for client in clients} == {1}


def test_a_large_page_is_whole_behind_a_real_channel() -> None:
    (page, sent), client, (here, there) = asking(), Visited(), pair()
    text = json.dumps({f"/path/{n}": "x" * 100 for n in range(5000)})
    page.visit(STATUS, request(), client)
    try:
        paging.answered(STATUS, lambda asked: PageReply(200, "text/plain", text.encode()), sent[0], here.send)
        for message, fds in there.receive():
            page.told(message, fds)
            for fd in fds:
                os.close(fd)
    finally:
        here.close()
        there.close()
    assert client.replies[0][2].decode() == text


def test_an_answer_that_lost_its_body_on_the_way() -> None:
    (page, sent), client = asking(), Visited()
    page.visit(STATUS, request(), client)
    page.told({"do": "paged", "id": sent[0]["id"], "status": 200, "type": "x", "headers": []}, [])
    assert client.replies[0][0] == 503


def test_within_one_process() -> None:
    client, deferred = Visited(), Deferred()
    paging.within(lambda asked: deferred, request(), client)
    assert client.replies == []
    deferred.done(PageReply(401, "text/plain", b"who", [("A", "b")]))
    assert client.replies == [(401, "text/plain", b"who", [("A", "b")])]


QUESTION: dict[str, object] = {
    "is": "page", "id": 1, "page": STATUS, "headers": {},
    "method": "GET", "path": "/", "query": "", "peer": "",
}  # fmt: skip
WRONG: dict[str, tuple[object, ...]] = {
    "is": ("ready", None),
    "id": ("1", None, ["x"]),
    "page": (METRICS, "none", None),
    "headers": (7, None, []),
    **dict.fromkeys(("method", "path", "query", "peer"), (None,)),
}


@pytest.mark.parametrize(("name", "wrong"), [(name, one) for name, many in WRONG.items() for one in many])
def test_what_is_no_question_for_this_page(name: str, wrong: object) -> None:
    answers: list[dict[str, Any]] = []

    def send(message: dict[str, Any], fds: Sequence[int]) -> None:
        answers.append(message)

    paging.answered(STATUS, hello, {**QUESTION, name: wrong}, send)
    assert answers == []
    paging.answered(STATUS, hello, QUESTION, send)
    assert len(answers) == 1


@pytest.mark.parametrize("number", [99, None, "1"])
def test_an_answer_to_nobody_is_nothing(number: object) -> None:
    (page, _), client = asking(), Visited()
    page.visit(STATUS, request(), client)
    page.told({"do": "paged", "id": number, "status": 200, "type": "x", "headers": []}, [])
    assert client.replies == []
