"""Replies that fail at the very last step: whoever has the exchange then still ends it."""

import errno
import tempfile
from typing import Any

import pytest

from penstock.core.errors import Disconnected
from penstock.serve.wsgi.filewrapper import FileWrapper
from tests.serve.boxes import ListBox, exchange
from tests.serve.test_answer import Kitchens


class FullBox(ListBox):
    """Takes a head, and cannot take a file."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error

    def put_file(self, x: Any, fd: int, offset: int, count: int, then: int) -> None:
        raise self.error


@pytest.mark.parametrize("headers", [[], [("Content-Length", "5")], [("Content-Length", "9")]])
@pytest.mark.parametrize("error", [OSError(errno.EMFILE, "too many open files"), Disconnected(0, "gone")])
def test_a_file_that_cannot_be_sent_ends_its_exchange(error: OSError, headers: Any) -> None:
    def application(environ: Any, start_response: Any) -> Any:
        file = tempfile.TemporaryFile()
        file.write(b"12345")
        file.flush()
        file.seek(0)
        start_response("200 OK", headers)
        return environ["wsgi.file_wrapper"](file)

    kitchen = Kitchens(application)
    box = FullBox(error)
    x = exchange(box)
    x.request.vars["wsgi.file_wrapper"] = FileWrapper
    kitchen.answer(x, 0)
    assert len(box.abandoned) == 1
    assert b"200 OK" in box.sent and b"500" not in box.sent
    assert len(kitchen.errors) == (0 if isinstance(error, Disconnected) else 1)
