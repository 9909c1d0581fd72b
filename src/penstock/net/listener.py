"""A listening socket and what its connections have in common.

A listener's socket is non-blocking from its birth and stays so: the flag is shared by everyone who holds the
socket.
"""

import os
import socket
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from penstock.codecs.decoder import Decoder
from penstock.net.listening import inode_of, refuse_new, socket_name
from penstock.net.trust import Forwarding, Peers

if TYPE_CHECKING:
    from ssl import SSLContext


@dataclass(slots=True, eq=False, repr=False)
class Listener:
    """One listening socket.

    ``protocol`` is ``http``, ``https`` or ``uwsgi``; ``decoder`` what those of its connections are made
    after; ``base`` what every environ on it starts from; ``allow`` the peers that are served (None for all);
    ``interim`` whether 1xx replies may be sent (never on uwsgi: nginx would take one for the answer);
    ``context`` what TLS is spoken with, None where it is not, and ``export_cert`` whether a client's
    certificate goes into the environ.
    """

    sock: socket.socket
    protocol: str
    decoder: Decoder
    base: dict[str, Any]
    forwarding: Forwarding
    allow: Peers | None = None
    path: str = ""
    inode: tuple[int, int] = (0, 0)
    inherited: bool = False
    context: "SSLContext | None" = None
    export_cert: bool = False
    interim: bool = field(init=False)
    local: bool = field(init=False)

    def __post_init__(self) -> None:
        self.interim = self.protocol != "uwsgi"
        self.local = self.sock.family == getattr(socket, "AF_UNIX", None)
        self.base = roomy(self.base)

    @property
    def name(self) -> str:
        """How the log and the operator name it: ``http://127.0.0.1:8000``, ``uwsgi://unix:/run/x``."""
        return f"{self.protocol}://{socket_name(self.sock)}"

    @property
    def public(self) -> bool:
        """Whether hosts beyond this machine can reach it."""
        if self.local:
            return False
        host = self.sock.getsockname()[0]
        return not (host.startswith("127.") or host in ("::1", "::ffff:127.0.0.1"))

    def refuse_new(self) -> None:
        """Let no new connection in, while those whose handshake is complete or under way stay ours.

        TCP on Linux: a socket filter that drops each first SYN; the client tries again and finds the next
        server, or nobody. UNIX: shutdown, after which connect() is refused and accept() still yields what
        waits. An inherited socket is left alone: it lives on without us, and so does its queue.
        """
        if not self.inherited:
            refuse_new(self.sock)

    def close(self) -> None:
        """Listen no more."""
        self.sock.close()

    def unlink(self) -> None:
        """Remove its path if it is still ours (uWSGI's ``vacuum``)."""
        if self.path and self.inode == inode_of(self.path):
            try:
                os.unlink(self.path)
            except OSError:
                pass  # somebody else was faster, or the folder is not ours any more


def roomy(base: dict[str, Any]) -> dict[str, Any]:
    """The same, with room for some forty keys in its table, which ``dict.copy`` takes along: the copy of each
    request would else be moved into a larger one when the first headers come (a hundredth of its cost).

    CPython makes room for the keys of both when one is added to another, and here they are the same ones.
    """
    made = dict(islice(base.items(), 10))
    made.update(base)
    return made
