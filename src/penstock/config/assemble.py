"""Raw options to settings: values read, defaults derived, contradictions named. All problems at once."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from pydantic import ValidationError

from penstock.config import values
from penstock.config.address import parse_address
from penstock.config.option import ACTED_ON, FLAG, INT, LIST, MODE, NOT_YET, SECONDS, SIZE, Option
from penstock.config.raw import RawOption
from penstock.config.registry import by_name, suggest
from penstock.config.settings import ListenerSpec, Settings, somaxconn
from penstock.core.errors import ConfigError

Protocol = Literal["http", "uwsgi"]
LISTENING: dict[str, Protocol | None] = {
    "bind": "http",
    "http-socket": "http",
    "http": "http",
    "uwsgi-socket": "uwsgi",
    "socket": None,  # whatever --protocol says
    "<activated>": None,
}
APPLICATION = ("module", "wsgi-file")
KEYWORD = "keyword argument"
UNASKED = {"processes": (0, 1), "harakiri": (0,)}
"""Values of options not acted on that ask for nothing, where those are not false."""
READ: dict[str, Callable[[str], Any]] = {SIZE: values.size, SECONDS: values.seconds, MODE: values.mode}
COMMAS = ("trusted-proxies", "uwsgi-allow")


class Assembly:
    """Collects values, problems and notices."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.given: set[str] = set()
        self.problems: list[str] = []
        self.notices: list[str] = []
        self.sockets: list[RawOption] = []
        self.port: RawOption | None = None
        self.short_form = False
        self.last: dict[str, RawOption] = {}
        self.unacted: dict[str, str] = {}

    def problem(self, raw: RawOption, text: str) -> None:
        """Something is wrong with an option."""
        name = raw.key if raw.key.startswith("<") else f"--{raw.key}"
        shown = "" if raw.value is None else f" {raw.value}"
        self.problems.append(f"{raw.origin}: {name}{shown}: {text}")

    def notice(self, raw: RawOption, text: str) -> None:
        """Something that the log says at start, once."""
        line = f"--{raw.key} ({raw.origin}): {text}"
        if line not in self.notices:
            self.notices.append(line)

    def add(self, raw: RawOption) -> None:
        """Take one raw option."""
        if raw.key == "<application>":
            self.application(raw)
            return
        if raw.key == "<port>":
            self.port = raw
            return
        if raw.key == "<activated>":
            self.sockets.append(raw)
            return
        option = by_name().get(raw.key)
        if option is None:
            self.problem(raw, f"there is no such option{suggest(raw.key)}")
            return
        try:
            value = self.read(option, raw)
        except ValueError as error:
            self.problem(raw, str(error))
            return
        self.keep(option, raw, value)

    def keep(self, option: Option, raw: RawOption, value: Any) -> None:
        """Put a value where it belongs: the last one wins, lists keep all."""
        if option.state != ACTED_ON:
            self.unacted.pop(option.name, None)  # the last one wins here too
            if option.state == NOT_YET and value not in UNASKED.get(option.name, (False,)):
                self.unacted[option.name] = f"--{raw.key} ({raw.origin}): not acted on: {option.reason}"
            return
        self.last[option.name] = raw
        if option.name in LISTENING:
            self.sockets.append(raw._replace(key=option.name))
        if option.name in APPLICATION and self.short_form:
            self.problem(raw, "the application is named twice")
        if option.kind == LIST:
            before = self.values.get(option.field, ()) if option.name in self.given else ()
            value = (*before, *value)
        self.values[option.field] = value
        if not raw.origin.startswith("environment"):
            self.given.add(option.name)

    def read(self, option: Option, raw: RawOption) -> Any:
        """The value of a raw option. Raises ValueError."""
        text = option.bare if raw.value is None else raw.value
        if option.kind == FLAG:
            return values.flag(text)
        if text is None:
            raise ValueError(f"a value is expected: {option.metavar}")
        if option.kind == INT:
            number, warning = values.integer(text)
            if warning:
                self.notice(raw, warning)
            return number
        if option.kind == LIST:
            return values.commas(text) if option.name in COMMAS else (text,)
        if option.name == "http-keepalive" and text in ("", "1", "true"):
            return None  # uWSGI's flag form: on, with the time-out as it is
        reader = READ.get(option.kind)
        return reader(text) if reader else text

    def application(self, raw: RawOption) -> None:
        """The short form's ``module:callable``."""
        text = raw.value or ""
        if "module" in self.values or "wsgi_file" in self.values:
            self.problem(raw, "the application is named twice")
            return
        self.short_form = True
        if text.partition(":")[0].endswith(".py"):
            file, _, name = text.partition(":")
            self.values["wsgi_file"] = file
            if name:
                self.values["callable"] = name
        else:
            self.values["module"] = text

    # ---- What follows -------------------------------------------------------------------------------

    def listeners(self) -> tuple[ListenerSpec, ...]:
        """Listener specifications, in order; the defaults when nothing is named."""
        protocol = self.protocol()
        specs: list[ListenerSpec] = []
        seen: set[str] = set()
        for raw in self.sockets or self.default_sockets():
            value = raw.value or ""
            if value in seen and not value.endswith(":0"):
                continue  # uWSGI ignores the second one too
            seen.add(value)
            speaks = LISTENING.get(raw.key) or protocol
            try:
                # --http may carry uWSGI's router words behind the address: address,key
                parsed = parse_address(value.partition(",")[0] if raw.key == "http" else value)
            except ConfigError as error:
                self.problem(raw, error.message)
                continue
            specs.append(ListenerSpec(value, speaks, raw.origin, parsed))
        return tuple(specs)

    def protocol(self) -> Protocol:
        """What sockets speak whose option does not say it."""
        # systemd's sockets go by it too; the short form has its default from gunicorn, not uWSGI.
        given: str = self.values.get("protocol", "http" if self.short_form else "uwsgi")
        if given == "uwsgi":
            return "uwsgi"
        if given not in ("http", "http11"):
            self.wrong("protocol", "uwsgi or http is expected")
        return "http"

    def default_sockets(self) -> list[RawOption]:
        if self.port is not None:
            return [RawOption("bind", f":{self.port.value}", self.port.origin)]
        if self.short_form:
            return [RawOption("bind", "127.0.0.1:8000", "default")]
        self.problems.append(
            "no socket: name one with --http-socket ADDRESS, --socket ADDRESS or --bind ADDRESS"
        )
        return []

    def derive(self) -> None:
        """Options that set others where those are not given themselves."""
        get = self.values.get
        for name in ("socket_timeout", "http_timeout"):
            seconds = get(name)
            for other in ("body-timeout", "write-timeout"):
                if seconds and other not in self.given:
                    self.values[other.replace("-", "_")] = seconds
        if get("http_keepalive") and "keepalive-timeout" not in self.given:
            self.values["keepalive_timeout"] = get("http_keepalive")
        most = somaxconn()
        if get("listen", 0) > most:
            self.notices.append(f"--listen {get('listen')}: the kernel gives at most {most} (somaxconn)")
        if get("listen") == 0 and "listen" in self.given:
            self.values.pop("listen")
        self.check()

    def check(self) -> None:
        """What cannot be."""
        get = self.values.get
        if not values.is_threads(get("threads", "")):
            self.wrong("threads", "a number from 1 to 4096 is expected, or auto")
        if get("loop", "auto") not in ("auto", "uvloop", "asyncio"):
            self.wrong("loop", "auto, uvloop or asyncio is expected")
        if get("queue", 1) < 1:
            self.wrong("queue", "a number from 1 is expected")
        if get("module") and get("wsgi_file") and not self.short_form:
            self.problems.append("--module and --wsgi-file both name the application: give one of them")
        for header in [header for header in get("add_header", ()) if ":" not in header]:
            self.wrong("add-header", "'Name: value' is expected", header)
        for pair in [pair for pair in get("env", ()) if pair.startswith("=") or not pair]:
            self.wrong("env", "NAME=VALUE is expected", pair)
        # uWSGI's default of 4 KB is too small for today's cookies: its option only raises our floor.
        self.values["buffer_size"] = max(get("buffer_size", 0), 64 << 10)

    def wrong(self, name: str, text: str, value: str | None = None) -> None:
        """The value of an option that was given cannot be; ``value`` where it is one of many."""
        raw = self.last[name]
        self.problem(raw if value is None else raw._replace(value=value), text)


