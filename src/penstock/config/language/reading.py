"""The reading of a configuration: options one by one, in uWSGI's order, each acting as soon as it may.

Runs once at start, in one thread. It knows the words of the language and what they do to the reading;
settings it passes on unread.
"""

from collections.abc import Callable, Iterator, Mapping

from penstock.config import plugins
from penstock.config.finding import BAD_VALUE, CONFLICT, ERROR, SYNTAX, UNKNOWN, UNSUPPORTED, WARNING, Finding
from penstock.config.language import custom, names
from penstock.config.language.entry import Entry, entry_of
from penstock.config.language.files import Files, Unreadable
from penstock.config.language.limits import MOST_OPTIONS, MOST_TEXT, Endless, Halt
from penstock.config.language.logic import Block, Fault, World
from penstock.config.raw import RawOption
from penstock.config.sources.argv import FILE

DEEPEST_CUSTOM = 16  # declared options that stand for each other


class Reading:
    """What was read so far.

    ``environ``   the environment, with what the configuration sets while it is read
    ``entries``   everything, in uWSGI's order
    ``ahead``     what declared options stand for: uWSGI sets it before all others
    ``findings``  what was wrong so far
    ``prints``    lines that the configuration wanted printed
    ``code``      the status that ``exit`` asked for
    """

    def __init__(self, environ: Mapping[str, str], findings: list[Finding]) -> None:
        self.environ, self.findings = dict(environ), findings
        self.entries: list[Entry] = []
        self.ahead: list[RawOption] = []
        self.prints: list[str] = []
        self.files = Files()
        self.custom: dict[str, str] = {}
        self.declared: dict[str, str] = {}
        self.code: int | None = None
        self.strict = False
        self.block: Block | None = None
        self.opened: Entry | None = None
        self.running = False
        self.forbidden: list[str] | None = None
        self.allowed: list[str] | None = None
        self.world = World(self.environ, self.first)
        self.values: dict[str, Entry] = {}
        self.characters = 0
        self.depth = 0

    def first(self, key: str) -> str | None:
        """The value of the first option or placeholder of that name."""
        entry = self.values.get(key)
        return entry.value if entry else None

    def wrong(self, at: Entry | RawOption, kind: str, message: str, level: str = ERROR) -> None:
        """Add a finding about an option."""
        named = at.key != FILE
        option, value = (at.key, at.value) if named else ("", None)
        if kind == UNKNOWN and at.origin.startswith("environment "):
            value = None  # a variable that is none of ours may hold somebody's password
        self.findings.append(Finding(level, kind, message, option, value, at.origin, at.file, at.line))

    # ---- One option -------------------------------------------------------------------------------------

    def add(self, raw: RawOption, placeholder: bool = False) -> None:
        """Take an option: into the open block, or at once. Raises Halt where reading ends."""
        if not self.permitted(raw):
            return
        if self.running:
            self.keep(raw, placeholder)
            return
        after = self.turn(raw)
        if self.block is None:
            self.keep(raw, placeholder)
            self.block = after or self.block
            return
        self.running = True
        try:
            for value in self.block.values(raw.value, self.world):
                self.keep(raw._replace(value=value), placeholder)
        except Fault as fault:
            self.wrong(self.opened or raw, BAD_VALUE, str(fault))
        finally:
            self.running = False

    def permitted(self, raw: RawOption) -> bool:
        """Whether the lists of the configuration let the option pass."""
        if raw.key in ("end-blacklist", "end-whitelist"):
            return True  # in uWSGI a whitelist has to name its own end
        refused = raw.key in (self.forbidden or ())
        if refused or (self.allowed is not None and raw.key not in self.allowed):
            which = "blacklist" if refused else "whitelist"
            self.wrong(raw, CONFLICT, f"the {which} of the configuration forbids this option")
            return False
        return True

    def turn(self, raw: RawOption) -> Block | None:
        """Close the block where ``raw`` ends it; the block of its other half where ``else`` begins one."""
        if raw.key != "else" and raw.key not in names.ENDS:
            return None
        block, self.block = self.block, None
        if raw.key != "else" or block is None:
            return None
        try:
            return block.other(self.world)
        except Fault as fault:
            self.wrong(self.opened or raw, BAD_VALUE, str(fault))
            return None

    def keep(self, raw: RawOption, placeholder: bool) -> None:
        """List an option, and let it act if it is immediate."""
        entry = entry_of(raw)
        self.characters += len(entry.key) + len(entry.written)
        if len(self.entries) >= MOST_OPTIONS or self.characters > MOST_TEXT:
            limit = f"{MOST_OPTIONS} options, or {MOST_TEXT >> 20} MB of them"
            self.wrong(entry, SYNTAX, f"the configuration does not end: more than {limit}")
            raise Halt
        self.entries.append(entry)
        self.values.setdefault(entry.key, entry)
        if placeholder:
            entry.done = entry.declared = True
            if names.known(entry.key):
                self.wrong(entry, CONFLICT, "this is an option, and cannot be a placeholder too")
        elif names.immediate(entry.key) or entry.key in self.custom:
            self.act(entry)

    def act(self, entry: Entry, to: list[RawOption] | None = None) -> bool:
        """Do what an option asks of the reading; whether it was an option at all.

        ``to``: where what a declared option stands for goes; ``ahead`` without it.
        """
        entry.done = True
        word = WORDS.get(entry.key) or SETTING.get(entry.key)
        if word is not None:
            word(self, entry)
        elif not names.known(entry.key):
            if entry.key not in self.custom:
                entry.done = False
                return False
            self.stand_for(entry, self.ahead if to is None else to)
        return True

    def stand_for(self, entry: Entry, to: list[RawOption]) -> None:
        """A declared option: each option that it stands for, in its place."""
        self.depth += 1
        if self.depth > DEEPEST_CUSTOM:
            self.wrong(entry, SYNTAX, "declared options stand for each other without end")
            raise Halt
        for key, value in self.stood_for(entry):
            made = entry_of(entry.raw._replace(key=key, value=value))
            if not self.act(made, to):
                self.wrong(made, SYNTAX, "a declared option stands for this, which is none", WARNING)
            elif key not in WORDS and names.known(key):
                to.append(made.raw)
        self.depth -= 1

    def stood_for(self, entry: Entry) -> Iterator[tuple[str, str]]:
        """The keys and values of a declared option. Raises Halt where they grow without end."""
        try:
            yield from custom.options(self.custom[entry.key], entry.value or "")
        except Endless as fault:
            self.wrong(entry, SYNTAX, str(fault))
            raise Halt from None

    # ---- Files ------------------------------------------------------------------------------------------

    def load(self, at: Entry | RawOption, kind: str) -> None:
        """Read a file in the place of the option that names it; ``kind`` is its format, "" by its name.

        Raises Halt where files never end.
        """
        address = at.value or ""
        try:
            lines = self.files.read(address, kind)
        except Unreadable as fault:
            self.unreadable(at, fault)
            return
        except Endless as fault:
            self.wrong(at, SYNTAX, str(fault))
            raise Halt from None
        finally:
            self.remark()
        self.files.open.append(address)
        for key, value, file, line in lines:
            self.add(RawOption(key, value, f"{file}:{line}", file, line))
        self.files.open.pop()

    def unreadable(self, at: Entry | RawOption, fault: Unreadable) -> None:
        """A file gave nothing: a finding at its own line where that is known, else at the option's."""
        if not fault.file:
            named = fault.message.removeprefix(f"{at.value}: ")
            self.wrong(at, fault.kind, fault.message if at.key == FILE else named)
            return
        origin = f"{fault.file}:{fault.line}" if fault.line else fault.file
        found = Finding(ERROR, fault.kind, fault.message, "", None, origin, fault.file, fault.line)
        self.findings.append(found)

    def remark(self) -> None:
        """What the files gave to remark on, as findings."""
        for file, line, message in self.files.remarks:
            origin = f"{file}:{line}" if line else file
            self.findings.append(Finding(WARNING, SYNTAX, message, "", None, origin, file, line))
        self.files.remarks.clear()

    # ---- The setters' phase -------------------------------------------------------------------------------

    def settle(self) -> None:
        """Let all act that has waited, in order, and begin anew after each file that is inherited."""
        at = 0
        while at < len(self.entries):
            entry = self.entries[at]
            at += 1
            if entry.done:
                continue
            count = len(self.entries)
            self.act(entry, entry.became)
            if len(self.entries) != count:
                at = 0


