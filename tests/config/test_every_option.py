"""Every option of the registry arrives: given in each way that it can be given, it has its value.

Driven by the registry: an option that is declared and has no sample here fails.
"""

from collections.abc import Callable, Iterator

import pytest

from penstock.config.assemble import InvalidConfigError, assemble, from_keywords
from penstock.config.finding import ERROR, UNSUPPORTED, WARNING, Finding, told
from penstock.config.option import ACTED_ON, FLAG, HARMLESS, KEYVAL, LIST, NUMBERS, Option
from penstock.config.raw import RawOption
from penstock.config.registry import declared, options
from penstock.config.settings import Settings
from penstock.core.errors import ConfigError
from tests.cases import each
from tests.config.household_samples import HOUSEHOLD
from tests.config.observing_samples import OBSERVING
from tests.config.parse import bare, parse
from tests.config.samples import SAMPLES
from tests.config.site_samples import SITE

NAMES_APPLICATION = ("module", "wsgi-file")
BESIDE = {
    "cheaper": ("processes", "8"),
    "farm": ("mules", "1"),
    "check-cache": ("cache2", "name=pages,items=9"),
    "cheaper-rss-limit-hard": ("cheaper-rss-limit-soft", "100m"),
}
"""What options need beside them."""
OF_LISTS = {
    **dict.fromkeys(("bind", "http", "http-socket", "uwsgi-socket", "socket"), "127.0.0.1:9999"),
    **dict.fromkeys(("reload-on-fd", "brutal-reload-on-fd"), "9"),
    **dict.fromkeys(("trusted-proxies", "uwsgi-allow"), "203.0.113.5"),
    **{name: text for name, (text, _) in (*HOUSEHOLD.items(), *SITE.items(), *OBSERVING.items())},
    "compress": "zstd",
    "mount": "/other=other:app",
    "log-syslog": "other",
    "log-socket": "127.0.0.1:5141",
    "compress-types": "image/*",
}
"""A second value for lists that do not take any text."""
BARE: dict[str, object] = {
    "chmod-socket": 0o666, "http-keepalive": None, "so-send-timeout": 0.0, "mule": ("",), "mule-msg-size": 0,
    "static-immutable": ("true",), "check-cache": "", "log-date": "true", "log-prefix": "true",
    "log-syslog": ("",), "otel": "true", "logfile-chmod": 0o666,
}  # fmt: skip
"""What options have that may stand without a value; flags are on."""

STRICT = RawOption("strict", "true", "app.ini:9", "app.ini", 9)

ACTED = list(declared())
ROWS = [option for option in options() if not option.field]
UNACTED = [option for option in ROWS if option.state not in (ACTED_ON, HARMLESS)]
SILENT = [option for option in ROWS if option.state in (ACTED_ON, HARMLESS)]
ASKING = {FLAG: "true", "mode": "660", KEYVAL: "name=x,key=y"}
"""A value of each kind that asks for something; a number for all kinds of numbers, else a text."""


def each_option(chosen: list[Option]) -> Callable[[Callable[[Option], None]], Callable[[], None]]:
    return each(chosen, lambda option: str(option.name))


def settings_with(option: Option, *words: str) -> Settings:
    """Settings from ``words``, beside an application and a socket where ``option`` is neither."""
    if option.name in NAMES_APPLICATION:
        return bare("--bind", ":0", *words)
    name, value = BESIDE.get(option.name, ("", ""))
    return parse(*([f"--{name}={value}"] if name else []), *words)


def ways(option: Option, text: str) -> Iterator[list[str]]:
    """Every way to write an option with a value on the command line."""
    for name in option.names:
        yield [f"--{name}={text}"]
        if option.bare is None:
            yield [f"--{name}", text]
    if option.short and option.kind != FLAG:
        yield [f"-{option.short}{text}"]
        if option.bare is None:
            yield [f"-{option.short}", text]


