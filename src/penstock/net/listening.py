"""How addresses become listening sockets, and how nobody new is let in any more.

Runs at start, before the loop, and at the end.
"""

import errno
import os
import socket
import stat
import struct
import sys
from array import array
from typing import Any

from penstock.core.errors import StartError

SO_ATTACH_FILTER = 26  # asm-generic/socket.h: the same on x86-64 and arm64; not in Python's socket
# Classic BPF over the TCP header: load the flags byte, keep SYN and ACK, drop (0) when only SYN is set.
SYN_STEPS = ((0x30, 0, 0, 13), (0x54, 0, 0, 0x12), (0x15, 0, 1, 0x02), (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFF))
SYN_FILTER = b"".join(struct.pack("HBBI", *step) for step in SYN_STEPS)


def refuse_new(sock: socket.socket) -> None:
    """See ``Listener.refuse_new``."""
    try:
        if sock.family == getattr(socket, "AF_UNIX", None):
            sock.shutdown(socket.SHUT_RD)
        elif sys.platform == "linux":
            _drop_syn(sock)
    except OSError:
        pass  # nothing is lost but the exactness of the last instant


def _drop_syn(sock: socket.socket) -> None:
    program = array("B", SYN_FILTER)  # ctypes would give its address too, for 2 ms of each start
    head = struct.pack("HL", len(SYN_FILTER) // 8, program.buffer_info()[0])
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, head)


def socket_name(sock: socket.socket) -> str:
    """A socket's own address for people."""
    name = sock.getsockname()
    if isinstance(name, tuple):
        host = f"[{name[0]}]" if ":" in name[0] else name[0]
        return f"{host}:{name[1]}"
    if isinstance(name, bytes):
        name = name.decode("utf-8", "replace")
    return "unix:@" + name[1:] if name.startswith("\0") else f"unix:{name}"


def bind_tcp(host: str, port: int, backlog: int, keepalive: bool = False) -> list[socket.socket]:
    """Listening sockets on ``host`` ('' is every address) and ``port`` (0 for any free one).

    One for each address the name has. Raises StartError.
    """
    hosts = [host] if host else ["0.0.0.0"]
    found: list[socket.socket] = []
    try:
        for name in hosts:
            _listen_each(name, port, backlog, found)
    except (OSError, UnicodeError) as error:  # UnicodeError: a label that is empty or too long
        for sock in found:
            sock.close()
        where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        raise StartError(_bind_failure(where, error)) from error
    for sock in found:
        # Inherited by the sockets it accepts (tcp(7)), so no call per connection.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if keepalive:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return found


def _listen_each(name: str, port: int, backlog: int, found: list[socket.socket]) -> None:
    """Every address of ``name`` that this host has; ``localhost`` may name a ::1 where IPv6 is off."""
    absent: OSError | None = None
    # As octets an address needs no codec for names of other scripts, which would be loaded to pass it on.
    wanted = name.encode() if name.isascii() and (name[:1].isdigit() or ":" in name) else name
    infos = socket.getaddrinfo(wanted, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    for family, kind, protocol, _, address in dict.fromkeys(infos):
        try:
            found.append(_listen_tcp(socket.socket(family, kind, protocol), address, backlog))
        except OSError as error:
            if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                raise
            absent = error
    if absent is not None and not found:
        raise absent


def _listen_tcp(sock: socket.socket, address: Any, backlog: int) -> socket.socket:
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, address[0] != "::")
        sock.bind(address)
        sock.listen(backlog)
    except BaseException:
        sock.close()
        raise
    return sock


def _bind_failure(address: str, error: OSError | ValueError) -> str:
    if isinstance(error, ValueError):  # UnicodeError for a host, an embedded NUL in a path
        return f"cannot listen on {address!r}: not a name that can be listened on"
    if error.errno == errno.EADDRINUSE:
        return f"cannot listen on {address}: the address is in use; is another server running there?"
    if error.errno == errno.EACCES:
        return f"cannot listen on {address}: permission denied (ports below 1024 need root)"
    return f"cannot listen on {address}: {error.strerror or error}"


