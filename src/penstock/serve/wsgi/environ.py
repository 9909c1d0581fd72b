"""The part of the environ that every request on a listener shares (PEP 3333, "environ Variables").

Made once at boot; a connection adds its peer, a decoder what the client sent.
"""

from io import TextIOBase
from typing import Any

from penstock.serve.wsgi.filewrapper import FileWrapper


def base_environ(
    server_name: str, server_port: str, errors: TextIOBase, *, threads: int = 1, processes: int = 1
) -> dict[str, Any]:
    """Keys of PEP 3333 that do not depend on the request.

    ``wsgi.input_terminated`` says that ``wsgi.input`` ends by itself whatever CONTENT_LENGTH says.
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
    }