def test_every_option_has_a_sample_and_no_sample_lacks_its_option() -> None:
    assert {option.name for option in ACTED} == set(SAMPLES)


@each(sorted(SAMPLES))
def test_a_sample_differs_from_the_default(name: str) -> None:
    (field,) = [option.field for option in ACTED if option.name == name]
    default = getattr(Settings(), field)
    if name != "chunked-limit":  # its sample is the default, written with a unit
        assert SAMPLES[name][1] != default


@each_option(ACTED)
def test_an_option_on_the_command_line_arrives(option: Option) -> None:
    text, expected = SAMPLES[option.name]
    for words in ways(option, text):
        settings = settings_with(option, *words)
        found = getattr(settings, option.field)
        assert found == expected, words
        assert type(found) is type(expected), words


@each_option(ACTED)
def test_an_option_as_a_keyword_arrives(option: Option) -> None:
    text, expected = SAMPLES[option.name]
    named = option.name in NAMES_APPLICATION
    name, value = BESIDE.get(option.name, ("bind", ":0"))
    words = {"bind": ":0", name.replace("-", "_"): value, option.name.replace("-", "_"): text}
    settings = from_keywords(words, application=not named)
    assert getattr(settings, option.field) == expected


@each_option([option for option in ACTED if option.bare is not None])
def test_an_option_without_its_value_arrives(option: Option) -> None:
    spelled = [[f"--{name}"] for name in option.names] + ([[f"-{option.short}"]] if option.short else [])
    for words in spelled:
        assert getattr(settings_with(option, *words), option.field) == BARE.get(option.name, True), words


@each_option([option for option in ACTED if option.bare is None])
def test_an_option_whose_value_is_missing_is_named(option: Option) -> None:
    with pytest.raises(ConfigError, match=rf"^command line: --{option.name} needs a value"):
        parse(f"--{option.name}")


@each_option([option for option in ACTED if option.kind == LIST])
def test_a_list_keeps_all_in_order(option: Option) -> None:
    text, first = SAMPLES[option.name]
    assert isinstance(first, tuple)
    other = OF_LISTS.get(option.name, f"other:{text}")
    settings = settings_with(option, f"--{option.name}={text}", f"--{option.name}={other}")
    assert getattr(settings, option.field) == (*first, other)


@each_option([option for option in ACTED if option.kind != LIST])
def test_of_the_others_the_last_wins(option: Option) -> None:
    text, expected = SAMPLES[option.name]
    before = {FLAG: "false" if expected else "true", "text": "auto", "mode": "600"}.get(option.kind, "3")
    if option.name == "protocol":
        before = "uwsgi"
    settings = settings_with(option, f"--{option.name}={before}", f"--{option.name}={text}")
    assert getattr(settings, option.field) == expected


def asking(option: Option) -> str:
    return ASKING.get(option.kind, "7" if option.kind in NUMBERS else "something")


def left(option: Option, name: str, *values: str | None) -> list[Finding]:
    """The findings of an option that is given so often, in a file."""
    folders = tuple(filter(None, values))
    findings: list[Finding] = []
    raws = [RawOption(name, value, f"app.ini:{n}", "app.ini", n) for n, value in enumerate(values, 1)]
    settings = assemble(raws, findings, application=True)
    plain = assemble([RawOption("vacuum", "true", "app.ini:1", "app.ini", 1)], application=True)
    expected = plain.but(spooler=folders) if option.name == "spooler" else plain
    assert settings.but(notices=(), unacted=()) == expected, (
        "no setting changes, save for folders that are made"
    )
    assert len(settings.notices) == len(findings)
    assert [(option, text) for option, _, text in settings.unacted] == [
        (one.option, told(one)) for one in findings if one.kind == UNSUPPORTED
    ]
    return findings


