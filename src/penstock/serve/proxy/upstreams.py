"""The connections to other servers that are kept for the next request, one store for each of them.

Shared by all pool threads of a worker. Kept ones lie in deques, whose ends are taken and given back in single
steps that are whole by themselves, so there is no lock. It does not know what a request is.
"""

from collections import deque
from time import monotonic

from penstock.handoff.exchange import Exchange
from penstock.serve.proxy.link import Link, connect
from penstock.serve.proxy.target import Target

KEPT = 32  # connections that are kept to one server
TARGETS = 256  # servers to which connections are kept
IDLE = 10.0  # seconds; many servers close an idle one after less than a minute


class Upstreams:
    """``timeout``: seconds of silence that a server is allowed; ``connect_timeout``: seconds for it to take a
    connection."""

    def __init__(self, timeout: float = 60.0, connect_timeout: float = 5.0) -> None:
        self.timeout = timeout
        self.connect_timeout = connect_timeout
        self.kept: dict[Target, deque[Link]] = {}
        self.swept = 0.0

    def take(self, target: Target) -> Link | None:
        """A kept connection that is open and has nothing to say; None without one."""
        links = self.kept.get(target)
        while links:
            try:
                link = links.pop()
            except IndexError:  # another thread took it
                break
            if monotonic() - link.since < IDLE and link.silent():
                return link
            link.close()
        return None

    def connect(self, target: Target, x: Exchange) -> Link:
        """A new one. Raises UpstreamError(502), Disconnected."""
        return connect(target, x, self.connect_timeout)

    def give(self, target: Target, link: Link) -> None:
        """Keep a connection over which a whole reply has come, and nothing behind it."""
        now = link.since = monotonic()
        link.served += 1
        links = self.kept.get(target)
        if links is None:
            if len(self.kept) >= TARGETS:
                link.close()
                return
            links = self.kept.setdefault(target, deque())
        links.append(link)
        if len(links) > KEPT:
            self.drop(links)
        if now - self.swept > 1.0:
            self.swept = now
            self.sweep(now - IDLE)

    def sweep(self, before: float) -> None:
        """Close those that have lain since ``before``; to others than this one's server, too."""
        for links in list(self.kept.values()):
            try:
                while links[0].since <= before:
                    self.drop(links)
            except IndexError:
                pass

    def drop(self, links: deque[Link]) -> None:
        """Close the one that has lain for longest."""
        try:
            link = links.popleft()
        except IndexError:
            return
        link.close()

    def close(self) -> None:
        """Close all of them."""
        for links in list(self.kept.values()):
            while links:
                self.drop(links)
