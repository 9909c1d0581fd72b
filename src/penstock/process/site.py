"""A site from its settings: what its requests pass before the application and behind it.

Runs once in the process that serves, before it serves; ``rules_of`` wherever rules are to be checked, too.
Nothing of a site is imported where the settings ask for none of it.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.serve.site import Site
from penstock.serve.wsgi.call import Application, Call, Environ
from penstock.serve.wsgi.mounts import Mounts

if TYPE_CHECKING:
    from penstock.serve.finish.finish import Finish
    from penstock.serve.routing.table import Rules
    from penstock.serve.static.files import Files
    from penstock.serve.stored import Stored

Mime = Callable[[str], str] | None

WAYS = ("static", "file", "sendfile", "fastfile")
FILES = tuple(f"{way}{rest}" for way in WAYS for rest in (":", "-next:"))
"""How rules name actions that serve files."""


class Around(NamedTuple):
    """What a site is built with that is not in its settings.

    ``warn``     called with (key, text): a line in the log, once for each key
    ``info``     called with a line for it
    ``number``   the worker's, 0 where there is one process
    ``caches``   the shared stores; None without any
    ``backlog``  how many connections wait to be accepted
    """

    warn: Callable[[str, str], None]
    info: Callable[[str], None]
    number: int = 0
    caches: Any = None
    backlog: Callable[[], int] = int


class Voice:
    """What rules warn of. While they are compiled each line is said once, and not by the second worker and
    those behind it, for the first has said it; from ``compiled`` on it is said as ever."""

    __slots__ = ("around", "compiled")

    def __init__(self, around: Around) -> None:
        self.around = around
        self.compiled = False

    def __call__(self, key: str, text: str) -> None:
        if self.compiled:
            self.around.warn(key, text)
        elif self.around.number < 2:
            self.around.warn(key or text, text)


def checked(settings: Settings, warn: Callable[[str, str], None], info: Callable[[str], None]) -> None:
    """Before anything is opened: whether the rules can be, and what is odd about them. What is tried here is
    not tried again by processes that are forked from this one. Raises StartError."""
    if settings.router_list:
        from penstock.serve.routing.actions import names

        info(f"routing actions: goto {' '.join(sorted(names.MODULES))}")
        info(f"routing conditions: {' '.join(sorted(names.TESTS))}")
    if not settings.rules:
        return
    from penstock.serve.routing.never import never

    rules = rules_of(settings, None, Around(warn, info))
    for origin, text in never(rules):
        warn("", f"{origin}: {text}")


def site_of(settings: Settings, application: Application, around: Around) -> Site | None:
    """The site of one worker; None where requests go to the application straight away.

    Raises StartError, which names every rule that is wrong.
    """
    mime = mime_of(settings, around)
    files = files_of(settings, around, mime)
    rules = rules_of(settings, files, around, mime) if settings.rules else None
    site = Site(
        prepare=application.prepare if isinstance(application, Mounts) and (files or rules) else None,
        files=files if asks_for_files(settings) else None,
        rules=rules,
        stored=stored_of(settings, around),
        redirect=redirect_of(settings),
    )
    site = finished(site, settings, rules, around)
    return None if site == Site() else site


def finished(site: Site, settings: Settings, rules: "Rules | None", around: Around) -> Site:
    """The same with what its replies are to have, by options and by rules. Raises StartError."""
    from penstock.serve.finish.make import make_finish

    finish = make_finish(settings, around.warn)
    quiet = None
    if rules is not None:
        renamed = site.files is not None and settings.static_index  # after ``quiet`` was asked
        if not (finish or renamed or rules.responses or rules.errors or rules.finals):
            quiet = rules.quiet  # a request that none of the rules can be for does without a touched reply
        finish = ruled(finish, rules)
    if finish is None:
        return site
    from penstock.serve.finish.call import FinishedCall

    return replace(site, call=partial(FinishedCall, finish=finish), quiet=quiet)


def ruled(finish: "Finish | None", rules: "Rules") -> "Finish":
    """What options do to replies, and what rules do beside them."""
    from penstock.serve.finish.finish import Finish

    respond = rules.respond if rules.responses is not None else None
    erred = rules.erred if rules.errors is not None else None
    return replace(finish or Finish(), respond=respond, erred=erred)


def redirect_of(settings: Settings) -> "Callable[[Call, Environ], bool] | None":
    """``http-to-https``: what sends requests of such a listener on; None where there is none."""
    if not any(spec.option == "http-to-https" for spec in settings.listeners):
        return None
    from penstock.serve.finish.https import to_https

    return to_https


def stored_of(settings: Settings, around: Around) -> "Stored | None":
    """``check-cache``: what answers from a cache, None where nothing does."""
    if settings.check_cache is None or around.caches is None:
        return None
    from penstock.serve.stored import make_stored

    store = around.caches.store(settings.check_cache)
    return None if store is None else make_stored(store)


def asks_for_files(settings: Settings) -> bool:
    """Whether requests may mean files, other than by rules."""
    asked = settings.static_map or settings.static_map2 or settings.check_static
    return bool(asked or settings.check_static_docroot)


def by_rules(settings: Settings) -> bool:
    """Whether rules serve files."""
    return any(name in value for _, value, _ in settings.rules for name in FILES)


def mime_of(settings: Settings, around: Around) -> "Callable[[str], str] | None":
    """The type of a file by its name, where anything asks for it."""
    if not (settings.rules or asks_for_files(settings)):
        return None
    from penstock.serve.static.reply import make_mime

    return make_mime(settings, around.warn)


def files_of(settings: Settings, around: Around, mime: Mime) -> "Files | None":
    """Static files, for requests or for rules. Raises StartError."""
    if not (by_rules(settings) or asks_for_files(settings)):
        return None
    from penstock.serve.routing.safety import sparing
    from penstock.serve.static.files import make_files

    try:
        return make_files(settings, around.warn, by_rules(settings), mime=mime, regex=sparing)
    except ValueError as error:
        raise StartError(str(error)) from error


def rules_of(settings: Settings, files: "Files | None", around: Around, mime: Mime = None) -> "Rules":
    """The rules, compiled. Raises StartError, which names each rule that is wrong."""
    from penstock.serve.proxy.upstreams import Upstreams
    from penstock.serve.routing.safety import regex
    from penstock.serve.routing.table import RuleErrors, compile_rules
    from penstock.serve.routing.tools import Tools

    voice = Voice(around)
    tools = Tools(
        settings=settings,
        regex=regex,
        number=around.number,
        files=files,
        caches=around.caches,
        upstreams=Upstreams(settings.proxy_timeout, settings.proxy_connect_timeout),
        mime=mime,
        backlog=around.backlog,
        warn=voice,
        info=around.info,
    )
    try:
        rules = compile_rules(settings.rules, tools, around.info if settings.trace_routes else None)
    except RuleErrors as error:
        raise StartError("\n".join(f"{origin}: {text}" for origin, text in error.errors)) from error
    voice.compiled = True
    return rules