@each_option(UNACTED)
def test_an_option_that_is_not_acted_on_says_so_once(option: Option) -> None:
    for name in option.names:
        text = asking(option)
        (finding,) = left(option, name, text, text)
        assert (finding.level, finding.kind, finding.option) == (WARNING, UNSUPPORTED, name)
        assert finding.message == f"not acted on: {option.reason}"
        assert (finding.file, finding.value) == ("app.ini", text)
        assert finding.line == (1 if option.keeps_all else 2), "the value that counts"


@each_option([option for option in UNACTED if option.later])
def test_what_is_to_come_is_a_warning_under_strict_too(option: Option) -> None:
    raws = [RawOption(option.name, asking(option), "app.ini:1", "app.ini", 1), STRICT]
    findings: list[Finding] = []
    assemble(raws, findings, application=True)
    assert [finding.level for finding in findings if finding.kind == UNSUPPORTED] == [WARNING]


@each_option([option for option in UNACTED if not option.later])
def test_under_strict_it_is_an_error(option: Option) -> None:
    raws = [RawOption(option.name, asking(option), "app.ini:1", "app.ini", 1), STRICT]
    with pytest.raises(InvalidConfigError) as caught:
        assemble(raws, application=True)
    (finding,) = caught.value.findings
    assert (finding.level, finding.kind, finding.line) == (ERROR, UNSUPPORTED, 1)


@each_option([option for option in UNACTED if option.unasked])
def test_what_asks_for_nothing_is_not_warned_of(option: Option) -> None:
    for value in option.unasked:
        assert left(option, option.name, value) == []
        assert left(option, option.name, f" {value} ") == []


@each_option([option for option in UNACTED if option.kind == FLAG])
def test_a_flag_that_is_off_asks_for_nothing(option: Option) -> None:
    assert left(option, option.name, "false") == []
    assert len(left(option, option.name, None)) == 1
    assert len(left(option, option.name, "")) == 1, "in a file, without a value"


@each_option([option for option in UNACTED if option.kind in NUMBERS])
def test_a_number_that_is_none_is_an_error_wherever_it_stands(option: Option) -> None:
    with pytest.raises(InvalidConfigError, match=rf"^app\.ini:1: {option.name} = soon: .* is expected"):
        left(option, option.name, "soon")


@each_option(SILENT)
def test_what_is_always_so_needs_no_word(option: Option) -> None:
    for name in option.names:
        text = "python3" if "plugin" in name else asking(option)
        assert left(option, name, text, text) == []
        assert left(option, name, None) == []


@pytest.mark.parametrize("word", ["--http-websockets=false", "--tcp-fast-open=0", "--tcp-fast-open=0 ; none"])
def test_what_asks_for_nothing_on_the_command_line(word: str) -> None:
    assert parse(word).notices == ()


def test_a_tiny_number_is_not_nothing() -> None:
    (notice,) = parse("--tcp-fast-open", "1").notices
    assert notice.startswith("--tcp-fast-open (command line): not acted on: ")


@pytest.mark.parametrize(
    ("asked", "taken_back"),
    [("--http-websockets", "--http-websockets=false"), ("--tcp-fast-open=9", "--tcp-fast-open=0")],
)
def test_what_is_taken_back_is_not_warned_of(asked: str, taken_back: str) -> None:
    assert parse(asked, taken_back).notices == ()
    assert len(parse(taken_back, asked).notices) == 1


def test_the_letters_of_uwsgi() -> None:
    settings = parse("-M", "-p", "4", "-t30", "-R1000", "-TimL")
    assert settings.notices == ()
    assert settings.memory_report and settings.disable_logging
    assert (settings.master, settings.processes, settings.harakiri) == (True, "4", 30.0)
    assert settings.max_requests == 1000


def test_the_environment_comes_first() -> None:
    raws = [RawOption("processes", "3", "environment WEB_CONCURRENCY")]
    assert parse(environment=raws).processes == "3"
    assert parse("-p2", environment=raws).processes == "2"
