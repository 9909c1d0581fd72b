"""uWSGI's options about a server that runs: ``--stop``, ``--reload``, ``--pause``, ``--connect-and-read``.

Runs in the command alone. Where the server has a control socket, the command waits for the outcome, which
uWSGI does not.
"""

import os
from typing import Any

from penstock.core.errors import ConfigError, StartError


def another(option: str, value: str) -> int:
    """Do one; the exit status. Raises StartError."""
    if option == "connect-and-read":
        return connect_and_read(value)
    if option == "stop":
        from penstock.process.pidfile import signal_process

        signal_process(option, value)
        return 0
    return by_pidfile(option, value)


def by_pidfile(option: str, path: str) -> int:
    """``reload`` or ``pause`` of the server that a pidfile names: 0 where it was done, 1 where it failed;
    without a control socket its signal is sent, and nothing waited for. Raises StartError."""
    from penstock.cli.ctl import told
    from penstock.config.judge import surroundings
    from penstock.process.pidfile import number_in, signal_process
    from penstock.process.supervisor.client import Call, NoServer, Silent, of_process

    pid = number_in(option, path)
    try:
        with Call(of_process(pid, surroundings())) as call:
            reply: dict[str, Any] = call.ask({"command": option})
            return told(reply, as_json=False)
    except Silent as error:
        raise StartError(f"{option} {path}: process {pid}: {error}") from error
    except NoServer:
        signal_process(option, path)
        return 0


def connect_and_read(address: str) -> int:
    """Print what comes from an address, byte for byte, until the other end closes. Raises StartError."""
    import socket

    from penstock.config.address import parse_address

    try:
        where = parse_address(address)
        if where.kind == "tcp":
            sock = socket.create_connection((where.host or "127.0.0.1", where.port))
        elif where.kind == "fd":
            sock = socket.socket(fileno=where.fd)
        else:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sock.connect("\0" + where.path if where.kind == "abstract" else where.path)
    except ConfigError as error:
        raise StartError(f"connect-and-read: {error}") from error
    except OSError as error:
        raise StartError(f"connect-and-read {address}: {error.strerror or error}") from error
    with sock:
        while data := received(sock, address):
            while data:
                data = data[os.write(1, data) :]
    return 0


def received(sock: Any, address: str) -> bytes:
    """The next piece. Raises StartError."""
    try:
        piece: bytes = sock.recv(1 << 16)
    except OSError as error:
        raise StartError(f"connect-and-read {address}: {error.strerror}") from error
    return piece
