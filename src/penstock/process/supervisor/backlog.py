"""How many connections wait in a listener's queue for somebody to accept them, as the kernel counts them.

Runs in the supervisor. It does not know who accepts.
"""

import os
import socket
import struct
import sys

TCP_INFO = struct.Struct("=8B5I")  # up to tcpi_unacked, which of a listening socket is its queue (tcp(7))
HEAD = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, pid (netlink(7))
REQUEST = struct.Struct("=BBHIIIII")  # unix_diag_req (sock_diag(7))
REPLY = struct.Struct("=BBBBIII")  # unix_diag_msg
ATTRIBUTE = struct.Struct("=HH")
NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST = 4, 20, 1
ALL_STATES, UDIAG_SHOW_RQLEN, UNIX_DIAG_RQLEN, NO_COOKIE = 0xFFFFFFFF, 0x10, 4, 0xFFFFFFFF


def backlog_of(sock: socket.socket) -> int:
    """Connections that wait in a listening socket's queue; 0 where the system does not tell."""
    if sys.platform != "linux":
        return 0
    try:
        if sock.family == socket.AF_UNIX:
            return unix_backlog(sock)
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO.size)
        return int(TCP_INFO.unpack(info)[-1])
    except (OSError, struct.error):
        return 0


def unix_backlog(sock: socket.socket) -> int:
    """The same of a UNIX socket, which no socket option tells. Raises OSError and struct.error."""
    request = REQUEST.pack(
        socket.AF_UNIX, 0, 0, ALL_STATES, os.fstat(sock.fileno()).st_ino & 0xFFFFFFFF, UDIAG_SHOW_RQLEN,
        NO_COOKIE, NO_COOKIE,
    )  # fmt: skip
    message = HEAD.pack(HEAD.size + len(request), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 1, 0) + request
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as link:
        link.settimeout(0.5)
        link.send(message)
        return waiting_in(link.recv(4096))


def waiting_in(answer: bytes) -> int:
    """The queue's length in the kernel's answer; 0 for an error. Raises struct.error for what is none."""
    length, kind, *_ = HEAD.unpack_from(answer)
    at = HEAD.size + REPLY.size
    while kind == SOCK_DIAG_BY_FAMILY and at + ATTRIBUTE.size <= min(length, len(answer)):
        size, name = ATTRIBUTE.unpack_from(answer, at)
        if name == UNIX_DIAG_RQLEN:
            return int(struct.unpack_from("=I", answer, at + ATTRIBUTE.size)[0])
        at += max(ATTRIBUTE.size, (size + 3) & ~3)  # attributes are aligned to 4 bytes
    return 0
