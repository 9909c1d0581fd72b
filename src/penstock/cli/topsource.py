"""Where ``penstock top`` has its figures from: a server's control socket, or the URL of its status page.

Runs in the command, and waits. It does not know what is shown of them.
"""

import json
from typing import Any, Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from penstock.cli.topview import Wish, lines_of
from penstock.cli.words import Misused
from penstock.config.finding import visible
from penstock.process.supervisor.client import Call, NoServer, Silent

PATIENCE = 10.0  # seconds that a page may take
MOST = 16 << 20  # bytes of one


class Source(Protocol):
    """Where figures come from. Both raise NoServer and Silent."""

    def view(self) -> dict[str, Any]:
        """The document of now."""

    def replace(self, wid: int) -> str:
        """Another process for a worker; how that went, for people."""


class ControlSocket:
    """A server's control socket, at ``path``."""

    def __init__(self, path: str) -> None:
        self.path = path

    def ask(self, **message: Any) -> dict[str, Any]:
        """One command, on a connection of its own: so it reaches whoever has taken the server's place."""
        with Call(self.path) as call:
            return call.ask(message)

    def view(self) -> dict[str, Any]:
        """The document."""
        reply = self.ask(command="view")
        if not isinstance(reply.get("view"), dict):
            raise Silent(f"the server at {self.path} has nothing to show: {reply.get('text')}")
        return drawable(reply["view"], f"the server at {self.path}")

    def replace(self, wid: int) -> str:
        """It is begun."""
        return str(self.ask(command="replace-worker", count=wid).get("text"))


class StatusUrl:
    """A status page's URL, which may have a user and a password in it. Raises Misused for none."""

    def __init__(self, url: str) -> None:
        self.parts = parts_of(url)
        self.url = shown(self.parts)
        if self.parts.scheme not in ("http", "https") or not self.parts.hostname:
            raise Misused(f"--url: http://HOST:PORT/ is expected, not {self.url}")

    def view(self) -> dict[str, Any]:
        """The document."""
        import http.client

        parts = self.parts
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        client = kind(parts.hostname or "", parts.port, timeout=PATIENCE)
        try:
            client.request("GET", f"{parts.path or '/'}?data", headers=self.headers())
            with client.getresponse() as reply:
                body = reply.read(MOST)
        except (OSError, http.client.HTTPException) as error:
            raise NoServer(f"{self.url}: {visible(str(error))}") from error
        finally:
            client.close()
        if reply.status != 200:
            said = visible(body.decode(errors="replace").strip()[:300])
            raise NoServer(f"{self.url}: the server says {reply.status}: {said}")
        return self.read(body)

    def read(self, body: bytes) -> dict[str, Any]:
        """The document in a reply. Raises Silent."""
        try:
            found = json.loads(body)
        except ValueError:
            found = None
        if not isinstance(found, dict) or "workers" not in found:
            raise Silent(f"{self.url} is no status page of penstock")
        return drawable(found, self.url)

    def headers(self) -> dict[str, str]:
        """Who asks, where the URL says so."""
        if self.parts.username is None:
            return {}
        from base64 import b64encode

        who = f"{unquote(self.parts.username)}:{unquote(self.parts.password or '')}"
        return {"Authorization": f"Basic {b64encode(who.encode()).decode()}"}

    def replace(self, wid: int) -> str:
        """It cannot."""
        return "a page changes nothing: reload a worker by the control socket (top without --url)"


def drawable(view: dict[str, Any], who: str) -> dict[str, Any]:
    """The same, if it can be shown. Raises Silent for what another version, or somebody else, says."""
    try:
        lines_of(view, Wish())
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
        raise Silent(f"what {who} shows is of another version of penstock") from None
    return view


def parts_of(url: str) -> SplitResult:
    """A URL's parts. Raises Misused for none."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number
    except ValueError as error:
        raise Misused(f"--url: {visible(str(error))}") from None
    return parts


def shown(parts: SplitResult) -> str:
    """A URL for the screen: a password is not for whoever looks over a shoulder."""
    return visible(parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl())
