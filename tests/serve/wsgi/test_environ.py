"""The part of the environ that does not depend on the request (PEP 3333, "environ Variables")."""

import io
from typing import Any
from wsgiref import validate

import pytest

from penstock.serve.wsgi.environ import base_environ
from penstock.serve.wsgi.filewrapper import FileWrapper
from penstock.serve.wsgi.input import NO_BODY

PEP_3333 = {
    "wsgi.version": tuple,
    "wsgi.url_scheme": str,
    "wsgi.multithread": bool,
    "wsgi.multiprocess": bool,
    "wsgi.run_once": bool,
    "SCRIPT_NAME": str,
    "SERVER_NAME": str,
    "SERVER_PORT": str,
}


def made(**more: Any) -> dict[str, Any]:
    return base_environ("host", "8000", io.StringIO(), **more)


def test_the_keys_that_every_request_shares() -> None:
    environ = made()
    assert {key: type(environ[key]) for key in PEP_3333} == PEP_3333
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("host", "8000")
    assert environ["wsgi.version"] == (1, 0)
    assert environ["wsgi.url_scheme"] == "http"
    assert environ["wsgi.file_wrapper"] is FileWrapper
    assert environ["wsgi.input_terminated"] is True
    assert environ["wsgi.run_once"] is False


@pytest.mark.parametrize(
    ("threads", "processes", "multithread", "multiprocess"),
    [(1, 1, False, False), (8, 1, True, False), (1, 4, False, True), (8, 4, True, True)],
)
def test_whether_others_may_run_beside_it(
    threads: int, processes: int, multithread: bool, multiprocess: bool
) -> None:
    environ = made(threads=threads, processes=processes)
    assert (environ["wsgi.multithread"], environ["wsgi.multiprocess"]) == (multithread, multiprocess)


def test_each_listener_has_its_own() -> None:
    first, second = made(), made()
    first["X"] = 1
    assert "X" not in second


def test_with_a_request_the_library_s_checker_is_content() -> None:
    errors = io.StringIO()
    environ = base_environ("host", "80", errors)
    environ |= {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "QUERY_STRING": "", "wsgi.input": NO_BODY}
    checker: Any = validate  # its stubs know the middleware only
    checker.check_environ(environ)
    assert environ["wsgi.errors"] is errors
