"""Rules over a reply whose outbox is a list: what was sent, and what became of the environ."""

from typing import Any

from penstock.core.request import Request
from penstock.handoff.exchange import Exchange
from penstock.serve.finish.call import FinishedCall
from penstock.serve.finish.finish import Finish
from penstock.serve.routing.flow import CONTINUE
from penstock.serve.routing.table import Rules, compile_rules
from penstock.serve.routing.tools import Tools
from tests.serve.boxes import ListBox, manner

ENVIRON = {
    "REQUEST_METHOD": "GET",
    "REQUEST_URI": "/a/b?x=1&y=2",
    "PATH_INFO": "/a/b",
    "QUERY_STRING": "x=1&y=2",
    "SCRIPT_NAME": "",
    "HTTP_HOST": "h.example",
    "REMOTE_ADDR": "127.0.0.1",
    "SERVER_PROTOCOL": "HTTP/1.1",
}


class Ground:
    """Rules, and what they and the log's sink said.

    ``rules`` is the text of an ini file: ``name = value`` in each line.
    """

    def __init__(self, text: str, **tools: Any) -> None:
        self.warnings: list[str] = []
        self.lines: list[str] = []
        lines = [line.strip() for line in text.strip().splitlines()]
        pairs = [line.split(" = ", 1) for line in lines if line]
        given = [(name, value, f"x.ini:{at}") for at, (name, value) in enumerate(pairs, 1)]
        made = Tools(warn=lambda key, line: self.warnings.append(line), info=self.lines.append, **tools)
        self.rules: Rules = compile_rules(given, made)
        self.box = ListBox()
        self.call = self.fresh({})
        self.flow = -1

    def fresh(self, environ: dict[str, str], http11: bool = True) -> FinishedCall:
        variables: dict[str, Any] = {**ENVIRON, **environ}
        request = Request(variables)
        request.http11 = request.keep_alive = http11
        self.box = ListBox()
        outbox: Any = self.box
        finish = Finish(respond=self.rules.respond, erred=self.rules.erred)
        return FinishedCall(Exchange(request, outbox, None, 0.0, True), manner(), finish)

    def walk(self, path: str = "/a/b", **environ: str) -> "Ground":
        """Request rules, on a request of that path."""
        self.call = self.fresh({"PATH_INFO": path, **environ})
        self.flow = self.rules.request(self.call, self.call.environ)
        return self

    def serve(self, path: str = "/a/b", status: str = "200 OK", **environ: str) -> bytes:
        """The same, and the application behind them; what was sent."""
        self.walk(path, **environ)
        if self.flow == CONTINUE:
            self.call.run(application(status), self.call.environ)
        self.rules.final(self.call)
        return self.sent

    @property
    def environ(self) -> dict[str, Any]:
        return self.call.environ

    @property
    def sent(self) -> bytes:
        """Without the Date."""
        lines = self.box.sent.split(b"\r\n")
        return b"\r\n".join(line for line in lines if not line.startswith(b"Date: "))


def application(status: str) -> Any:
    def run(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response(status, [("Content-Type", "text/plain"), ("X-App", "1")])
        return [b"app\n"]

    return run


def said(text: str, **environ: str) -> str:
    """What an action's text comes to behind ``route = ^/(a)(/b)?(z)?``."""
    ground = Ground(f"route = ^/(a)(/b)?(z)? addvar:SAID={text}").walk(**environ)
    result: str = ground.environ["SAID"]
    return result
