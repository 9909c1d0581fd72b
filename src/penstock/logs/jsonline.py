"""A request as one line of JSON, with OpenTelemetry's names (semantic conventions for HTTP).

Run by the service thread that writes the diary. Numbers are numbers, whatever a client said is a string that
no quote, control or broken character leaves; what a request does not have is left out.
"""

from collections.abc import Callable, Sequence
from time import gmtime, strftime
from typing import Any

from penstock.core.record import FAILED, READ_ERROR, WRITE_ERROR
from penstock.core.running import trace
from penstock.logs.access import LONGEST
from penstock.logs.fields import KINDS
from penstock.logs.house import House

WANTED = (
    *("HTTP_HOST", "wsgi.url_scheme", "HTTP_USER_AGENT", "HTTP_REFERER", "CONTENT_LENGTH"),
    "HTTP_TRACEPARENT",
)
SECOND = "%Y-%m-%dT%H:%M:%S"
FAULTS = ((FAILED, "exception"), (READ_ERROR, "read"), (WRITE_ERROR, "write"))


class JsonLine:
    """Makes the lines. One writer."""

    wanted = WANTED

    def __init__(self, house: House) -> None:
        # Not before it is asked for: the module is not in every server's memory.
        from json.encoder import encode_basestring_ascii

        self.house = house
        self.encode: Callable[[str], str] = encode_basestring_ascii
        self.last: tuple[int, str] = (-1, "")

    def make(self, record: Sequence[Any]) -> str:
        """The line of one record, without its end of line."""
        # Taken apart by position, as in ``access``.
        (started, seconds, address, user, method, uri, protocol, status, _, header_bytes) = record[:10]
        body_bytes, core, via = record[10], record[14], record[15]
        (receive, queue, run, write, mount, kind, faults, id, said, logvars) = record[17:27]
        path, mark, query = uri.partition("?")
        method, path = self.quote(method), self.quote(path)
        parts = [
            f'{{"timestamp":"{self.moment(started)}","severity_text":"{severity(status, faults)}"'
            f',"logger":"penstock.access","message":"{method[1:-1]} {path[1:-1]} {status}"'
            f',"http.request.method":{method},"url.path":{path}'
            f',"http.response.status_code":{status},"http.response.body.size":{body_bytes}'
            f',"http.response.size":{header_bytes + body_bytes}'
            f',"client.address":{self.quote(address)},"http.server.request.duration":{seconds:.6f}'
            f',"penstock.receive":{receive:.6f},"penstock.queue":{queue:.6f}'
            f',"penstock.run":{run:.6f},"penstock.write":{write:.6f}'
            f',"penstock.kind":"{KINDS[kind]}","penstock.core":{core}'
            f',"penstock.worker":{self.house.wid},"process.pid":{self.house.pid}'
        ]
        if mark:
            parts.append(f'"url.query":{self.quote(query)}')
        self.add_protocol(parts, protocol)
        self.add_said(parts, said)
        for key, value in (("request_id", id), ("user.name", user), ("penstock.mount", mount)):
            if value:
                parts.append(f'"{key}":{self.quote(value)}')
        if via:
            parts.append(f'"penstock.via":"{via}"')
        if faults:
            parts.append(f'"error.type":"{fault(faults)}"')
        if logvars:
            parts.append(f'"logvars":{{{self.pairs(logvars)}}}')
        return ",".join(parts) + "}"

    def add_protocol(self, parts: list[str], protocol: str) -> None:
        """Its name and version."""
        name, _, version = protocol.partition("/")
        if version:
            quoted = self.quote(name.lower())
            parts.append(f'"network.protocol.name":{quoted},"network.protocol.version":{self.quote(version)}')

    def add_said(self, parts: list[str], said: Sequence[str]) -> None:
        """What only the request's own variables say."""
        host, scheme, agent, referer, length, traceparent = said
        if host:
            self.add_server(parts, host)
        if scheme:
            parts.append(f'"url.scheme":{self.quote(scheme)}')
        if agent:
            parts.append(f'"user_agent.original":{self.quote(agent)}')
        if referer:
            parts.append(f'"http.request.header.referer":[{self.quote(referer)}]')
        if length.isascii() and length.isdigit():
            parts.append(f'"http.request.body.size":{int(length[:19])}')
        if traceparent:
            trace_id, span_id, flags = trace(traceparent)
            if trace_id:
                parts.append(f'"trace_id":"{trace_id}","span_id":"{span_id}","trace_flags":"{flags}"')

    def add_server(self, parts: list[str], host: str) -> None:
        """The name by which it was called, and the port where there is one."""
        name, colon, port = host.rpartition(":")
        if colon and port.isascii() and port.isdigit() and len(port) < 6:
            parts.append(f'"server.address":{self.quote(name)},"server.port":{int(port)}')
        else:
            parts.append(f'"server.address":{self.quote(host)}')

    def pairs(self, logvars: dict[str, str]) -> str:
        """Members of an object."""
        return ",".join(f"{self.quote(name)}:{self.quote(value)}" for name, value in logvars.items())

    def quote(self, text: str) -> str:
        """A JSON string of it, in ASCII alone."""
        if len(text) > LONGEST:
            text = text[:LONGEST] + "..."
        return self.encode(text if text.isascii() else readable(text))

    def moment(self, started: float) -> str:
        """RFC 3339, in UTC, to the microsecond."""
        second = int(started)
        if second != self.last[0]:
            self.last = (second, strftime(SECOND, gmtime(second)))
        return f"{self.last[1]}.{int((started - second) * 1_000_000):06d}Z"


def readable(text: str) -> str:
    """Bytes that are carried as latin-1 (PEP 3333) as the UTF-8 that they nearly always are, else as they
    are carried; no half of a surrogate pair, which strict readers refuse (RFC 8259 §8.2)."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode("utf-8")
    except UnicodeDecodeError:
        return text


def severity(status: int, faults: int) -> str:
    """OpenTelemetry's word: an error of ours, or a reply that did not come about."""
    return "ERROR" if status >= 500 or status == 0 or faults & FAILED else "INFO"


def fault(faults: int) -> str:
    """The first of what went wrong."""
    return next((word for bit, word in FAULTS if faults & bit), "other")
