"""A server for one client that says what it was told to: HTTP, or SMTP."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Peer:
    """A server that gives the answers that it has, one for each thing it reads; ``heard`` is all of it."""

    def __init__(self, answers: list[bytes], greets: bool = False) -> None:
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.answers = answers
        self.greets = greets
        self.heard = b""
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self) -> None:
        connection, _ = self.sock.accept()
        with connection:
            connection.settimeout(10)
            answers = list(self.answers)
            if self.greets:
                connection.sendall(answers.pop(0))
            while answers:
                self.hear(connection, answers)
                connection.sendall(answers.pop(0))

    def hear(self, connection: socket.socket, answers: list[bytes]) -> None:
        """One thing: a line of SMTP, a mail to its last line, or an HTTP request with its body."""
        data = b""
        while not self.whole(data, mail=len(answers) == 2):
            piece = connection.recv(1 << 16)
            if not piece:
                break
            data += piece
        self.heard += data

    def whole(self, data: bytes, mail: bool) -> bool:
        if self.greets:
            return data.endswith(b"\r\n.\r\n" if mail else b"\r\n")
        head, end, body = data.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]
        return bool(end) and len(body) >= int(length or 0)


@contextmanager
def peer(*answers: bytes, greets: bool = False) -> Iterator[Peer]:
    one = Peer(list(answers), greets)
    try:
        yield one
    finally:
        one.sock.close()
        one.thread.join(10)
