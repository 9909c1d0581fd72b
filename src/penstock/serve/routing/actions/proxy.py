"""Actions that pass the request to another server: ``http:`` and ``uwsgi:`` with their aliases.

Built at boot, run on pool threads. As in uWSGI, but that what the other server does is never the client's
harm: no reply is 502, a late one 504, and no piece of a request becomes a field or a request of its own.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from penstock.codecs.http1_reply import BadReply
from penstock.core.errors import ProtocolError
from penstock.serve.proxy.body import body_of, measured
from penstock.serve.proxy.link import UpstreamError
from penstock.serve.proxy.outgoing import http_head, http_target, text_of, uwsgi_packet
from penstock.serve.proxy.passing import Errand, pass_on
from penstock.serve.proxy.target import Target, parse_target
from penstock.serve.proxy.upstreams import Upstreams
from penstock.serve.routing.flow import BREAK, CONTINUE, ERROR, REQUEST
from penstock.serve.routing.template import constant_of

if TYPE_CHECKING:
    from penstock.serve.routing.tools import Act, Builder, Tools
    from penstock.serve.routing.turn import Turn

PYTHON = (0, 30)  # modifier1 of what is served here
VIA = "route()"  # uWSGI's word in the access log

Aim = Callable[["Turn"], Target]
Prepare = Callable[["Turn", Target], Errand]


def build_http(text: str, tools: "Tools") -> "Act":
    """``http:ADDRESS[,HOST[,URI]]``: the client's fields, with another Host and target where they are given.

    ADDRESS and URI may have variables. Spoken is HTTP/1.1 over kept connections, where uWSGI opens one with
    HTTP/1.0 for each request.
    """
    address, _, rest = text.partition(",")
    host, _, uri = rest.partition(",")
    aim = aim_of(address, tools)
    target_of = tools.template(uri) if uri else None

    def prepare(turn: "Turn", target: Target) -> Errand:
        environ = turn.environ
        body = body_of(turn.call.x, environ["wsgi.input"])
        wanted = http_target(environ, target_of(turn) if target_of is not None else "")
        name = host or text_of(environ, "HTTP_HOST") or target.authority
        head = http_head(environ, name, wanted, body.length)
        return Errand(target, text_of(environ, "REQUEST_METHOD") or "GET", head, body)

    return passing("http", aim, prepare, tools)


def build_uwsgi(text: str, tools: "Tools") -> "Act":
    """``uwsgi:ADDRESS,MODIFIER1,MODIFIER2[,APP]``: all of the request's variables; without an address the
    application here is named instead, and answers."""
    address, *words = text.split(",", 3)
    if len(words) < 2 or not all(word.isdecimal() and int(word) < 256 for word in words[:2]):
        raise ValueError("uwsgi: expects ADDRESS,MODIFIER1,MODIFIER2[,APP], the modifiers from 0 to 255")
    modifiers = (int(words[0]), int(words[1]))
    app = words[2] if len(words) > 2 else ""
    if not address:
        return remap(modifiers, app)
    aim = aim_of(address, tools)
    folder = tools.settings.spool_dir if tools.settings is not None else ""

    def prepare(turn: "Turn", target: Target) -> Errand:
        body = measured(body_of(turn.call.x, turn.environ["wsgi.input"]), folder)
        try:
            head = uwsgi_packet(turn.environ, body.length, modifiers, app)
        except ProtocolError:
            body.close()
            raise
        return Errand(target, text_of(turn.environ, "REQUEST_METHOD"), head, body, uwsgi=True)

    return passing("uwsgi", aim, prepare, tools)


def remap(modifiers: tuple[int, int], app: str) -> "Act":
    """``uwsgi:,MODIFIER1,MODIFIER2[,APP]``: another application of this server."""
    if modifiers[0] not in PYTHON:
        raise ValueError(f"uwsgi: without an address expects modifier1 0 or 30 (Python), not {modifiers[0]}")

    def act(turn: "Turn") -> int:
        if app:
            turn.set("UWSGI_APPID", app)
        return CONTINUE

    return act


def build_connect(text: str, tools: "Tools") -> "Act":
    """``httpconnect:`` has no request to act on."""
    raise ValueError("CONNECT is answered 501 before any rule; a tunnel is a job for a TCP proxy")


def aim_of(text: str, tools: "Tools") -> Aim:
    """Where a rule's address leads: looked at here where it has no variables."""
    if not text:
        raise ValueError("expects an address: HOST:PORT, or the path of a UNIX socket")
    fixed = constant_of(text)
    if fixed is not None:
        target = parse_target(fixed)
        if target.path and not target.path.startswith(("/", "\0")):
            text = f"{fixed} is a UNIX socket in this folder; a server of that name has a port: {fixed}:80"
            tools.warn("", text)
        return lambda turn: target
    said = tools.template(text)
    return lambda turn: parse_target(said(turn))


def passing(name: str, aim: Aim, prepare: Prepare, tools: "Tools") -> "Act":
    """The action: pass the request on, and answer for whatever goes wrong."""
    if tools.phase not in (REQUEST, ERROR):
        raise ValueError("gives a reply, and in this phase there is one")
    upstreams = tools.upstreams or upstreams_of(tools)

    def act(turn: "Turn") -> int:
        call = turn.call
        if call.sent_head:
            return BREAK
        if text_of(turn.environ, "HTTP_UPGRADE").lower() == "websocket":
            return refuse(turn, tools, 501, f"{name}: WebSockets are not passed on")
        where = name
        try:
            target = aim(turn)
            where = f"{name}:{target.name}"
            errand = prepare(turn, target)
            call.via = VIA
            try:
                pass_on(call, errand, upstreams)
            finally:
                errand.body.close()
        except (UpstreamError, ProtocolError) as error:
            return refuse(turn, tools, error.status, f"{where}: {error.reason}")
        except (BadReply, ValueError) as error:  # no address, once its variables were filled in
            return refuse(turn, tools, 502, f"{where}: {error}")
        return BREAK

    return act


def refuse(turn: "Turn", tools: "Tools", status: int, why: str) -> int:
    """Answer for it; where the reply has begun it is cut, so that nobody takes half of it for the whole."""
    call = turn.call
    outcome = "its reply was cut" if call.sent_head else f"answered {status}"
    tools.warn("", f"{call.line()}: {why}: {outcome}")
    if call.sent_head:
        call.fail()
        return BREAK
    return turn.page(status)


def upstreams_of(tools: "Tools") -> Upstreams:
    """Connections of their own, for a rule that is built by itself."""
    settings = tools.settings
    if settings is None:
        return Upstreams()
    return Upstreams(settings.proxy_timeout, settings.proxy_connect_timeout)


ACTIONS: "dict[str, Builder]" = {
    "http": build_http,
    "httpdumb": build_http,
    "proxyhttp": build_http,
    "httpconnect": build_connect,
    "proxyhttpconnect": build_connect,
    "uwsgi": build_uwsgi,
    "proxyuwsgi": build_uwsgi,
}
