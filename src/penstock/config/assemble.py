"""Raw options to settings: values read, defaults derived, contradictions named. All findings at once.

Runs once before a start, in whichever process reads the configuration. It knows nothing of files: what the
sources and the configuration's language left is a flat list, in uWSGI's order of application.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from penstock.config import plugins
from penstock.config.consistency import LOOPS, put_right, slips
from penstock.config.environment import ENVIRONMENT, Environment
from penstock.config.finding import (
    BAD_VALUE,
    CONFLICT,
    ERROR,
    UNKNOWN,
    UNSUPPORTED,
    WARNING,
    Finding,
    told,
    visible,
)
from penstock.config.hints import hint, instead, odd, unread
from penstock.config.listening import LISTENING, Protocol, appless, socketless, specs, taken
from penstock.config.option import ACTED_ON, FLAG, MODE, Option
from penstock.config.raw import RawOption
from penstock.config.reading import asks, read
from penstock.config.registry import lookup, suggest
from penstock.config.settings import ListenerSpec, Settings, somaxconn
from penstock.core.errors import ConfigError

APPLICATION = ("module", "wsgi-file")
NAMING = ("module", "wsgi_file", "mount", "eval")
OURS = {"loop": "event-loop", "queue": "request-queue"}
PLUGINS = ("plugins", "need-plugins")
OTHERS = ("stop", "reload", "pause", "connect_and_read")
"""Fields of words that are about another server than the one that would start."""
FOLLOWS = (
    ("http-keepalive", "keepalive-timeout"),
    ("http-headers-timeout", "head-timeout"),
    *(("socket-timeout", "body-timeout"), ("socket-timeout", "write-timeout")),
    *(("http-timeout", "body-timeout"), ("http-timeout", "write-timeout")),
    ("so-send-timeout", "write-timeout"),
    ("reload-mercy", "worker-reload-mercy"),
    ("harakiri-graceful-timeout", "harakiri-grace"),
)
"""Options of uWSGI's that set one of ours where that is not given itself; of several the last one here."""
KEYWORD = "keyword argument"
MOST_TOLD = 1000
"""Errors, and warnings, that are told of; nobody reads more."""
NAMED_TWICE = "the application is named twice"
GIVE_WAY = ("environment PORT", "environment FORWARDED_ALLOW_IPS", "environment WEB_CONCURRENCY")
"""Origins that count only where nothing else says the same."""
MISSING = "missing-option"
"""Kind of a finding: nothing names an application, or a socket."""


