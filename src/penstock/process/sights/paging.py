"""Pages on the application's own listeners that the supervisor answers: what a client asks goes up, the reply
comes down.

Runs on a worker's loop, behind its lane, so that it is answered while every thread is busy; the second part
runs in the supervisor. A single process answers itself. It does not know what a page says, nor who may see
it.
"""

import os
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from typing import Any

from penstock.core.request import Request
from penstock.interprocess.inmemory import contents, filled
from penstock.net.lane import PLAIN, Lane, Reply
from penstock.process.pages.httpd import Answer, Deferred, PageReply, PageRequest

MOST = 64  # requests that wait for the supervisor
METRICS, STATUS = "metrics", "status"
"""Pages that there are."""
HEADERS = (
    *("host", "accept", "authorization", "sec-fetch-site", "sec-fetch-mode"),
    *("x-forwarded-for", "x-forwarded-host", "x-real-ip", "forwarded", "via"),
)
"""What pages look at; the rest of a head is not carried around."""

Say = Callable[[dict[str, Any]], None]
Send = Callable[[dict[str, Any], Sequence[int]], None]


class Paging:
    """Of one worker. ``say`` sends to the supervisor; what comes back as ``paged`` is for ``told``."""

    def __init__(self, lane: Lane, say: Say) -> None:
        self.lane = lane
        self.say = say
        self.numbers = count(1)
        self.open: dict[int, Reply] = {}

    def offer(self, path: str, page: str) -> None:
        """Have a page answered there, to whoever asks for ``path``."""
        self.lane.pages[path] = partial(self.visit, page)

    def visit(self, page: str, request: Request, reply: Reply) -> None:
        """A client asks (``net.lane.Page``)."""
        while len(self.open) >= MOST:
            self.open.pop(next(iter(self.open)))(503, PLAIN, b"too many ask\n", ())
        number = next(self.numbers)
        self.open[number] = reply
        self.say({"is": "page", "id": number, "page": page, **asked(request)})

    def told(self, message: dict[str, Any], fds: list[int]) -> None:
        """The supervisor's answer, its body as a file in memory."""
        reply = self.open.pop(message.get("id", 0), None)
        if reply is not None and fds:
            headers = [(name, value) for name, value in message["headers"]]
            reply(message["status"], message["type"], contents(fds[0]), headers)
        elif reply is not None:
            reply(503, PLAIN, b"the answer could not be sent\n", ())


def seen_of(request: Request) -> PageRequest:
    """A request as pages see it. A front server that speaks uwsgi may leave any variable out."""
    words = request.vars
    return PageRequest(
        words.get("REQUEST_METHOD", "GET"),
        words.get("PATH_INFO", ""),
        words.get("QUERY_STRING", ""),
        {
            key[5:].replace("_", "-").lower(): str(value)
            for key, value in words.items()
            if key.startswith("HTTP_")
        },
        words.get("REMOTE_ADDR", ""),
    )


def asked(request: Request) -> dict[str, Any]:
    """A request as plain data."""
    seen = seen_of(request)
    headers = {name: seen.headers[name] for name in HEADERS if name in seen.headers}
    return {
        "method": seen.method,
        "path": seen.path,
        "query": seen.query,
        "headers": headers,
        "peer": seen.peer,
    }


def passed_on(found: PageReply | Deferred, to: Callable[[PageReply], None]) -> None:
    """Give it to whoever waits, now or when it is there."""
    if isinstance(found, PageReply):
        to(found)
    else:
        found.hear(to)


def within(answer: Answer, request: Request, reply: Reply) -> None:
    """A lane's page in a single process: the answer is next door."""
    passed_on(
        answer(seen_of(request)),
        lambda said: reply(said.status, said.content_type, said.body, said.headers),
    )


# ---- The supervisor -------------------------------------------------------------------------------------


def answered(page: str, answer: Answer, message: dict[str, Any], send: Send) -> None:
    """Answer a worker that asks for this page. Whatever else it says hurts its client alone."""
    if message.get("is") == "page" and message.get("page") == page:
        question = question_of(message)
        if question is not None:
            number, request = question
            passed_on(answer(request), partial(sent, send, number))


def question_of(message: dict[str, Any]) -> tuple[int, PageRequest] | None:
    """The number and the request of a question; None for what is none."""
    number, fields = message.get("id"), message.get("headers")
    words = [message.get(name) for name in ("method", "path", "query", "peer")]
    if type(number) is not int or not isinstance(fields, dict) or None in words:
        return None
    method, path, query, peer = map(str, words)
    headers = {str(name): str(value) for name, value in fields.items()}
    return number, PageRequest(method, path, query, headers, peer)


def sent(send: Send, number: int, reply: PageReply) -> None:
    """A reply on its way to the worker. Its body goes as a file in memory: in a message, long texts are
    cut."""
    message = {
        "do": "paged",
        "id": number,
        "status": reply.status,
        "type": reply.content_type,
        "headers": [list(pair) for pair in reply.headers],
    }
    try:
        fd = filled("penstock-page", reply.body)
        try:
            send(message, (fd,))
        finally:
            os.close(fd)
    except OSError:  # no descriptor is left
        send(message, ())
