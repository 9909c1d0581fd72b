"""Whose word counts: which peers may say what the client's address and scheme were.

Only a trusted peer's X-Forwarded-* and Forwarded set the scheme and the logged address; from anybody
else they stay in the environ like any header and change nothing.
"""

import ipaddress
from collections.abc import Iterable
from typing import Any

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

    ``rewrite``: also set REMOTE_ADDR to the client's address (by option; never otherwise).
    """

    def __init__(self, peers: Peers, rewrite: bool = False) -> None:
        self.peers = peers
        self.rewrite = rewrite

    def apply(self, variables: dict[str, Any]) -> None:
        """Set ``wsgi.url_scheme``, and the client's address for the log, from a trusted peer's headers."""
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
