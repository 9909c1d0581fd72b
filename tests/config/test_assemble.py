"""Raw options to settings: what follows from what, and what cannot be."""

import time
from collections.abc import Iterator

import pytest

from penstock.config.assemble import MOST_TOLD, Assembly, assemble
from penstock.config.finding import BAD_VALUE, WARNING
from penstock.config.raw import RawOption
from penstock.config.settings import somaxconn
from penstock.core.errors import ConfigError
from tests.config.parse import bare, parse


def problems(*words: str) -> list[str]:
    """The lines of what is wrong with ``words``."""
    with pytest.raises(ConfigError) as caught:
        bare(*words)
    return str(caught.value).splitlines()


# ---- What is wrong ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--request-queue", "ten"], "command line: --request-queue ten: a whole number is expected"),
        (["--request-queue=-1"], "command line: --request-queue -1: a whole number is expected"),
        (["--limit-post", "big"], "command line: --limit-post big: a number of bytes is expected"),
        (["-b", "big"], "command line: --buffer-size big: a number of bytes is expected"),
        (["--head-timeout", "soon"], "command line: --head-timeout soon: a time is expected"),
        (["-zsoon"], "command line: --socket-timeout soon: a time is expected"),
        (["--chmod-socket=rw"], "command line: --chmod-socket rw: three octal digits are expected"),
        (["--bind", "1:2:3"], "command line: --bind 1:2:3: '1:2:3' is not an address: put brackets"),
        (["--http-socket", ":x"], "command line: --http-socket :x: ':x' is not an address"),
        (["--uwsgi-socket", "fd://x"], "command line: --uwsgi-socket fd://x: 'fd://x' is not fd://NUMBER"),
        (["--protocol", "fastcgi"], "command line: --protocol fastcgi: uwsgi or http is expected"),
        (
            ["--threads", "\u00b2"],
            "command line: --threads \u00b2: a number from 1 to 4096 is expected, or auto",
        ),
        (["--threads", "4097"], "command line: --threads 4097: a number from 1 to 4096 is expected, or auto"),
        (["--threads", "-2"], "command line: --threads -2: a number from 1 to 4096 is expected, or auto"),
        (["--request-queue", "0"], "command line: --request-queue 0: a number from 1 is expected"),
        (
            ["--event-loop", "tornado"],
            "command line: --event-loop tornado: auto, uvloop or asyncio is expected",
        ),
        (["--uid", ""], "command line: --uid : a name or a number is expected"),
        (["--gid="], "command line: --gid : a name or a number is expected"),
        (["--umask", "rwx"], "command line: --umask rwx: octal digits are expected, such as 022"),
        (["--add-header", "X-Name"], "command line: --add-header X-Name: 'Name: value' is expected"),
        (["--env", "=value"], "command line: --env =value: NAME=VALUE is expected"),
        (["--env", ""], "command line: --env : NAME=VALUE is expected"),
        (["other:app"], "command line: <application> other:app: the application is named twice"),
    ],
)
def test_what_is_wrong_names_the_option_and_what_was_expected(words: list[str], said: str) -> None:
    (line,) = problems("--module", "app", "--bind", ":0", *words)
    assert line.startswith(said)


def test_all_problems_are_told_at_once() -> None:
    lines = problems("--request-queue", "x", "--gather", "y", "--bind", ":z", "--event-loop", "w")
    assert [line.rpartition("--")[2].split()[0] for line in lines[:2]] == ["request-queue", "gather"]
    assert any("no application" in line for line in lines)
    assert any("--bind :z" in line for line in lines)
    assert any("--event-loop w" in line for line in lines)
    assert len(lines) == 5


def test_a_value_that_is_missing_is_expected() -> None:
    with pytest.raises(ConfigError, match=r"^somewhere: --request-queue: a value is expected: N$"):
        assemble([RawOption("request-queue", None, "somewhere"), RawOption("<application>", "app", "")])


def test_neither_application_nor_socket() -> None:
    lines = problems()
    assert lines[0].startswith("no application: name one, as in 'penstock module:callable'")
    assert lines[1].startswith("no socket: name one with --http-socket ADDRESS")
    assert problems("--module", "app") == lines[1:]


def test_settings_are_frozen_and_know_no_other_name() -> None:
    settings = parse()
    with pytest.raises(AttributeError, match="queue"):
        settings.queue = 1  # type: ignore[misc]  # the point of the test
    with pytest.raises(TypeError, match="frobnicate"):
        type(settings)(frobnicate=1)


