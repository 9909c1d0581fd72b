"""Hooks as they are written: what is taken apart, and what is refused with what is expected."""

import pytest

from penstock.config.household import hooks
from penstock.config.household.hooks import Hook, Mount, Touched


@pytest.mark.parametrize(
    ("text", "hook"),
    [
        ("exec:echo a: b", Hook("exec", "echo a: b")),
        ("!exec:secret", Hook("exec", "secret", private=True)),
        ("print:", Hook("print", "")),
        ("unix_signal:15 gracefully_kill_them_all", Hook("unix_signal", "15 gracefully_kill_them_all")),
        ("write:/tmp/a b c", Hook("write", "/tmp/a b c")),
        ("appendn:/tmp/a", Hook("appendn", "/tmp/a")),
        ("exit:", Hook("exit", "")),
        ("wait_for_socket:127.0.0.1:80", Hook("wait_for_socket", "127.0.0.1:80")),
        ("callint:kill_them_all 0", Hook("callint", "kill_them_all 0")),
    ],
)
def test_hooks(text: str, hook: Hook) -> None:
    assert hooks.parse(text) == hook


def test_what_the_log_shows_of_one() -> None:
    assert hooks.parse("exec:ls -l").shown == '"exec:ls -l"'
    assert "password" not in hooks.parse("!exec:login password").shown


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("exec", "ACTION:ARGUMENT"),
        ("", "ACTION:ARGUMENT"),
        ("dance:now", "no hook action 'dance'; there are alarm"),
        (" exec:x", "no hook action ' exec'"),
        ("chdir:", "chdir: an argument is expected"),
        ("write:/tmp/a", "write: FILE TEXT is expected"),
        ("chmod:/tmp/a", "chmod: FILE MODE"),
        ("chmod:/tmp/a 9xz", "chmod: FILE MODE"),
        ("chmod:/tmp/a 77777", "chmod: FILE MODE"),
        ("chown:/tmp/a root", "chown: FILE USER GROUP"),
        ("chown2:/tmp/a root root", "chown2: FILE UID GID"),
        ("chown2:/tmp/a 4294967295 0", "chown2: numbers below 4294967295"),
        ("chown2:/tmp/a 0 999999999999999", "chown2: numbers below 4294967295"),
        ("mount:tmpfs none", "mount: TYPE SOURCE FOLDER"),
        ("mount:tmpfs none /a odd", "mount: there is no flag 'odd' of mounts: bind"),
        ("umount:", "umount: FOLDER"),
        ("alarm:name", "alarm: ALARM TEXT"),
        ("exit:1000", "exit: an exit status from 0 to 255"),
        ("exit:one", "exit: an exit status from 0 to 255"),
        ("unix_signal:SIGTERM kill_them_all", "unix_signal: NUMBER FUNCTION"),
        ("unix_signal:99 kill_them_all", "unix_signal: NUMBER FUNCTION"),
        ("unix_signal:9 kill_them_all", "unix_signal: signal 9 cannot be taken"),
        ("unix_signal:17 kill_them_all", "unix_signal: signal 17 cannot be taken"),
        ("unix_signal:32 kill_them_all", "unix_signal: signal 32 cannot be taken"),
        (
            "unix_signal:15 my_own",
            "'my_own': C functions are not called; those that have a meaning here: grac",
        ),
        ("call:my_own 1", "call: 'my_own': C functions are not called"),
        ("rpc:name 1", "rpc: there are no functions to call from afar"),
        ("retryrpc:name", "retryrpc: there are no functions"),
        ("wait_for_socket:fd://3", "wait_for_socket: HOST:PORT"),
    ],
)
def test_what_is_none(text: str, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        hooks.parse(text)
    assert str(caught.value).startswith(said) or said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_known_functions_are_commands() -> None:
    assert hooks.signal_of("15 gracefully_kill_them_all") == (15, "stop")
    assert hooks.signal_of("3 kill_them_all") == (3, "stop-now")
    assert hooks.signal_of("1 grace_them_all") == (1, "reload")
    assert hooks.call_of("reap_them_all") == "reload-brutal"
    assert hooks.call_of("uwsgi_reload_workers 0") == "reload-workers"


def test_arguments_in_their_parts() -> None:
    assert hooks.two("/a  b c") == ("/a", " b c")
    assert hooks.mode_of("/a 644") == ("/a", 0o644)
    assert hooks.mode_of("/a 1777") == ("/a", 0o1777)
    assert hooks.owner_of("/a me us") == ("/a", "me", "us")
    assert hooks.numbers_of("/a 0 65534") == ("/a", 0, 65534)
    assert hooks.alarm_of("mail it is full") == ("mail", "it is full")
    assert [hooks.status_of(text) for text in ("", "1", "255")] == [0, 1, 255]


def test_mounts_and_their_flags() -> None:
    assert hooks.mount_of("tmpfs none /a") == Mount("tmpfs", "none", "/a")
    assert hooks.mount_of(" /b /a bind,ro") == Mount("", "/b", "/a", 4096 | 1)
    assert hooks.mount_of("tmpfs none /a nosuid,defaults size=1m,mode=700") == Mount(
        "tmpfs", "none", "/a", 2, "size=1m,mode=700"
    )
    assert hooks.umount_of("/a") == Mount("", "", "/a")
    assert hooks.umount_of("/a rec,detach") == Mount("", "", "/a", 16384 | 2)


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("hook-touch", "/tmp/a exec:ls", Touched("/tmp/a", Hook("exec", "ls"))),
        ("file-write", "/tmp/a=b=c", ("/tmp/a", "b=c")),
        ("exec-asap", "echo a:b", Hook("exec", "echo a:b")),
        ("mount-as-root", "tmpfs none /a", Hook("mount", "tmpfs none /a")),
        ("umount-asap", "/a detach", Hook("umount", "/a detach")),
        ("hook-asap", "mkdir:/a", Hook("mkdir", "/a")),
    ],
)
def test_a_value_by_its_option(name: str, text: str, found: object) -> None:
    assert hooks.parse_option(name, text) == found


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("hook-touch", "/tmp/a", "FILE ACTION:ARGUMENT"),
        ("hook-touch", "/tmp/a dance:x", "no hook action"),
        ("file-write", "/tmp/a", "FILE=TEXT"),
        ("mount-asap", "tmpfs", "TYPE SOURCE FOLDER"),
        ("umount-asap", "", "FOLDER"),
    ],
)
def test_a_value_that_its_option_cannot_have(name: str, text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        hooks.parse_option(name, text)