# ---- Words of the language ------------------------------------------------------------------------------

Word = Callable[[Reading, Entry], None]


def _read(reading: Reading, entry: Entry) -> None:
    reading.load(entry, names.LOADS.get(entry.key, ""))


def _set(reading: Reading, entry: Entry) -> None:
    name, equals, value = (entry.value or "").partition("=")
    if not equals:
        reading.wrong(entry, BAD_VALUE, "NAME=VALUE is expected")
        return
    reading.add(entry.raw._replace(key=name, value=value), entry.key != "set")


def _resolve(reading: Reading, entry: Entry) -> None:
    import socket

    name, equals, host = (entry.value or "").partition("=")
    if not equals:
        reading.wrong(entry, BAD_VALUE, "NAME=HOST is expected")
        return
    try:
        address = socket.gethostbyname(host)
    except (OSError, UnicodeError) as error:
        reading.wrong(entry, BAD_VALUE, f"{host} is not resolved: {error}")
        return
    reading.add(entry.raw._replace(key=name, value=address), True)


def _open(reading: Reading, entry: Entry) -> None:
    if reading.block is not None:
        said = "the block before it is open, and blocks are not nested"
        reading.wrong(entry, SYNTAX, f"{said} (in uWSGI: recursive logic in options is not supported)")
        return
    reading.block, reading.opened = Block(entry.key, entry.value or ""), entry


