"""Settings become sockets, limits and closures."""

import contextlib
import os
import socket
import sys
import types
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest

from penstock.config.assemble import from_keywords
from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.logs.setup import Diary
from penstock.process import binding, build, diaries, root
from tests.process.running import hello
from tests.sinks import file_sink


def settings_of(**options: Any) -> Settings:
    return from_keywords({"bind": [], **options}, application=True)


@pytest.fixture
def diary(tmp_path: Path) -> Iterator[Diary]:
    """A diary whose lines are in ``log``."""
    made = Diary(file_sink(str(tmp_path / "log")), None)
    yield made
    made.close()


@contextlib.contextmanager
def opened(settings: Settings) -> Iterator[list[binding.Bound]]:
    bound = binding.bind(settings)
    try:
        yield bound
    finally:
        binding.unbind(bound)


# ---- Sockets ------------------------------------------------------------------------------------------


def test_every_kind_of_address_is_opened_in_order(tmp_path: Path) -> None:
    path = str(tmp_path / "app.sock")
    with socket.create_server(("127.0.0.1", 0)) as given:
        name = given.getsockname()
        binds = ["127.0.0.1:0", path, f"@penstock-build-{os.getpid()}", f"fd://{os.dup(given.fileno())}"]
        with opened(settings_of(bind=binds, chmod_socket="600")) as bound:
            assert [spec.address for spec, _, _ in bound] == binds
            assert [at for _, _, at in bound] == ["", path, "", ""], "only a path of ours is removed later"
            assert all(not sock.getblocking() for _, sock, _ in bound)
            assert bound[3][1].getsockname() == name
            assert Path(path).stat().st_mode & 0o777 == 0o600
        assert not Path(path).exists()
        assert all(sock.fileno() == -1 for _, sock, _ in bound)


def test_of_a_start_that_fails_no_socket_stays(tmp_path: Path) -> None:
    path = tmp_path / "app.sock"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartError, match=f"cannot listen on 127.0.0.1:{port}: the address is in use"):
            binding.bind(settings_of(bind=[str(path), f"127.0.0.1:{port}"]))
    assert not path.exists()


@pytest.mark.parametrize(("option", "set_to"), [(True, 1), (False, 0)])
def test_so_keepalive(option: bool, set_to: int) -> None:
    with opened(settings_of(bind="127.0.0.1:0", so_keepalive=option)) as ((_, sock, _),):
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == set_to
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize("owner", ["nobody-of-this-name", "\u00b2", ":\u00b2"])
def test_an_owner_that_nobody_knows(tmp_path: Path, owner: str) -> None:
    path = tmp_path / "app.sock"
    with pytest.raises(StartError, match=f"chown-socket {owner}: "):
        binding.bind(settings_of(bind=str(path), chown_socket=owner))
    assert not path.exists()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_unix_sockets_are_the_users_unless_an_owner_is_named(tmp_path: Path) -> None:
    for options, expected in (({}, (54321, 54322)), ({"chown_socket": "54323"}, (54323, 0))):
        path = tmp_path / f"app-{len(options)}.sock"
        bound = binding.bind(settings_of(bind=[str(path), "127.0.0.1:0"], **options), "54321:54322")
        try:
            assert (path.stat().st_uid, path.stat().st_gid) == expected
        finally:
            binding.unbind(bound)


@pytest.mark.parametrize(
    ("options", "mode"),
    [
        ({}, None),
        ({"daemonize": "log"}, 0o777),
        ({"daemonize2": "log"}, None),
        ({"daemonize": "log", "umask": "027"}, None),
        ({"daemonize": "log", "chmod_socket": "660"}, 0o660),
        ({"chmod_socket": "664"}, 0o664),
    ],
)
def test_modes_of_unix_sockets(options: dict[str, Any], mode: int | None) -> None:
    assert binding.mode_of(settings_of(bind="app.sock", **options)) == mode


def test_a_socket_is_removed_from_where_it_was_made(tmp_path: Path, diary: Diary) -> None:
    with contextlib.chdir(tmp_path):
        settings = settings_of(bind="app.sock")
        bound = binding.bind(settings)
        (listener,) = build.make_listeners(bound, settings, diary)
        os.chdir("/")
        listener.unlink()
        listener.close()
    assert not (tmp_path / "app.sock").exists()


def test_a_path_that_is_no_utf8_is_listened_on(tmp_path: Path, diary: Diary) -> None:
    path = str(tmp_path / "\udcff.sock")
    settings = settings_of(bind=path)
    with opened(settings) as bound:
        (listener,) = build.make_listeners(bound, settings, diary)
        diary.say(f"listening on {listener.name}")
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(os.fsencode(path))
    assert "udcff.sock" in (tmp_path / "log").read_text()


def test_the_servers_name_and_port(tmp_path: Path) -> None:
    with opened(settings_of(bind=["127.0.0.1:0", str(tmp_path / "app.sock")])) as (tcp, unix):
        assert build.server_of(tcp[1]) == (socket.gethostname(), str(tcp[1].getsockname()[1]))
        assert build.server_of(unix[1]) == (socket.gethostname(), "80")


