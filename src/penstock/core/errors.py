"""The errors that penstock raises, each carrying what its catcher needs to answer it.

Nothing here knows who raises or who catches.
"""

NO_APPLICATION = 22
"""Exit status of a server that has no application to serve (uWSGI's, for ``need-app``)."""


class PenstockError(Exception):
    """Base of every error that is penstock's own."""


class ProtocolError(PenstockError):
    """What a client sent breaks the protocol or a limit.

    ``status`` is the HTTP status to answer with (an int, 400 to 599); the connection always closes
    after it, because where one message ends and the next begins is no longer known (RFC 9112 §2.2).
    ``reason`` says in one line what was wrong, for the log and for the body of the answer.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.status} {self.reason}"


class ConfigError(PenstockError):
    """What the operator asked for cannot be done.

    ``origin`` says where it was asked: ``command line``, ``environment PORT``, later ``file:line``.
    """

    def __init__(self, message: str, origin: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.origin = origin

    def __str__(self) -> str:
        return f"{self.origin}: {self.message}" if self.origin else self.message


class StartError(PenstockError):
    """The server cannot start: a port is taken, the application does not import, …

    ``exit_code`` is the process's exit status: 1 for a fault of the start, 22 when no application
    could be loaded (uWSGI's code for ``need-app``).
    """

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Disconnected(ConnectionAbortedError):
    """The client is gone, or the connection was taken from this exchange: nothing more can be sent.

    An OSError, so that an application that already guards its ``write()`` against a client that left
    keeps working.
    """


class BodyError(OSError):
    """The request's body will not come to its end: the client left, stalled, or broke the framing.

    Raised from ``wsgi.input``; a body that was cut short is never a normal end.
    """


class Deadline(BaseException):
    """The time that a request has is over; raised in the middle of the application's code, at most once a
    request, or from what the application calls of the server's.

    Nothing that is sent after it arrives: the client has been answered, or its connection cut. Not an
    Exception, so that ``except Exception`` in an application does not go on as if nothing had happened.
    """

    def __str__(self) -> str:
        return "the request's deadline has passed"