class InvalidConfigError(ConfigError):
    """A configuration that cannot be: ``findings`` are its errors, the message is all of them, one a line."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("\n".join(visible(told(finding)) for finding in findings))
        self.findings = tuple(findings)


class Assembly:
    """Collects values and findings.

    ``values`` by field; ``last`` the raw option that each option's value is from, ``places`` the first one of
    each value of those that keep all, ``order`` all of these as they come; ``given`` the options that more
    than the environment's defaults name.
    """

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings
        self.seen = set(findings)
        self.counts = dict.fromkeys((ERROR, WARNING), 0)
        self.values: dict[str, Any] = {}
        self.last: dict[str, RawOption] = {}
        self.places: dict[tuple[str, str], RawOption] = {}
        self.order: list[tuple[str, str, str]] = []
        self.given: set[str] = set()
        self.environment = Environment()
        self.sockets: list[RawOption] = []
        self.port: RawOption | None = None
        self.positional = False
        self.short_form = False
        self.unacted: dict[tuple[str, str], Finding] = {}
        self.lax: list[Finding] = []

    def say(self, level: str, kind: str, text: str, raw: RawOption | None = None) -> Finding:
        """Add a finding, of ``raw`` where one is to blame; the same one only once, and not masses."""
        # A raw option's fields are a finding's last ones, in the same order.
        finding = Finding(level, kind, text, *raw) if raw else Finding(level, kind, text)
        if finding not in self.seen and self.counts[level] < MOST_TOLD:
            self.counts[level] += 1
            self.seen.add(finding)
            self.findings.append(finding)
        return finding

    def problem(self, raw: RawOption, text: str, kind: str = BAD_VALUE) -> None:
        """Something is wrong with an option."""
        more = hint(raw) if kind == BAD_VALUE else ""
        self.say(ERROR, kind, f"{text}; {more}" if more else text, raw)

    def let_pass(self, raw: RawOption, kind: str, text: str) -> Finding:
        """What is let pass with a warning, unless ``strict`` is on or a program says it."""
        level = ERROR if raw.origin == KEYWORD and kind != UNSUPPORTED else WARNING
        finding = self.say(level, kind, text, raw)
        if finding in self.seen:
            self.lax.append(finding)
        return finding

    # ---- One option ---------------------------------------------------------------------------------

    def add(self, raw: RawOption) -> None:
        """Take one raw option."""
        if raw.key.startswith("<"):
            self.internal(raw)
            return
        option = lookup(meant(raw))
        if option is None:
            meant_to_be = suggest(raw.key, "" if raw.file else "--")
            self.let_pass(raw, UNKNOWN, f"there is no such option{meant_to_be}")
        elif option.field:
            self.take(option, raw)
        elif option.language and raw.origin == KEYWORD:
            self.problem(raw, "only files and the command line have this word", CONFLICT)
        elif option.state != ACTED_ON or option.name in PLUGINS:
            self.leave(option, raw)

    def internal(self, raw: RawOption) -> None:
        """What the sources say in words that no operator writes."""
        if raw.key == "<application>":
            self.application(raw)
        elif raw.key == "<port>":
            self.port = raw
        else:
            self.sockets.append(raw)

    def take(self, option: Option, raw: RawOption) -> None:
        """Put an option's value where it belongs: the last one wins, lists keep all."""
        try:
            value, warning = read(option, raw.value)
        except ValueError as error:
            self.problem(raw, str(error))
            return
        self.remark(option, raw, warning)
        if option.name in APPLICATION and self.positional:
            self.problem(raw, NAMED_TWICE, CONFLICT)
        if option.name in LISTENING:
            self.sockets.append(raw._replace(key=option.name))
        if option.keeps_all:
            # One list that grows: a tuple made anew for each of 100,000 lines takes half a minute.
            self.places.setdefault((option.name, raw.value or ""), raw)
            self.order.append((option.name, raw.value or "", raw.origin))
            before = self.values[option.field] if option.name in self.given else []
            before += value
            value = before
        self.last[option.name] = raw
        self.values[option.field] = value
        if option.name in ENVIRONMENT:
            try:
                self.environment.add(option.name, raw.value or "")
            except ValueError as error:
                self.problem(raw, str(error))
        if raw.origin not in GIVE_WAY:
            self.given.add(option.name)

    def remark(self, option: Option, raw: RawOption, warning: str) -> None:
        """What is worth a word about a value that was read."""
        if raw.value and (said := odd(option.name, raw.value)):
            self.say(WARNING, BAD_VALUE, said, raw)
        if warning:  # also under ``strict``, as in uWSGI, which is about names alone there
            level = ERROR if raw.origin == KEYWORD and option.kind != FLAG else WARNING
            self.say(level, BAD_VALUE, warning, raw)

    def leave(self, option: Option, raw: RawOption) -> None:
        """An option that no setting is for: nothing, or one warning for its name."""
        reason = plugins.reason(raw.value or "") if option.name in PLUGINS else option.reason
        if option.name == "spooler" and raw.value:
            self.values.setdefault("spooler", []).append(raw.value)
        before = None if option.keeps_all else self.unacted.pop((option.name, reason), None)
        if before is not None and before in self.seen:
            self.withdraw(before)  # the last one wins here too
        asked = bool(reason) if option.name in PLUGINS else self.asked(option, raw)
        if asked and (option.name, reason) not in self.unacted:
            text = f"not acted on: {reason}"
            # What a coming part of penstock brings does not stop a start, be it strict: uWSGI's ``strict`` is
            # about names that nobody knows, and these are known.
            wait = self.say(WARNING, UNSUPPORTED, text, raw) if option.later else None
            self.unacted[option.name, reason] = wait or self.let_pass(raw, UNSUPPORTED, text)

    def withdraw(self, finding: Finding) -> None:
        """A finding that does not hold any more."""
        self.seen.remove(finding)
        self.counts[finding.level] -= 1
        self.findings.remove(finding)
        self.lax = [other for other in self.lax if other is not finding]

    def asked(self, option: Option, raw: RawOption) -> bool:
        """Whether an option that is not acted on asks for anything that is missing."""
        try:
            return asks(option, raw.value)
        except ValueError as error:
            self.problem(raw, str(error))
            return False

    def application(self, raw: RawOption) -> None:
        """The short form's ``module:callable``."""
        text = raw.value or ""
        named = self.positional or "module" in self.values or "wsgi_file" in self.values
        self.positional = True
        if named:
            self.problem(raw, NAMED_TWICE, CONFLICT)
            return
        if text.partition(":")[0].endswith(".py"):
            file, _, name = text.partition(":")
            self.values["wsgi_file"] = file
            if name:
                self.values["callable"] = name
        else:
            self.values["module"] = text

    # ---- What follows -------------------------------------------------------------------------------

    def need(self) -> None:
        """An application has to be named, once; ``need-app = false`` serves without one."""
        get = self.values.get
        if get("module") and get("wsgi_file") and not self.positional:
            file, module = self.last["wsgi-file"], self.last["module"]
            self.say(WARNING, CONFLICT, f"not run: module = {module.value} names the application too", file)
            self.values["wsgi_file"] = ""
        if self.named():
            return
        if appless(self.values, self.sockets):
            self.values["need_app"] = False
        elif get("need_app", True):
            self.lack("application", "name one, as in 'penstock module:callable', --module or --wsgi-file")

    def named(self) -> bool:
        """Whether an application is."""
        return self.positional or any(self.values.get(name) for name in NAMING)

    def lack(self, what: str, name: str) -> None:
        """An application or a socket is missing. An error that explains it already is enough."""
        if not unread(self.findings):
            self.say(ERROR, MISSING, f"no {what}: {instead(what, self.findings) or name}")

    def listeners(self) -> tuple[ListenerSpec, ...]:
        """Listener specifications, in order; the defaults when nothing is named."""
        given = taken(self.sockets, self.values.get("skip_zero", False))
        return specs(given or self.default_sockets(), self.protocol(), self.problem)

    def protocol(self) -> Protocol:
        """What sockets speak whose option does not say it."""
        # systemd's sockets go by it too; the short form has its default from gunicorn, not uWSGI.
        given: str = self.values.get("protocol", "http" if self.short_form else "uwsgi")
        if given not in ("uwsgi", "http", "http11"):
            self.wrong("protocol", "uwsgi or http is expected")
        return "uwsgi" if given == "uwsgi" else "http"

    def default_sockets(self) -> list[RawOption]:
        """``$PORT``, or the short form's address."""
        if self.port is not None and (self.named() or not socketless(self.values)):
            return [RawOption("bind", f":{self.port.value}", self.port.origin)]
        if self.positional:
            return [RawOption("bind", "127.0.0.1:8000", "default")]
        if socketless(self.values):
            return []
        self.lack("socket", "name one with --http-socket ADDRESS, --socket ADDRESS or --bind ADDRESS")
        return []

    def derive(self) -> None:
        """Options that set others where those are not given themselves."""
        get = self.values.get
        for source, name in FOLLOWS:
            value = get(source.replace("-", "_"))
            if value and name not in self.given:
                self.values[name.replace("-", "_")] = value
        most = somaxconn()
        if get("listen", 0) > most:
            self.say(WARNING, BAD_VALUE, f"the kernel gives at most {most} (somaxconn)", self.last["listen"])
        # uWSGI's default of 4 KB is too small for today's cookies: its option only raises our floor.
        self.values["buffer_size"] = max(get("buffer_size", 0), 64 << 10)

    def check(self) -> None:
        """What cannot be, alone or together."""
        for slip in slips(self.values, self.last.keys()):
            if slip.level == WARNING:
                self.say(WARNING, CONFLICT, slip.text, self.place(slip.option, slip.value))
            else:
                self.wrong(slip.option, slip.text, slip.value)
        put_right(self.values, self.order)

    def wrong(self, name: str, text: str, value: str | None = None) -> None:
        """The value of an option that was given cannot be; ``value`` where it is one of many."""
        self.problem(self.place(name, value), text)

    def place(self, name: str, value: str | None) -> RawOption:
        """Where an option has a value; the last one where nobody knows which."""
        if value is None:
            return self.last[name]
        return self.places.get((name, value)) or self.last[name]._replace(value=value)

    def settings(self) -> Settings:
        """The settings, once every option is added. Raises InvalidConfigError when anything is an error."""
        listeners: tuple[ListenerSpec, ...] = ()
        if not any(self.values.get(name) for name in OTHERS):
            self.need()
            listeners = self.listeners()
        self.derive()
        self.check()
        if self.environment.entries:
            self.values["env"] = self.environment.entries
        if self.values.get("strict"):
            for finding in self.lax:
                self.findings[self.findings.index(finding)] = finding._replace(level=ERROR)
        if errors := [finding for finding in self.findings if finding.level == ERROR]:
            raise InvalidConfigError(errors)
        values = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in (self.values | self.said()).items()
        }
        return Settings(**values, listeners=listeners, short_form=self.short_form)

    def said(self) -> dict[str, Any]:
        """What the log is to say at the start."""
        texts = [(finding, visible(told(finding))) for finding in self.findings]
        return {
            "notices": tuple(dict.fromkeys(text for _, text in texts)),
            "unacted": tuple((one.option, one.file, text) for one, text in texts if one.kind == UNSUPPORTED),
        }