def _nothing(reading: Reading, entry: Entry) -> None:
    """Words that have acted by being read, and those that others look for."""


def _blacklist(reading: Reading, entry: Entry) -> None:
    reading.forbidden = (entry.value or "").split() if entry.key == "blacklist" else None


def _whitelist(reading: Reading, entry: Entry) -> None:
    reading.allowed = (entry.value or "").split() if entry.key == "whitelist" else None


def _strict(reading: Reading, entry: Entry) -> None:
    reading.strict = (entry.value or "").lower() not in ("false", "off", "no", "0")


def _mode(reading: Reading, entry: Entry) -> None:
    reading.files.mode = entry.value or ""


def _print(reading: Reading, entry: Entry) -> None:
    reading.prints.append(entry.value or "")


def _exit(reading: Reading, entry: Entry) -> None:
    from penstock.config.language.passes import leading

    reading.code = 1 if entry.value is None else leading(entry.value) & 0xFF
    raise Halt


def _declare(reading: Reading, entry: Entry) -> None:
    name, equals, template = (entry.value or "").partition("=")
    if not equals:
        reading.wrong(entry, BAD_VALUE, "NAME=OPTION=VALUE;... is expected")
        return
    reading.custom.setdefault(name, template)  # the first one counts, as in uWSGI's table
    reading.declared.setdefault(name, custom.argument(template))


def _need(reading: Reading, entry: Entry) -> None:
    reason = plugins.reason(entry.value or "")
    if reason:
        reading.wrong(entry, UNSUPPORTED, reason)


def _inject(reading: Reading, entry: Entry) -> None:
    where = reading.files.before if entry.key == "inject-before" else reading.files.after
    where.append(entry.value or "")


def _variable(reading: Reading, entry: Entry) -> None:
    name, equals, value = (entry.value or "").partition("=")
    if equals:
        reading.environ[name] = value
    else:
        reading.environ.pop(name, None)


def _folder(reading: Reading, entry: Entry) -> None:
    from penstock.config.sources.envdir import entries

    try:
        found = entries(entry.value or "")
    except ValueError:
        return  # whoever takes it for a setting says it
    for text in found:
        _variable(reading, entry_of(entry.raw._replace(value=text)))


WORDS: dict[str, Word] = {
    **dict.fromkeys((*names.LOADS, "inherit"), _read),
    **dict.fromkeys(("set", "set-placeholder", "set-ph"), _set),
    **dict.fromkeys((*names.CONDITIONS, *names.LOOPS, "if-reload", "if-not-reload"), _open),
    **dict.fromkeys(("endif", "end-if", "endfor", "end-for", "else", "show-config"), _nothing),
    **dict.fromkeys(("blacklist", "end-blacklist"), _blacklist),
    **dict.fromkeys(("whitelist", "end-whitelist"), _whitelist),
    **dict.fromkeys(("print", "iprint"), _print),
    **dict.fromkeys(("declare-option", "declare-option2"), _declare),
    **dict.fromkeys(("need-plugin", "need-plugins"), _need),
    **dict.fromkeys(("inject-before", "inject-after"), _inject),
    "mode": _mode,
    "resolve": _resolve,
    "strict": _strict,
    "exit": _exit,
}
SETTING: dict[str, Word] = {"ienv": _variable, "early-envdir": _folder}
"""Settings that change what is read after them too."""
