"""Listening sockets, real ones: how addresses become them, what is refused, and how they end."""

import errno
import os
import socket
import stat
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from penstock.codecs.decoder import Limits
from penstock.codecs.http1 import Http1Decoder
from penstock.core.errors import StartError
from penstock.net.listener import Listener, roomy
from penstock.net.listening import (
    _protect,
    adopt,
    bind_tcp,
    bind_unix,
    inode_of,
    socket_name,
)
from penstock.net.trust import Forwarding, Peers


def has_v6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


LOOPBACKS = ["127.0.0.1", "::1"] if has_v6() else ["127.0.0.1"]


def listener(sock: socket.socket, protocol: str = "http", **more: Any) -> Listener:
    return Listener(sock, protocol, Http1Decoder({}, Limits()), {}, Forwarding(Peers(())), **more)


def reach(address: Any, family: int = socket.AF_INET, timeout: float = 5.0) -> socket.socket:
    """A client's connection to ``address``."""
    client = socket.socket(family, socket.SOCK_STREAM)
    client.settimeout(timeout)
    try:
        client.connect(address)
    except BaseException:
        client.close()
        raise
    return client


@pytest.fixture
def one() -> Iterator[socket.socket]:
    """A listening TCP socket on 127.0.0.1."""
    (sock,) = bind_tcp("127.0.0.1", 0, 10)
    with sock:
        yield sock


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A path for a UNIX socket; short, for sun_path holds 107 bytes."""
    return str(tmp_path / "s")


# ---- TCP --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", LOOPBACKS)
def test_a_tcp_address_listens_and_tells_its_port(host: str) -> None:
    (sock,) = bind_tcp(host, 0, 10)
    with sock:
        assert sock.gettimeout() == 0.0, "non-blocking from its birth"
        port = sock.getsockname()[1]
        assert port > 0
        assert socket_name(sock) == (f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
        with reach((host, port), sock.family) as client:
            accepted, _ = sock.accept()
            with accepted:
                accepted.sendall(b"hello")
                assert client.recv(10) == b"hello"


def test_no_host_is_every_address() -> None:
    (sock,) = bind_tcp("", 0, 10)
    with sock:
        assert sock.getsockname()[0] == "0.0.0.0"
        reach(("127.0.0.1", sock.getsockname()[1])).close()


def test_connections_inherit_nodelay_and_on_request_keepalive() -> None:
    for keepalive in (False, True):
        (sock,) = bind_tcp("127.0.0.1", 0, 10, keepalive)
        with sock, reach(sock.getsockname()), closing(sock.accept()[0]) as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert bool(accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)) == keepalive


def test_an_address_in_use_is_named(one: socket.socket) -> None:
    port = one.getsockname()[1]
    with pytest.raises(StartError, match=rf"cannot listen on 127\.0\.0\.1:{port}: .*in use") as caught:
        bind_tcp("127.0.0.1", port, 10)
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno == errno.EADDRINUSE
    assert caught.value.exit_code == 1


def test_an_address_of_another_machine_is_named() -> None:
    with pytest.raises(StartError, match=r"cannot listen on 192\.0\.2\.1:0: "):
        bind_tcp("192.0.2.1", 0, 10)


def test_a_port_whose_last_connections_linger_can_be_had_again(one: socket.socket) -> None:
    """A restart must not wait for TIME_WAIT to end."""
    address = one.getsockname()
    client = reach(address)
    accepted, _ = one.accept()
    accepted.close()  # the side that closes first keeps TIME_WAIT
    client.close()
    one.close()
    (again,) = bind_tcp(address[0], address[1], 10)
    again.close()


@pytest.mark.skipif(len(LOOPBACKS) < 2, reason="this machine has no IPv6")
def test_a_v6_address_takes_no_v4_port_and_the_wildcard_takes_both() -> None:
    with ExitStack() as stack:
        (four,) = bind_tcp("127.0.0.1", 0, 10)
        stack.enter_context(four)
        port = four.getsockname()[1]
        (six,) = bind_tcp("::1", port, 10)
        stack.enter_context(six)
        assert six.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
        (both,) = bind_tcp("::", 0, 10)
        stack.enter_context(both)
        stack.enter_context(reach(("127.0.0.1", both.getsockname()[1])))
        accepted, address = both.accept()
        stack.enter_context(accepted)
        assert address[0] == "::ffff:127.0.0.1"


# ---- UNIX -------------------------------------------------------------------------------------------


def test_a_unix_path_listens(path: str) -> None:
    with bind_unix(path, 10) as sock:
        assert sock.gettimeout() == 0.0
        assert socket_name(sock) == f"unix:{path}"
        reach(path, socket.AF_UNIX).close()


@pytest.mark.parametrize("mode", [0o600, 0o660, 0o666])
def test_its_mode_is_what_was_asked_for_whatever_the_umask(path: str, mode: int) -> None:
    before = os.umask(0o077)
    try:
        bind_unix(path, 10, mode).close()
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(path).st_mode) == mode


def test_a_link_that_was_put_in_its_place_gives_no_file_away(path: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.touch(0o600)
    os.symlink(secret, path)
    with pytest.raises(StartError, match="the socket was taken away and replaced"):
        _protect(path, 0o777, f"{os.getuid()}:{os.getgid()}")
    assert secret.stat().st_mode & 0o777 == 0o600


def test_its_owner_may_be_given_by_number(path: str) -> None:
    bind_unix(path, 10, owner=f"{os.getuid()}:{os.getgid()}").close()
    found = os.stat(path)
    assert (found.st_uid, found.st_gid) == (os.getuid(), os.getgid())


@pytest.mark.parametrize("owner", ["no-such-user", ":no-such-group"])
def test_an_owner_who_does_not_exist_is_named(path: str, owner: str) -> None:
    with pytest.raises(StartError, match=rf"chown-socket {owner}: .*no-such"):
        bind_unix(path, 10, owner=owner)


def test_an_abstract_name_listens_and_leaves_no_file(tmp_path: Path) -> None:
    name = f"@penstock-test-{os.getpid()}"
    with bind_unix(name, 10, mode=0o600) as sock:
        assert socket_name(sock) == f"unix:{name}"
        reach("\0" + name[1:], socket.AF_UNIX).close()
        with pytest.raises(StartError, match=f"cannot listen on {name}: .*in use"):
            bind_unix(name, 10)
    assert not Path(name).exists()


def test_a_stale_socket_file_is_replaced(path: str) -> None:
    bind_unix(path, 10).close()
    before = inode_of(path)
    assert before != (0, 0), "closing leaves the file"
    with bind_unix(path, 10):
        reach(path, socket.AF_UNIX).close()


def test_one_that_answers_is_left_to_whoever_listens(path: str) -> None:
    with bind_unix(path, 10):
        inode = inode_of(path)
        with pytest.raises(StartError, match=f"{path}: another server is listening there"):
            bind_unix(path, 10)
        assert inode_of(path) == inode
        reach(path, socket.AF_UNIX).close()


def test_one_with_a_full_queue_is_somebody_s_too(path: str) -> None:
    with bind_unix(path, 0), ExitStack() as stack:
        with pytest.raises(OSError):
            for _ in range(5):
                stack.enter_context(reach(path, socket.AF_UNIX, timeout=0.0))
        with pytest.raises(StartError, match="another server is listening there"):
            bind_unix(path, 10)


def test_a_file_that_is_no_socket_is_never_removed(path: str) -> None:
    Path(path).write_text("precious")
    with pytest.raises(StartError, match=f"{path}: there is a file that is no socket"):
        bind_unix(path, 10)
    assert Path(path).read_text() == "precious"


def test_a_link_is_not_followed(path: str, tmp_path: Path) -> None:
    os.symlink(tmp_path / "elsewhere", path)
    with pytest.raises(StartError, match="no socket"):
        bind_unix(path, 10)
    assert Path(path).is_symlink()


def test_a_folder_that_is_missing_and_a_path_too_long_are_named(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="missing/s: No such file"):
        bind_unix(str(tmp_path / "missing" / "s"), 10)
    with pytest.raises(StartError, match=r"too long"):
        bind_unix(str(tmp_path / ("x" * 120)), 10)


# ---- Inherited --------------------------------------------------------------------------------------


def test_an_inherited_descriptor_is_taken_over(one: socket.socket) -> None:
    fd = os.dup(one.fileno())
    os.set_inheritable(fd, True)
    os.set_blocking(fd, True)
    with adopt(fd) as sock:
        assert sock.fileno() == fd
        assert sock.gettimeout() == 0.0 and not os.get_blocking(fd)
        assert not os.get_inheritable(fd), "the application's children do not get it"
        with reach(one.getsockname()), closing(sock.accept()[0]) as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_an_inherited_unix_descriptor_is_taken_over(path: str) -> None:
    with bind_unix(path, 10) as first, adopt(os.dup(first.fileno())) as sock:
        assert socket_name(sock) == f"unix:{path}"
        assert listener(sock, inherited=True).local


def test_a_descriptor_that_is_closed_or_no_socket_is_named() -> None:
    reading, writing = os.pipe()
    with pytest.raises(StartError, match=f"descriptor {reading} is not a socket"):
        adopt(reading)
    os.fstat(reading)  # it is still open: it was not ours
    os.close(reading)
    os.close(writing)
    with pytest.raises(StartError, match=f"descriptor {reading} is not a socket"):
        adopt(reading)


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_socket_that_does_not_listen_is_refused_and_left_open(kind: socket.SocketKind) -> None:
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", 0))
        with pytest.raises(StartError, match=f"descriptor {other.fileno()} is not a listening stream"):
            adopt(other.fileno())
        os.fstat(other.fileno())


# ---- A listener -------------------------------------------------------------------------------------


def test_what_a_listener_says_of_itself(one: socket.socket, path: str) -> None:
    tcp = listener(one, "uwsgi")
    assert tcp.name == f"uwsgi://127.0.0.1:{one.getsockname()[1]}"
    assert (tcp.interim, tcp.local, tcp.public) == (False, False, False)
    with bind_unix(path, 1) as sock:
        unix = listener(sock)
        assert unix.name == f"http://unix:{path}"
        assert (unix.interim, unix.local, unix.public) == (True, True, False)


@pytest.mark.parametrize(
    ("host", "public"), [("", True), ("127.0.0.2", False), *((host, False) for host in LOOPBACKS)]
)
def test_who_can_reach_it(host: str, public: bool) -> None:
    (sock,) = bind_tcp(host, 0, 1)
    with sock:
        assert listener(sock).public == public


def test_refuse_new_on_tcp_keeps_who_is_in_and_lets_nobody_else_in(one: socket.socket) -> None:
    with reach(one.getsockname()) as first:
        listener(one).refuse_new()
        with pytest.raises(TimeoutError):
            reach(one.getsockname(), timeout=0.3)
        accepted, _ = one.accept()
        with accepted:
            accepted.sendall(b"still served")
            assert first.recv(100) == b"still served"
            first.sendall(b"and heard")
            accepted.setblocking(True)
            assert accepted.recv(100) == b"and heard"


def test_refuse_new_on_unix_keeps_who_is_in_and_lets_nobody_else_in(path: str) -> None:
    with bind_unix(path, 10) as sock:
        with reach(path, socket.AF_UNIX) as first:
            listener(sock).refuse_new()
            with pytest.raises(ConnectionRefusedError):
                reach(path, socket.AF_UNIX)
            accepted, _ = sock.accept()
            with accepted:
                accepted.sendall(b"still served")
                assert first.recv(100) == b"still served"
        with pytest.raises(BlockingIOError):
            sock.accept()


def test_refuse_new_leaves_an_inherited_socket_alone(one: socket.socket, path: str) -> None:
    """Whoever gave it to us goes on with it."""
    listener(one, inherited=True).refuse_new()
    reach(one.getsockname()).close()
    with bind_unix(path, 10) as sock:
        listener(sock, inherited=True).refuse_new()
        reach(path, socket.AF_UNIX).close()


def test_refuse_new_on_a_closed_socket_does_no_harm(one: socket.socket) -> None:
    made = listener(one)
    made.close()
    made.refuse_new()


def test_unlink_removes_its_own_path_only(path: str) -> None:
    first = bind_unix(path, 10)
    made = listener(first, path=path, inode=inode_of(path))
    made.close()
    # The next server took the path over. Its inode must differ, so the old one is kept in use.
    os.rename(path, path + ".old")
    with bind_unix(path, 10) as second:
        made.unlink()
        assert Path(path).exists(), "it is another server's by now"
        listener(second, path=path, inode=inode_of(path)).unlink()
        assert not Path(path).exists()
        made.unlink()  # and again, with nothing there


def test_no_path_has_no_inode(tmp_path: Path) -> None:
    assert inode_of(str(tmp_path / "missing")) == (0, 0)


@pytest.mark.parametrize("host", ["a..b", "a" * 70 + ".example"])
def test_what_is_no_host_name_is_named(host: str) -> None:
    with pytest.raises(StartError, match=f"cannot listen on '{host}:0': not a name"):
        bind_tcp(host, 0, 1)


def test_a_v6_address_is_named_with_its_brackets() -> None:
    with pytest.raises(StartError, match=r"cannot listen on \[2001:db8::1\]:0: "):
        bind_tcp("2001:db8::1", 0, 1)


@pytest.mark.parametrize("count", [8, 13, 20])
def test_the_copy_of_an_environ_has_room_for_a_request(count: int) -> None:
    base = {f"wsgi.{number}": number for number in range(count)}
    made = roomy(base)
    assert made == base and list(made) == list(base)
    if count > 10:  # there is more than the server's names in every listener's
        environ = made.copy()
        size = sys.getsizeof(environ)
        environ.update((f"HTTP_{number}", "") for number in range(40 - count))
        assert sys.getsizeof(environ) == size