# ---- The application ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "module", "file", "name"),
    [
        ("pkg.mod", "pkg.mod", "", ""),
        ("pkg.mod:web", "pkg.mod:web", "", ""),
        ("pkg.mod:make()", "pkg.mod:make()", "", ""),
        ("app.py", "", "app.py", ""),
        ("folder/app.py:web", "", "folder/app.py", "web"),
    ],
)
def test_the_short_form(word: str, module: str, file: str, name: str) -> None:
    settings = bare(word)
    assert (settings.module, settings.wsgi_file, settings.callable) == (module, file, name)
    assert settings.short_form
    (spec,) = settings.listeners
    assert (spec.address, spec.protocol, spec.origin) == ("127.0.0.1:8000", "http", "default")


@pytest.mark.parametrize(("option", "name"), [("--module", "y"), ("--wsgi-file", "y.py")])
def test_the_application_is_named_once_in_whichever_order(option: str, name: str) -> None:
    first, second = RawOption("<application>", "x", "there"), RawOption(option[2:], name, "here")
    for raws, said in (
        ((first, second), f"here: {option} {name}"),
        ((second, first), "there: <application> x"),
    ):
        with pytest.raises(ConfigError) as caught:
            assemble(raws)
        assert str(caught.value) == f"{said}: the application is named twice"


@pytest.mark.parametrize("words", [["--module", "app"], ["--wsgi-file", "app.py"], ["-w", "app"]])
def test_the_options_of_uwsgi_are_not_the_short_form(words: list[str]) -> None:
    settings = bare("--http-socket", ":0", *words)
    assert not settings.short_form
    assert settings.thread_count == 1


def test_an_application_given_as_an_object_needs_no_name() -> None:
    settings = assemble([], application=True)
    assert settings.short_form
    assert [spec.address for spec in settings.listeners] == ["127.0.0.1:8000"]


# ---- Sockets ------------------------------------------------------------------------------------------


def test_each_socket_option_speaks_its_protocol_in_the_order_given() -> None:
    settings = bare(
        "--module",
        "app",
        "--uwsgi-socket",
        "@a",
        "--http",
        ":1,key",
        "--bind",
        ":2",
        "--socket",
        ":3",
        "--http-socket",
        ":4",
    )
    assert [(spec.parsed.path or spec.parsed.port, spec.protocol) for spec in settings.listeners] == [
        ("a", "uwsgi"), (1, "http"), (2, "http"), (3, "uwsgi"), (4, "http"),
    ]  # fmt: skip
    assert {spec.origin for spec in settings.listeners} == {"command line"}


def test_a_socket_of_the_short_form_speaks_http_unless_it_is_said() -> None:
    assert [spec.protocol for spec in parse("-s", ":1", "--uwsgi-socket", ":2").listeners] == [
        "http",
        "uwsgi",
    ]
    assert [spec.protocol for spec in parse("-s", ":1", "--protocol=uwsgi").listeners] == ["uwsgi"]


@pytest.mark.parametrize(("name", "speaks"), [("http", "http"), ("http11", "http"), ("uwsgi", "uwsgi")])
def test_protocol_is_for_socket_alone_wherever_it_stands(name: str, speaks: str) -> None:
    for words in (["--protocol", name, "-s", ":1"], ["-s", ":1", "--socket-protocol", name]):
        settings = parse(*words, "--uwsgi-socket", ":2", "--bind", ":3")
        assert [spec.protocol for spec in settings.listeners] == [speaks, "uwsgi", "http"]


def test_an_address_that_is_named_twice_is_opened_once() -> None:
    settings = parse("--bind", ":1", "--http-socket", ":1", "--bind", ":0", "--bind", ":0")
    assert [spec.address for spec in settings.listeners] == [":1", ":0", ":0"]


# ---- What follows -------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["socket-timeout", "http-timeout"])
def test_one_time_out_of_uwsgi_stands_for_two_of_ours(option: str) -> None:
    settings = parse(f"--{option}", "5")
    assert (settings.body_timeout, settings.write_timeout) == (5.0, 5.0)
    settings = parse("--write-timeout", "9", f"--{option}", "5")
    assert (settings.body_timeout, settings.write_timeout) == (5.0, 9.0)
    assert parse(f"--{option}", "5").head_timeout == 15.0


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ([], 75.0), (["--http-keepalive"], 75.0), (["--http-keepalive=1"], 75.0),
        (["--http-keepalive=true"], 75.0), (["--http-keepalive=20"], 20.0),
        (["--http-keepalive=20", "--keepalive-timeout", "30"], 30.0),
        (["--keepalive-timeout", "30", "--http-keepalive=20"], 30.0),
    ],
)  # fmt: skip
def test_keep_alive_in_the_words_of_uwsgi(words: list[str], seconds: float) -> None:
    assert parse(*words).keepalive_timeout == seconds


@pytest.mark.parametrize(
    ("text", "size"), [("4096", 65536), ("32k", 65536), ("65536", 65536), ("1m", 1 << 20)]
)
def test_buffer_size_only_raises_the_floor(text: str, size: int) -> None:
    assert parse("--buffer-size", text).buffer_size == size