def assemble(
    raws: Sequence[RawOption], findings: list[Finding] | None = None, application: bool = False
) -> Settings:
    """Settings from raw options in their order; ``application``: one is given as an object.

    ``findings`` brings what the sources found and is given what is found here. Raises
    InvalidConfigError (a ConfigError) with every error among them.
    """
    assembly = Assembly([] if findings is None else findings)
    for raw in raws:
        assembly.add(raw)
    if application and not any(option in assembly.given for option in APPLICATION):
        assembly.positional = True
    assembly.short_form = assembly.positional and not any(uwsgis(raw) for raw in raws)
    return assembly.settings()


def meant(raw: RawOption) -> str:
    """The name of the option that a raw one is for.

    uWSGI has another ``queue``, and a ``loop`` for engines that it loads: in Python's keywords they are ours,
    and so is everywhere a loop that only penstock has.
    """
    ours = raw.origin == KEYWORD or (raw.key == "loop" and raw.value in LOOPS)
    return OURS.get(raw.key, raw.key) if ours else raw.key


def uwsgis(raw: RawOption) -> bool:
    """Whether an option is from one of uWSGI's sources, a file or its variables, so that uWSGI's defaults
    of threads and protocol are meant."""
    in_file = bool(raw.file) and not raw.file.endswith(".toml")
    return in_file or raw.origin.startswith("environment UWSGI_")


def from_keywords(options: Mapping[str, Any], application: object = None) -> Settings:
    """Settings from Python keywords: names with underscores, values as Python has them (None: not given).

    ``application``: the application that is served, an object or its name. Raises ConfigError.
    """
    raws = []
    for name, value in options.items():
        key = name.replace("_", "-")
        items = value if isinstance(value, list | tuple | set | frozenset) else [value]
        raws += [RawOption(key, keyword(key, item), KEYWORD) for item in items if item is not None]
    if isinstance(application, str):
        raws.append(RawOption("<application>", application, KEYWORD))
        application = None
    return assemble(raws, application=application is not None and application is not False)


def keyword(key: str, value: Any) -> str:
    """A Python value as the text that the command line would have."""
    option = lookup(key)
    if isinstance(value, bool):
        if option is not None and option.name == "access-log":
            return "auto" if value else "off"
        return str(value).lower()
    if isinstance(value, int) and option is not None and option.kind == MODE:
        return f"{value:03o}"
    return f"{value:f}" if isinstance(value, float) else str(value)
