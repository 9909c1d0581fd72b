"""A request's head: what it is before a decoder has filled it in."""

from typing import Any

import pytest

from penstock.core.request import Request


def test_a_fresh_request_claims_nothing() -> None:
    request = Request({})
    assert request.content_length == 0
    assert (request.size, request.count) == (0, 0)
    assert not (request.http11 or request.keep_alive or request.expect or request.is_head)
    assert len(request.trailers) == 0


def test_the_variables_are_the_dict_that_was_given() -> None:
    variables: dict[str, Any] = {"REQUEST_METHOD": "GET"}
    request = Request(variables)
    assert request.vars is variables, "it becomes the environ: no copy on the way"


def test_trailers_are_never_shared() -> None:
    one, two = Request({}), Request({})
    one.trailers = [*one.trailers, ("X-Sum", "1")]
    assert len(two.trailers) == 0
    assert len(Request({}).trailers) == 0


def test_a_request_has_no_room_for_anything_else() -> None:
    request: Any = Request({})
    with pytest.raises(AttributeError):
        request.environ = {}
    assert not hasattr(request, "__dict__")
