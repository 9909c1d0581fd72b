"""``basicauth:``: who the client is, by name and password (RFC 7617).

Built at boot, run by pool threads. It knows one rule's realm and its list of users; what the name admits to
is the application's. Differences from uWSGI, each on the safe side: the realm's quotes are escaped, bcrypt,
apr1 and all of libcrypt's hashes are known, and comparing takes the same time whatever is right.
"""

import hmac
from base64 import b64decode
from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING

from penstock.serve.routing.flow import NEXT
from penstock.serve.routing.htpasswd import Htpasswd
from penstock.serve.routing.turn import Turn, path_of

if TYPE_CHECKING:
    from penstock.serve.routing.tools import Act, Builder, Tools

Admits = Callable[[bytes, bytes], bool]
STATUS = "401 Authorization Required"


def credentials(said: str) -> tuple[bytes, bytes] | None:
    """Name and password out of an Authorization field; None where it has none."""
    scheme, _, token = said.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = b64decode(token.strip(" "), validate=True).partition(b":")
    except ValueError:
        return None
    return (name, password) if colon else None


def one_user(said: str) -> Admits:
    """``user:password`` as the rule has it."""
    wanted = sha256(said.encode("latin-1")).digest()

    def admits(user: bytes, password: bytes) -> bool:
        return hmac.compare_digest(sha256(user + b":" + password).digest(), wanted)

    return admits


def authenticator(goes_on: bool) -> "Builder":
    """``basicauth:REALM,USER:PASSWORD``, ``basicauth:REALM,/file/of/users``, ``basicauth:REALM,`` for nobody.

    A client that has a name already (REMOTE_USER) passes. ``goes_on``: one that says a wrong name or password
    passes without a name, for a rule that follows with other users; one that says none is asked, as in uWSGI.
    """

    def build(argument: str, tools: "Tools") -> "Act":
        realm, comma, users = argument.partition(",")
        if not comma:
            raise ValueError("takes REALM,USER:PASSWORD or REALM,FILE, and REALM, for nobody")
        quoted = realm.replace("\\", "\\\\").replace('"', '\\"')
        headers = [("WWW-Authenticate", f'Basic realm="{quoted}"')]
        admits = (
            one_user(users)
            if ":" in users
            else Htpasswd(path_of(users), tools.warn).admits
            if users
            else None
        )

        def act(turn: Turn) -> int:
            if turn.get("REMOTE_USER"):
                return NEXT
            said = credentials(turn.get("HTTP_AUTHORIZATION")) if admits is not None else None
            if said is not None and admits is not None:
                if admits(*said):
                    turn.set("REMOTE_USER", said[0].decode("latin-1"))
                    return NEXT
                if goes_on:
                    return NEXT
            return turn.reply(STATUS, list(headers), b"Unauthorized")

        return act

    return build


ACTIONS = {"basicauth": authenticator(False), "basicauth-next": authenticator(True)}