def test_listeners_have_their_protocol_base_and_trust(tmp_path: Path, diary: Diary) -> None:
    path = str(tmp_path / "app.sock")
    options = {
        "uwsgi_socket": path,
        "uwsgi_allow": "192.0.2.1",
        "trusted_proxies": "10.0.0.0/8",
        "threads": 3,
    }
    settings = settings_of(bind="127.0.0.1:0", forwarded_addr=True, **options)
    with opened(settings) as bound:
        http, uwsgi = build.make_listeners(bound, settings, diary)
        assert (http.protocol, http.interim, http.allow, http.path) == ("http", True, None, "")
        assert (uwsgi.protocol, uwsgi.interim, uwsgi.path) == ("uwsgi", False, path)
        assert uwsgi.allow is not None
        assert "192.0.2.1" in uwsgi.allow
        assert uwsgi.inode == (os.stat(path).st_dev, os.stat(path).st_ino)
        assert "10.1.2.3" in http.forwarding.peers
        assert "127.0.0.1" not in http.forwarding.peers
        assert http.forwarding.rewrite
        assert http.base["wsgi.errors"] is diary.errors
        assert http.base["wsgi.multithread"] is True
        assert http.base["SERVER_PORT"] == str(http.sock.getsockname()[1])
        assert uwsgi.base["SERVER_PORT"] == "80"
        kinds = [type(x.decoder).__name__ for x in (http, uwsgi)]
        assert kinds == ["Http1Decoder", "UwsgiDecoder"]


@pytest.mark.parametrize(
    ("address", "allow", "warned"),
    [("0.0.0.0:0", "", True), ("0.0.0.0:0", "192.0.2.1", False), ("127.0.0.1:0", "", False)],
)
def test_a_public_uwsgi_listener_is_warned_of_once(
    tmp_path: Path, diary: Diary, address: str, allow: str, warned: bool
) -> None:
    options = {"uwsgi_allow": allow} if allow else {}
    settings = settings_of(uwsgi_socket=address, **options)
    with opened(settings) as bound:
        build.make_listeners(bound, settings, diary)
    text = (tmp_path / "log").read_text()
    assert text.count("can be reached from other hosts") == warned


@pytest.mark.parametrize("option", ["trusted-proxies", "uwsgi-allow"])
def test_peers_that_are_none_name_their_option(diary: Diary, option: str) -> None:
    settings = settings_of(bind="127.0.0.1:0", **{option.replace("-", "_"): "not-an-address"})
    with opened(settings) as bound, pytest.raises(StartError, match=f"^{option}: 'not-an-address'"):
        build.make_listeners(bound, settings, diary)


# ---- Numbers ------------------------------------------------------------------------------------------


def test_what_the_decoders_refuse() -> None:
    limits = build.limits_of(
        settings_of(request_line=1, header_bytes=2, header_count=3, limit_post=4, chunked_limit=5)
    )
    assert (limits.request_line, limits.header_bytes, limits.header_count) == (1, 2, 3)
    assert (limits.body, limits.chunked_body) == (4, 5)
    assert build.limits_of(settings_of(chunked_stream=True)).chunked_body == 0, "nothing is gathered"


@pytest.mark.parametrize("size", ["1k", "64k", "1m"])
def test_a_packet_of_uwsgi_is_as_long_as_its_head_can_say(size: str) -> None:
    assert build.limits_of(settings_of(buffer_size=size)).packet == 65535


def test_how_long_the_door_waits() -> None:
    patience = build.patience_of(
        settings_of(
            head_timeout=1, body_timeout=2, keepalive_timeout=3, write_timeout=4, queue_timeout=5, linger=6,
            min_rate=7,
        )
    )  # fmt: skip
    assert (patience.head, patience.body, patience.keepalive, patience.write) == (1, 2, 3, 4)
    assert (patience.queue, patience.linger, patience.rate) == (5, 6, 7)


def test_how_requests_are_taken_in() -> None:
    intake = build.intake_of(
        settings_of(gather=1, post_buffering=2, chunked_stream=True, max_connections=3, spool_dir="/spool")
    )
    assert (intake.gather, intake.post_buffering, intake.chunked_stream) == (1, 2, True)
    assert (intake.max_connections, intake.spool_dir) == (3, "/spool")
    assert intake.read_ahead == 64 << 10
    assert build.intake_of(settings_of(buffer_size="1m")).read_ahead == 1 << 20


def test_connections_from_the_descriptor_limit() -> None:
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = 1 << 20 if soft == resource.RLIM_INFINITY or soft > 1 << 20 else soft
    assert build.connections_that_fit(8) == max(16, most - 128)
    assert build.connections_that_fit(1 << 20) == 16
    assert build.intake_of(settings_of(threads=8)).max_connections == build.connections_that_fit(8)


