"""Actions over the shared caches: what answers from one, what keeps a reply in one, and numbers.

Built at boot, run by pool threads. As in uWSGI, but that a value which is not kept (it is there already,
there is no room) never costs the request its reply. How a cache works they do not know.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from penstock.codecs.http1_reply import BadReply, fields
from penstock.config.household.daemons import halves, split
from penstock.core.date import http_date
from penstock.serve.routing.actions.variables import number_of
from penstock.serve.routing.flow import BREAK, NEXT
from penstock.serve.routing.turn import Turn

if TYPE_CHECKING:
    from penstock.serve.finish.call import FinishedCall
    from penstock.serve.routing.tools import Act, Builder, Text, Tools

Head = list[tuple[str, str]]

LATEST = 253402300799  # the last second of the year 9999, which is the last one that a date can say
STORE = {"key": "key", "name": "name", "expires": "expires"}
ANSWER = {
    **{"key": "key", "name": "name", "mime": "mime", "no_offload": "no_offload"},
    **{"content_type": "content_type", "content_encoding": "content_encoding"},
    **dict.fromkeys(("no_content_length", "no_cl", "nocl"), "no_cl"),
}
VARIABLE = {"key": "key", "name": "name", "var": "var", "num": "num", "as_num": "num"}
SETTING = {**STORE, "value": "value"}
KEEPING = {**SETTING, "gzip": "gzip", "status": "status", "code": "status"}


def said(action: str, text: str, known: Mapping[str, str], tools: "Tools") -> dict[str, str]:
    """The keys of an action's text, ``key=value`` with commas between them; a backslash takes the meaning
    from a comma. What means nothing is left out with a warning, as uWSGI does without one.

    Raises ValueError without a key.
    """
    found: dict[str, str] = {}
    for item in split(text, ","):
        key, value = halves(item)
        if value is None or key not in known:
            expected = ", ".join(known)
            tools.warn("", f"{action}: {item!r} is left out: KEY=VALUE is expected, KEY one of {expected}")
        else:
            found[known[key]] = value
    if not found.get("key"):
        raise ValueError(f"{action}: key=… is expected")
    return found


def cache_named(text: str, tools: "Tools") -> str:
    """The name of a cache as a rule has it. Raises ValueError for one of another server; one that there is
    not is warned of: in uWSGI it never has anything."""
    from penstock.config.site.caches import forms, missing

    name = text.encode("latin-1", "replace").decode("utf-8", "surrogateescape")
    if "@" in name:
        raise ValueError(f"name={name}: caches of other servers cannot be asked")
    wrong = missing(name, forms(tools.settings)) if tools.settings is not None else ""
    if wrong:
        tools.warn("", f"{wrong}; a rule that asks for it finds and keeps nothing")
    return name


def octets(text: str) -> bytes:
    """Carried text as what it carries; what a template made beyond that as UTF-8."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape")


# ---- Answering ------------------------------------------------------------------------------------


def answering(flow: int, action: str) -> "Builder":
    """``cache:`` and ``cache-continue:``."""

    def build(text: str, tools: "Tools") -> "Act":
        given = said(action, text, ANSWER, tools)
        key_of, name = tools.template(given["key"]), cache_named(given.get("name", ""), tools)
        caches, head_of = tools.caches, heads(action, given, tools)
        measured = "no_cl" not in given

        def act(turn: Turn) -> int:
            key = key_of(turn)
            found = caches.fetch(octets(key), name) if caches is not None else None
            if found is None:
                return NEXT
            value, until = found
            give(turn.call, head_of(key, until), value, measured)
            return flow

        return act

    return build


def heads(action: str, given: Mapping[str, str], tools: "Tools") -> Callable[[str, int], Head]:
    """What makes the fields of a reply, from the key and the time at which it expires. Raises ValueError."""
    kind, encoding = given.get("content_type", "text/html"), given.get("content_encoding", "")
    mime = tools.mime if "mime" in given else None
    after = [("Content-Encoding", encoding)] if encoding else []
    try:
        fields([("Content-Type", kind), *after])
    except BadReply as error:
        raise ValueError(f"{action}: {error}") from error

    def head(key: str, until: int) -> Head:
        made = [("Content-Type", (mime(key) if mime is not None else "") or kind), *after]
        if until:
            made.append(("Expires", http_date(min(until, LATEST))))
        return made

    return head


def give(call: "FinishedCall", head: Head, value: bytes, measured: bool) -> None:
    """Reply with a value, unless a reply has begun."""
    if call.sent_head:
        return
    if measured:
        call.begin("200 OK", [*head, ("Content-Length", str(len(value)))])
        call.whole(value)
    else:
        call.begin("200 OK", head)
        call.flush_head()
        call.block(value, last=True)
        if not call.finished:
            call.end()


def cachevar(text: str, tools: "Tools") -> "Act":
    """``cachevar:key=,var=[,name=][,num=1]``: a value into a variable, a number in decimal."""
    given = said("cachevar", text, VARIABLE, tools)
    variable = given.get("var", "")
    if not variable or variable.startswith(("wsgi.", "penstock.")):
        raise ValueError("cachevar: var=… is expected: a variable of the request, not the server's own")
    key_of, name = tools.template(given["key"]), cache_named(given.get("name", ""), tools)
    caches, counted = tools.caches, "num" in given

    def act(turn: Turn) -> int:
        value = caches.get(octets(key_of(turn)), name) if caches is not None else None
        if value is not None:
            number = int.from_bytes(value, "little", signed=True) if len(value) == 8 else 0
            turn.set(variable, str(number) if counted else value.decode("latin-1"))
        return NEXT

    return act