def assemble(raws: Sequence[RawOption], application: bool = False) -> Settings:
    """Settings from raw options in their order; ``application``: one is given as an object.

    Raises ConfigError with every problem found, one a line.
    """
    assembly = Assembly()
    for raw in raws:
        assembly.add(raw)
    if application and not any(option in assembly.given for option in APPLICATION):
        assembly.short_form = True
    elif not assembly.values.get("module") and not assembly.values.get("wsgi_file"):
        assembly.problems.append(
            "no application: name one, as in 'penstock module:callable', --module or --wsgi-file"
        )
    assembly.derive()
    listeners = assembly.listeners()
    if assembly.problems:
        raise ConfigError("\n".join(assembly.problems))
    try:
        return Settings(
            **assembly.values,
            listeners=listeners,
            notices=(*assembly.notices, *assembly.unacted.values()),
            short_form=assembly.short_form,
        )
    except ValidationError as error:
        lines = [f"--{str(item['loc'][0]).replace('_', '-')}: {item['msg']}" for item in error.errors()]
        raise ConfigError("\n".join(lines)) from error


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
    return assemble(raws, application is not None and application is not False)


def keyword(key: str, value: Any) -> str:
    """A Python value as the text that the command line would have."""
    option = by_name().get(key)
    if isinstance(value, bool):
        if option is not None and option.name == "access-log":
            return "auto" if value else "off"
        return str(value).lower()
    if isinstance(value, int) and option is not None and option.kind == MODE:
        return f"{value:03o}"
    if isinstance(value, float):
        return f"{value:f}"
    return str(value)