def test_a_workers_numbers() -> None:
    settings = settings_of(
        threads=3, queue=4, reply_buffer=5, reply_spool=6, spool_dir="/s", shutdown_timeout=7
    )
    plan = build.plan_of(settings)
    assert (plan.threads, plan.queue, plan.shutdown_timeout) == (3, 4, 7.0)
    assert (plan.marks.reply_buffer, plan.marks.reply_spool, plan.marks.spool_dir) == (5, 6, "/s")
    assert astuple(plan.patience) == astuple(build.patience_of(settings))
    assert astuple(plan.intake) == astuple(build.intake_of(settings))


# ---- Answering ----------------------------------------------------------------------------------------


def test_what_answering_needs(diary: Diary) -> None:
    settings = settings_of(early_hints=True, log_x_forwarded_for=True)
    kitchen = build.kitchen_of(settings, hello, diary)
    assert kitchen.application is hello
    assert kitchen.record is None, "nobody takes records"
    assert kitchen.early_hints
    assert kitchen.noting.forwarded
    records: list[Any] = []
    kitchen = build.kitchen_of(settings_of(), hello, diary, records.append)
    assert kitchen.record == records.append
    assert not (kitchen.early_hints or kitchen.noting.forwarded)


@pytest.mark.parametrize("header", ["X: a\nb", "X Y: a", ": a", "X: a\x00", "X: \u20ac"])
def test_a_header_that_cannot_be_sent_names_its_option(diary: Diary, header: str) -> None:
    with pytest.raises(StartError, match=r"^add-header: "):
        build.kitchen_of(settings_of(add_header=[header]), hello, diary)


# ---- Logs and surroundings ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("short_form", "options", "error", "access"),
    [
        (True, {}, 2, 1),
        (False, {}, 2, 2),
        (True, {"access_log": "stdout"}, 2, 1),
        (False, {"access_log": "-"}, 2, 1),
        (True, {"access_log": "stderr"}, 2, 2),
        (True, {"access_log": "off"}, 2, None),
        (True, {"access_log": "false"}, 2, None),
        (True, {"access_log": "no"}, 2, None),
        (True, {"disable_logging": True}, 2, None),
        (True, {"disable_logging": True, "access_log": "stdout"}, 2, None),
        (True, {"logto": "all"}, "all", "all"),
        (False, {"logto": "all"}, "all", "all"),
        (True, {"logto": "all", "access_log": "stdout"}, "all", 1),
        (True, {"logto": "all", "access_log": "stderr"}, "all", 2),
        (True, {"logto": "all", "access_log": "off"}, "all", None),
        (True, {"logto": "all", "access_log": "access"}, "all", "access"),
        (True, {"access_log": "access"}, 2, "access"),
        (True, {"daemonize": "log", "logto": "other"}, "log", "log"),
        (False, {"daemonize": "log", "access_log": "access"}, "log", "access"),
        (True, {"logto2": "log"}, 2, 2),
        (True, {"daemonize2": "log"}, 2, 2),
    ],
)
def test_where_the_logs_go(
    tmp_path: Path, short_form: bool, options: dict[str, Any], error: int | str, access: int | str | None
) -> None:
    def place(sink: Any) -> int | str | None:
        return None if sink is None else Path(sink.path).name or sink.fd

    with contextlib.chdir(tmp_path):
        made = diaries.open_diary(Settings(short_form=short_form, **options))
        try:
            assert (place(made.error_sink), place(made.access_sink)) == (error, access)
            if error == access:
                assert made.error_sink is made.access_sink, "one descriptor, one reopening"
        finally:
            made.close()


@pytest.mark.parametrize("option", ["daemonize", "logto", "access_log"])
def test_a_log_in_a_folder_that_is_not_there(tmp_path: Path, option: str) -> None:
    options: dict[str, Any] = {option: str(tmp_path / "no" / "log")}
    with pytest.raises(StartError, match=r"cannot open the log .*: No such file or directory"):
        diaries.open_diary(Settings(**options))


def test_this_is_no_containers_first_process() -> None:
    assert not diaries.first_process()


@pytest.mark.parametrize("option", ["chdir", "chdir2"])
def test_changing_the_folder(tmp_path: Path, option: str) -> None:
    with contextlib.chdir(os.curdir):
        before = Path.cwd()
        root.change_folder(option, "")
        assert Path.cwd() == before
        root.change_folder(option, str(tmp_path))
        assert Path.cwd() == tmp_path.resolve()
        with pytest.raises(StartError, match=rf"^{option} /nowhere: No such file or directory$"):
            root.change_folder(option, "/nowhere")


class Titles(types.ModuleType):
    """A module with the one function of setproctitle."""

    def __init__(self) -> None:
        super().__init__("setproctitle")
        self.titles: list[str] = []

    def setproctitle(self, title: str) -> None:
        self.titles.append(title)


@contextlib.contextmanager
def installed(module: types.ModuleType | None) -> Iterator[None]:
    """``setproctitle`` is ``module`` inside the block; None: it is not installed."""
    modules: dict[str, Any] = sys.modules
    before = modules.pop("setproctitle", None)
    modules["setproctitle"] = module
    try:
        yield
    finally:
        del modules["setproctitle"]
        if before is not None:
            modules["setproctitle"] = before