# ---- Keeping --------------------------------------------------------------------------------------


def cacheset(text: str, tools: "Tools") -> "Act":
    """``cacheset:key=,value=[,name=][,expires=]``: keep a text, unless the key has one."""
    given = said("cacheset", text, SETTING, tools)
    if "value" not in given:
        raise ValueError("cacheset: value=… is expected")
    key_of, value_of = tools.template(given["key"]), tools.template(given["value"])
    name, expires, caches = cache_named(given.get("name", ""), tools), seconds(given), tools.caches

    def act(turn: Turn) -> int:
        if caches is not None:
            caches.set(octets(key_of(turn)), octets(value_of(turn)), expires, name, update=False)
        return NEXT

    return act


def seconds(given: Mapping[str, str]) -> int:
    """``expires``; 0, for ever, without it. Raises ValueError."""
    text = given.get("expires", "0").strip()
    if not (text.isascii() and text.isdecimal()):
        raise ValueError(f"expires: a number of seconds is expected, not {text!r}")
    return int(text[:18])


def counting(method: str, usual: int) -> "Builder":
    """``cacheinc:`` and its like: ``key=[,value=][,name=][,expires=]``."""

    def build(text: str, tools: "Tools") -> "Act":
        given = said(f"cache{method}", text, SETTING, tools)
        key_of, value_of = tools.template(given["key"]), tools.template(given.get("value", str(usual)))
        name, expires = cache_named(given.get("name", ""), tools), seconds(given)
        if tools.caches is None:
            return lambda turn: NEXT
        alter: Callable[..., int | None] = getattr(tools.caches, method)

        def act(turn: Turn) -> int:
            alter(octets(key_of(turn)), number_of(value_of(turn)), expires, name)
            return NEXT

        return act

    return build


def cachestore(text: str, tools: "Tools") -> "Act":
    """``cachestore:key=[,name=][,expires=][,gzip=][,status=][,value=]``: keep the body of a reply.

    Of a reply with status 200, or ``status`` as well; ``gzip`` is the key of a compressed copy, ``value`` a
    text that is kept in place of the body. The name may have variables here.
    """
    given = said("cachestore", text, KEEPING, tools)
    if "$" not in given.get("name", ""):
        cache_named(given.get("name", ""), tools)
    named: list[str] = [key for key in ("key", "name", "gzip", "value") if key in given]
    texts: dict[str, Text] = {key: tools.template(given[key]) for key in named}
    wanted = frozenset({200, number_of(given.get("status", "200"))})
    return partial(keep, tools.caches, texts, wanted, seconds(given))


def keep(caches: Any, texts: "Mapping[str, Text]", wanted: frozenset[int], expires: int, turn: Turn) -> int:
    """One request's ``cachestore``."""
    told = {key: octets(text(turn)) for key, text in texts.items()}
    name = told.get("name", b"").decode("utf-8", "surrogateescape")
    store = caches.store(name) if caches is not None else None
    if store is not None:
        turn.call.touches.transformations.append(Kept(store, told, wanted, expires))
    return NEXT


class Kept:
    """A transformation that changes nothing: the body is kept when all of it has come, and fits."""

    def __init__(self, store: Any, told: Mapping[str, bytes], wanted: frozenset[int], expires: int) -> None:
        self.store = store
        self.told = told
        self.wanted = wanted
        self.expires = expires
        self.parts: list[bytes] = []
        self.room = 0

    def start(self, call: "FinishedCall") -> bool:
        """Whether the reply is one to keep; it has the length that it had."""
        largest: int = self.store.form.largest
        if call.status_code not in self.wanted or call.x.request.is_head or call.declared > largest:
            return False
        if call.declared >= 0:
            call.pairs.append(("Content-Length", str(call.declared)))
        self.parts, self.room = [], largest
        return True

    def feed(self, data: bytes) -> bytes:
        """One more block."""
        self.room -= len(data)
        if self.room >= 0:
            self.parts.append(data)
        else:
            self.parts = []
        return data

    def finish(self) -> bytes:
        """Keep it."""
        body = self.told.get("value") or b"".join(self.parts)
        whole, self.parts = self.room >= 0 or "value" in self.told, []
        if whole and body:
            self.store.set(self.told["key"], body, self.expires)
            if "gzip" in self.told:
                import gzip

                self.store.set(self.told["gzip"], gzip.compress(body, mtime=0), self.expires)
        return b""

    def failed(self) -> None:
        """It was cut: half a page is none."""
        self.parts = []


ACTIONS: "dict[str, Builder]" = {
    "cache": answering(BREAK, "cache"),
    "cache-continue": answering(NEXT, "cache-continue"),
    "cachevar": cachevar,
    "cacheset": cacheset,
    "cachestore": cachestore,
    "cache-store": cachestore,
    "cacheinc": counting("inc", 1),
    "cachedec": counting("dec", 1),
    "cachemul": counting("mul", 2),
    "cachediv": counting("div", 2),
}