def bind_unix(path: str, backlog: int, mode: int | None = None, owner: str = "") -> socket.socket:
    """A listening UNIX socket at ``path`` (``@name`` for an abstract one).

    A socket file that nobody listens on any more is replaced; one that answers, or a file that is no
    socket, is an error (uWSGI silently takes it away from whoever serves there). Raises StartError.
    """
    abstract = path.startswith("@")
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    bound = False
    try:
        sock.setblocking(False)
        if not abstract:
            _clear_path(path)
        sock.bind("\0" + path[1:] if abstract else path)
        bound = not abstract
        if bound and (owner or mode is not None):
            _protect(path, mode, owner)  # before anybody can connect
        sock.listen(backlog)
    except (OSError, StartError, ValueError) as error:
        sock.close()
        if bound:
            os.unlink(path)
        if isinstance(error, StartError):
            raise
        raise StartError(_bind_failure(path, error)) from error
    return sock


def _clear_path(path: str) -> None:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise StartError(f"cannot listen on {path}: there is a file that is no socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(path)
        except (ConnectionRefusedError, FileNotFoundError):
            os.unlink(path)
            return
        except OSError:
            pass  # a full backlog, a refusal by mode: somebody is there
    raise StartError(f"cannot listen on {path}: another server is listening there")


def _protect(path: str, mode: int | None, owner: str) -> None:
    """Owner and mode of the socket that was bound at ``path``. Raises OSError and StartError.

    Root does this, and the folder may be somebody's who puts a link to a file of root's in its place: the
    socket is held, seen to be one, and changed by what is held.
    """
    held = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC) if hasattr(os, "O_PATH") else -1
    try:
        found = os.fstat(held) if held >= 0 else os.lstat(path)
        if not stat.S_ISSOCK(found.st_mode):
            raise StartError(f"cannot listen on {path}: the socket was taken away and replaced")
        by_number = f"/proc/self/fd/{held}"
        place = by_number if os.path.exists(by_number) else path
        if owner:
            _give(place, owner)
        if mode is not None:
            os.chmod(place, mode)
    finally:
        if held >= 0:
            os.close(held)


def _give(path: str, owner: str) -> None:
    """chown a path to ``user[:group]``, names or numbers."""
    import grp
    import pwd

    user, _, group = owner.partition(":")
    try:
        uid = int(user) if user.isdecimal() else pwd.getpwnam(user).pw_uid if user else -1
        gid = int(group) if group.isdecimal() else grp.getgrnam(group).gr_gid if group else -1
    except KeyError as error:
        raise StartError(f"chown-socket {owner}: {error.args[0]}") from error
    os.chown(path, uid, gid)


def adopt(fd: int) -> socket.socket:
    """An inherited listening descriptor (``fd://N``, systemd). Raises StartError."""
    try:
        sock = socket.socket(fileno=fd)
        if sock.type != socket.SOCK_STREAM or not _listening(sock):
            sock.detach()
            raise StartError(f"descriptor {fd} is not a listening stream socket")
    except OSError as error:
        raise StartError(f"descriptor {fd} is not a socket: {error.strerror}") from error
    sock.setblocking(False)
    os.set_inheritable(fd, False)
    if sock.family in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _listening(sock: socket.socket) -> bool:
    option = getattr(socket, "SO_ACCEPTCONN", None)
    return option is None or bool(sock.getsockopt(socket.SOL_SOCKET, option))


def inode_of(path: str) -> tuple[int, int]:
    """Device and inode of a socket's path, to know later whether it is still ours; zeros for none."""
    try:
        found = os.lstat(path)
    except OSError:
        return (0, 0)
    return (found.st_dev, found.st_ino)
