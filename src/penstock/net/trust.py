"""Whose word counts: which peers may say what the client's address and scheme were.

Only a trusted peer's X-Forwarded-* and Forwarded set the scheme and the logged address; from anybody
else they stay in the environ like any header and change nothing.
"""

import ipaddress
import re
from collections.abc import Iterable
from time import time
from typing import Any

ID = re.compile(r"[\x21-\x7e]{1,200}")
HOUR = 3600.0  # seconds
LATEST = 1e11  # seconds since the epoch; beyond that a number has another unit
UNITS = (1, 1000, 1_000_000)  # of a second

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Peers:
    """A list of addresses and networks; ``*`` is everybody, ``unix:`` every UNIX socket's peer.

    Raises ValueError for an entry that is none of these.
    """

    def __init__(self, entries: Iterable[str]) -> None:
        self.everybody = False
        self.unix = False
        self.networks: list[Network] = []
        for entry in entries:
            if entry == "*":
                self.everybody = self.unix = True
            elif entry in ("unix:", "unix"):
                self.unix = True
            else:
                self.networks.append(ipaddress.ip_network(entry, strict=False))
        self.known: dict[str, bool] = {}

    def __contains__(self, address: str) -> bool:
        """Whether ``address`` (a numeric IP, or "" for a UNIX socket) is one of them."""
        found = self.known.get(address)
        if found is None:
            if len(self.known) > 4096:
                self.known.clear()
            found = self.known[address] = self._look(address)
        return found

    def _look(self, address: str) -> bool:
        if not address:
            return self.unix
        if self.everybody:
            return True
        try:
            ip = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        mapped = getattr(ip, "ipv4_mapped", None)
        ip = mapped or ip
        return any(ip in network for network in self.networks)


class Forwarding:
    """Applies what a trusted peer says to a request's variables.

    ``rewrite``: also set REMOTE_ADDR to the client's address (by option; never otherwise). ``name``: the
    variable whose value is the request's id, "" for none.
    """

    def __init__(self, peers: Peers, rewrite: bool = False, name: str = "") -> None:
        self.peers = peers
        self.rewrite = rewrite
        self.name = name

    def apply(self, variables: dict[str, Any]) -> None:
        """Set ``wsgi.url_scheme``, the client's address for the log, the request's id and the time that it
        has waited elsewhere, from a trusted peer's headers."""
        # Most requests have none of them, and ``in`` is a third of a call of ``get``.
        if "HTTP_X_REQUEST_START" in variables or "HTTP_X_QUEUE_START" in variables:
            start = variables.get("HTTP_X_REQUEST_START") or variables.get("HTTP_X_QUEUE_START", "")
            note_since(start, variables)
        if self.name:
            note_id(variables.get(self.name, ""), variables)
        if (
            "HTTP_X_FORWARDED_FOR" in variables
            or "HTTP_X_FORWARDED_PROTO" in variables
            or "HTTP_FORWARDED" in variables
            or "HTTP_X_FORWARDED_SSL" in variables
        ):
            self.believe(variables)

    def believe(self, variables: dict[str, Any]) -> None:
        """Scheme and address, as some of these headers say."""
        get = variables.get
        forwarded = get("HTTP_FORWARDED")
        scheme = get("HTTP_X_FORWARDED_PROTO")
        chain = get("HTTP_X_FORWARDED_FOR")
        if forwarded:
            pairs = _forwarded(forwarded)
            scheme = scheme or next((value for name, value in reversed(pairs) if name == "proto"), None)
            chain = chain or ", ".join(_bare(value) for name, value in pairs if name == "for")
        if scheme is None and get("HTTP_X_FORWARDED_SSL", "").lower() == "on":
            scheme = "https"
        if scheme:
            scheme = scheme.rpartition(",")[2].strip().lower()
            if scheme in ("http", "https"):
                variables["wsgi.url_scheme"] = scheme
        if chain:
            self.note_client(self.client(chain), variables)

    def packed(self, variables: dict[str, Any]) -> None:
        """The same from a trusted front server's own words in a uwsgi packet, where the headers are those of
        a client that is not believed: ``uwsgi_param REQUEST_START "t=$msec"`` and ``REQUEST_ID``."""
        since = variables.get("REQUEST_START")
        if since:
            note_since(since, variables)
        if self.name:
            note_id(variables.get("REQUEST_ID", ""), variables)

    def note_client(self, client: str, variables: dict[str, Any]) -> None:
        """The client behind the proxies, for the log, and in REMOTE_ADDR where that was asked for."""
        if client:
            variables["penstock.client"] = client
            if self.rewrite:
                variables["REMOTE_ADDR"] = client

    def client(self, chain: str) -> str:
        """The address nearest to us in ``chain`` that is not itself a trusted proxy; "" for nonsense.

        Read from the right: what stands further left was written by somebody we know nothing of.
        """
        client = ""
        for hop in reversed(chain.split(",")):
            address = _bare(hop.strip())
            if "%" in address:
                break  # a zone is any text, and of no meaning beyond its own host (RFC 4007 §6)
            try:
                ipaddress.ip_address(address)
            except ValueError:
                break
            client = address
            if address not in self.peers:
                break
        return client


def note_since(text: str, variables: dict[str, Any]) -> None:
    """How long a request has waited before it came here, as part of the time that it waits in all.

    ``text`` is the time since the epoch, in seconds, milliseconds or microseconds, with ``t=`` before it or
    not: front servers write all of these. One that is in the future, or an hour ago, is another clock's.
    """
    try:
        since = float(text.strip().removeprefix("t="))
    except ValueError:
        return
    unit = next((unit for unit in UNITS if 0.0 < since < LATEST * unit), 0)
    waited = time() - since / unit if unit else 0.0
    if 0.0 < waited < HOUR:
        variables["penstock.queue_time"] = waited


def note_id(text: str, variables: dict[str, Any]) -> None:
    """The id that a request has already."""
    if ID.fullmatch(text):
        variables["penstock.request_id"] = text


def _bare(node: str) -> str:
    """An address without its port and brackets (RFC 7239 §6)."""
    node = node.strip('"')
    if node.startswith("["):
        return node[1:].partition("]")[0]
    if node.count(":") == 1:
        return node.partition(":")[0]
    return node


def _forwarded(value: str) -> list[tuple[str, str]]:
    """The pairs of a Forwarded header, names lower-cased, in order (RFC 7239 §4)."""
    pairs = []
    for element in value.split(","):
        for pair in element.split(";"):
            name, equals, text = pair.partition("=")
            if equals:
                pairs.append((name.strip().lower(), text.strip().strip('"')))
    return pairs