def test_a_longer_queue_than_the_kernel_gives_is_said_and_cut() -> None:
    most = somaxconn()
    settings = parse("--listen", str(most + 1))
    assert settings.notices == (f"--listen (command line): the kernel gives at most {most} (somaxconn)",)
    assert settings.backlog == most
    for words in ([], ["--listen", "0"]):
        assert parse(*words).backlog == most
        assert parse(*words).notices == ()
    assert parse("-l5").backlog == 5


def test_a_number_with_something_behind_it_is_taken_with_a_warning() -> None:
    settings = parse("--request-queue", "10 requests", "--request-queue", "10 requests")
    assert settings.queue == 10
    assert settings.notices == ("--request-queue (command line): only the leading number 10 is used",)


def test_a_flag_as_uwsgi_reads_it() -> None:
    assert parse("--vacuum=no").vacuum is False
    assert parse("--vacuum=nope").vacuum is True
    assert parse("--need-app=false", "--need-app").need_app is True


def test_an_assembly_says_a_thing_once() -> None:
    assembly = Assembly([])
    for _ in range(2):
        assembly.say(WARNING, BAD_VALUE, "said", RawOption("queue", "1", "here"))
    assert [finding.text for finding in assembly.findings] == ["here: queue = 1: said"]


def test_what_is_not_needed_is_not_asked_for() -> None:
    """An application where need-app is off, and anything at all where only a server is to be stopped."""
    settings = bare("--bind", ":0", "--need-app=false")
    assert (settings.module, settings.wsgi_file, settings.need_app) == ("", "", False)
    settings = bare("--stop", "/run/app.pid")
    assert (settings.stop, settings.listeners) == ("/run/app.pid", ())
    assert len(problems("--stop", "/run/app.pid", "--gather", "x")) == 1


@pytest.mark.parametrize(
    ("words", "head", "body", "write"),
    [
        (["--http-headers-timeout", "5"], 5.0, 30.0, 60.0),
        (["--http-headers-timeout", "5", "--head-timeout", "6"], 6.0, 30.0, 60.0),
        (["--so-send-timeout=7"], 15.0, 30.0, 7.0),
        (["--socket-write-timeout=7"], 15.0, 30.0, 7.0),
        (["--so-send-timeout=7", "--socket-timeout", "9"], 15.0, 9.0, 7.0),
        (["--write-timeout", "8", "--so-write-timeout=7"], 15.0, 30.0, 8.0),
        (["--so-send-timeout=0", "--http-headers-timeout", "0"], 15.0, 30.0, 60.0),
    ],
)
def test_other_time_outs_of_uwsgi(words: list[str], head: float, body: float, write: float) -> None:
    settings = parse(*words)
    assert (settings.head_timeout, settings.body_timeout, settings.write_timeout) == (head, body, write)


def test_the_environment_of_others_gives_way_and_uwsgis_does_not() -> None:
    """FORWARDED_ALLOW_IPS is a default; a list in UWSGI_X is one part of the list, as it is in uWSGI."""
    command = RawOption("trusted-proxies", "::1", "command line")
    weak = RawOption("trusted-proxies", "192.0.2.1", "environment FORWARDED_ALLOW_IPS")
    strong = weak._replace(origin="environment PENSTOCK_TRUSTED_PROXIES")
    assert assemble([weak, command], application=True).trusted_proxies == ("::1",)
    assert assemble([strong, command], application=True).trusted_proxies == ("192.0.2.1", "::1")


# ---- Masses ----------------------------------------------------------------------------------------------


def masses(key: str, values: Iterator[str]) -> Assembly:
    """An assembly with one option often, in bounded time."""
    assembly = Assembly([])
    start = time.process_time()
    for line, value in enumerate(values, 1):
        assembly.add(RawOption(key, value, f"a.ini:{line}", "a.ini", line))
    assert time.process_time() - start < 5, "what takes a second for each of them squared took half a minute"
    return assembly


def test_masses_of_wrong_values_are_told_up_to_a_bound() -> None:
    assembly = masses("listen", (f"x{number}" for number in range(50_000)))
    assert len(assembly.findings) == MOST_TOLD
    with pytest.raises(ConfigError):
        assembly.settings()


def test_masses_of_one_option_that_is_not_acted_on_are_one_warning() -> None:
    assembly = masses("gevent", (str(number) for number in range(2, MOST_TOLD * 3)))
    (finding,) = assembly.findings
    assert finding.value == str(MOST_TOLD * 3 - 1)


def test_masses_of_values_of_a_list_are_all_there() -> None:
    assembly = masses("env", (f"A{number}=x" for number in range(100_000)))
    for key, value in (("module", "a"), ("http-socket", ":0")):
        assembly.add(RawOption(key, value, "a.ini:1", "a.ini", 1))
    assert len(assembly.settings().env) == 100_000
