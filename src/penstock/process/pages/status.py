"""The status page: who may see it, and what the browser is given: a file, and figures that it asks for.

Runs on the supervisor's loop, or on a single process's. Nothing can be changed by it. It does not know where
the figures come from, nor whether it has an address of its own or is a path of the application's.
"""

import json
from base64 import b64encode
from collections.abc import Callable
from hashlib import blake2b, sha256
from pathlib import Path
from secrets import token_bytes
from time import monotonic
from typing import Any
from urllib.parse import parse_qs

from penstock.config.observing.places import users_file
from penstock.process.pages.httpd import Deferred, PageReply, PageRequest
from penstock.serve.routing.actions.basicauth import Admits, credentials, one_user
from penstock.serve.routing.htpasswd import Htpasswd

FILE = "status.html"
HTML, JSON, PLAIN = "text/html; charset=utf-8", "application/json", "text/plain; charset=utf-8"
DATA = "data"
"""What the query has where figures are wanted, and not the page; ``since`` beside it as ``Overview.ask``."""
PASSED_ON = ("x-forwarded-for", "x-forwarded-host", "x-real-ip", "forwarded", "via")
"""Fields of a request that a proxy passes on: who asks is not on this machine then, whoever connects."""
WRONG = 5  # wrong passwords in a second, from where on no more are tried
QUICK = 0.005  # seconds; a password that is tried faster holds up nobody
SHARE = 9  # trying wrong ones takes at most one part in ten of the time: bcrypt takes a quarter of a second
KNOWN = 64  # right ones that are remembered, to be let in whatever others try
ALWAYS = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("X-Frame-Options", "DENY"),
)
CHALLENGE = ("WWW-Authenticate", 'Basic realm="penstock status", charset="UTF-8"')
NEEDS_USER = (
    "This page has no status-auth, so it is for this machine alone: open it by http://localhost or http://127.0.0.1"
    " there (ssh -L brings the port to yours), or give status-auth = user:password."
)
NEEDS_USER_ON_PATH = (
    "A status page on the application's own sockets needs status-auth = user:password: what a front server on"
    " this machine passes on could not be told from what comes from here."
)

Ask = Callable[[Callable[[dict[str, Any]], None], int], None]


class StatusPage:
    """``ask`` is ``Overview.ask``, ``auth`` the option's value; ``shared``: it is a path on sockets that the
    application has, too. ``warn`` as ``Diary.warn_once``."""

    def __init__(self, ask: Ask, auth: str, warn: Callable[[str, str], None], shared: bool = False) -> None:
        self.ask = ask
        self.admits = admits_of(auth, warn) if auth else None
        self.shared = shared
        self.page = (Path(__file__).parent / FILE).read_bytes()
        self.policy = ("Content-Security-Policy", policy_of(self.page))
        self.wrong: list[float] = []
        self.again = 0.0  # time.monotonic before which no unknown password is tried
        self.key = token_bytes(32)
        self.known: set[bytes] = set()

    def answer(self, request: PageRequest) -> PageReply | Deferred:
        """The page, or its figures."""
        refused = self.refused(request)
        if refused is not None:
            return refused
        query = parse_qs(request.query, keep_blank_values=True)
        if DATA not in query:
            return self.reply(200, HTML, self.page)
        deferred = Deferred()
        self.ask(lambda found: deferred.done(self.reply(200, JSON, as_json(found))), since_of(query))
        return deferred

    def reply(self, status: int, kind: str, body: bytes, *headers: tuple[str, str]) -> PageReply:
        """With what keeps it from being read or framed by other sites."""
        return PageReply(status, kind, body, (*ALWAYS, self.policy, *headers))

    # ---- Who may see it -----------------------------------------------------------------------------

    def refused(self, request: PageRequest) -> PageReply | None:
        """None for who may see it."""
        if of_another_site(request):
            return self.said(403, "not for other sites")
        if self.admits is None:
            return self.not_here(request)
        said = credentials(request.headers.get("authorization", ""))
        if said is None:
            return self.said(401, "who are you?", CHALLENGE)
        digest, begun = blake2b(b"%d:%b%b" % (len(said[0]), *said), key=self.key).digest(), monotonic()
        self.wrong = [when for when in self.wrong if begun - when < 1.0]
        if digest not in self.known and (begun < self.again or len(self.wrong) >= WRONG):
            return self.said(429, "too many wrong passwords; try again in a moment", ("Retry-After", "1"))
        if self.admits(*said):
            self.known = {*self.known, digest} if len(self.known) < KNOWN else {digest}
            return None
        self.known.discard(digest)
        now = monotonic()
        self.wrong.append(now)
        if now - begun > QUICK:
            self.again = now + SHARE * (now - begun)
        return self.said(401, "who are you?", CHALLENGE)

    def not_here(self, request: PageRequest) -> PageReply | None:
        """None for who is on this machine, as far as can be told."""
        if self.shared:
            return self.said(403, NEEDS_USER_ON_PATH)
        passed_on = any(name in request.headers for name in PASSED_ON)
        if passed_on or not request.local or not request.named_here:
            return self.said(403, NEEDS_USER)
        return None

    def said(self, status: int, text: str, *headers: tuple[str, str]) -> PageReply:
        """A refusal."""
        return self.reply(status, PLAIN, f"{text}\n".encode(), *headers)


def of_another_site(request: PageRequest) -> bool:
    """Whether a page of another site has a browser ask. A link from there may lead here, to the page itself
    (Fetch Metadata)."""
    if request.headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
        return False
    return request.headers.get("sec-fetch-mode") != "navigate" or bool(request.query)


def admits_of(auth: str, warn: Callable[[str, str], None]) -> Admits:
    """Who lets in: ``user:password``, else a file as ``htpasswd`` writes it."""
    file = users_file(auth)
    # Browsers send UTF-8, as the challenge says; rules of routing carry octets as latin-1.
    octets = auth.encode(errors="surrogateescape")
    return Htpasswd(file, warn).admits if file else one_user(octets.decode("latin-1"))


def since_of(query: dict[str, list[str]]) -> int:
    """The last second that the page has figures of; 0 where it has none."""
    text = query.get("since", [""])[-1]
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 12 else 0


def as_json(document: dict[str, Any]) -> bytes:
    """A document as it is sent."""
    return json.dumps(document, separators=(",", ":")).encode()


def policy_of(page: bytes) -> str:
    """A policy (CSP) by which the page has its own script and style, asks its own server, and no other."""
    script, style = (digest_of(page, tag) for tag in (b"script", b"style"))
    return (
        f"default-src 'none'; script-src '{script}'; style-src '{style}'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def digest_of(page: bytes, tag: bytes) -> str:
    """The digest of the page's only element of that name."""
    inside = page.partition(b"<%b>" % tag)[2].partition(b"</%b>" % tag)[0]
    return "sha256-" + b64encode(sha256(inside).digest()).decode()
