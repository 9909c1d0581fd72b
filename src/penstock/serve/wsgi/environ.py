"""The part of the environ that every request on a listener shares (PEP 3333, "environ Variables").

Made once at boot; a connection adds its peer, a decoder what the client sent.
"""

from io import TextIOBase
from typing import Any

from penstock.serve.wsgi.filewrapper import FileWrapper
from penstock.serve.wsgi.input import NO_BODY


def base_environ(
    server_name: str, server_port: str, errors: TextIOBase, *, threads: int = 1, processes: int = 1
) -> dict[str, Any]:
    """Keys that do not depend on the request, most of them PEP 3333's, and what two more are to begin with.

    ``wsgi.input_terminated`` says that ``wsgi.input`` ends by itself whatever CONTENT_LENGTH says.
    ``wsgi.input`` is that of most requests, to ``penstock.queue_time`` their seconds are added: a key that
    is copied along is a fifth of one that is put in later.
    """
    return {
        "SCRIPT_NAME": "",
        "SERVER_NAME": server_name,
        "SERVER_PORT": server_port,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": errors,
        "wsgi.multithread": threads > 1,
        "wsgi.multiprocess": processes > 1,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        "wsgi.input_terminated": True,
        "wsgi.input": NO_BODY,
        "penstock.queue_time": 0.0,
    }
