"""From settings to what is done to replies; nothing where nothing is asked for."""

from pathlib import Path
from typing import Any

import pytest

from penstock.config.assemble import from_keywords
from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.serve.finish.finish import Finish
from penstock.serve.finish.make import make_finish
from tests.serve.finish.transforming import made, received

WARNED: list[str] = []


def finish(**options: Any) -> Finish | None:
    WARNED.clear()
    return make_finish(
        from_keywords({"module": "x", "bind": ":0", **options}), lambda key, text: WARNED.append(text)
    )


def replied(found: Finish | None, *headers: tuple[str, str], **environ: str) -> dict[str, str]:
    assert found is not None
    call, box = made(found)
    call.environ.update(environ)
    call.begin("200 OK", list(headers))
    call.whole(b"x" * 2000)
    return received(box).headers


def test_nothing_is_done_where_nothing_is_asked_for() -> None:
    assert make_finish(Settings(), lambda key, text: None) is None
    assert finish(add_header=["X: y"]) is None, "that is the reply's own manner"
    assert finish(compress_min_size=5) is None and WARNED == []
    assert finish(error_page_intercept=True) is None and "there is no error-page" in WARNED[0]


def test_headers() -> None:
    found = finish(rem_header=["X-Gone"], collect_header=["X-In into"], pull_header=["X-Out VAR"])
    assert found is not None and found.removed == {"x-gone"}
    assert found.noted == (("x-out", "VAR", False), ("x-in", "into", True))
    assert "x-gone" not in replied(found, ("X-GONE", "1"))


def test_security_headers_but_those_that_are_added_anyway() -> None:
    found = finish(security_headers=True, add_header=["x-frame-options: DENY"])
    headers = replied(found, ("Referrer-Policy", "no-referrer"))
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert {"x-frame-options", "strict-transport-security"}.isdisjoint(headers)
    secure = replied(found, **{"wsgi.url_scheme": "https"})
    assert secure["strict-transport-security"] == "max-age=31536000"


def test_pages_that_are_not_there_are_said_and_looked_for_again(tmp_path: Path) -> None:
    found = finish(error_page_404=[str(tmp_path / "a"), str(tmp_path / "b")], error_page_500=[__file__])
    assert found is not None and len(WARNED) == 1 and "error-page-404" in WARNED[0]
    (tmp_path / "b").write_text("page")
    assert found.page(404) == ("text/html", b"page") and found.page(403) == ("text/plain", b"Forbidden")


def test_compression() -> None:
    found = finish(compress=["gzip"], compress_types=["text/x"])
    accept = {"HTTP_ACCEPT_ENCODING": "gzip"}
    assert replied(found, ("Content-Type", "text/x"), **accept)["content-encoding"] == "gzip"
    assert "content-encoding" not in replied(found, ("Content-Type", "text/html"), **accept)
    usual = finish(compress=["gzip"])
    for kind in ("text/html", "application/json", "image/svg+xml", "application/problem+json"):
        assert "content-encoding" in replied(usual, ("Content-Type", kind), **accept), kind
    marked = finish(http_auto_gzip=True)
    assert "content-encoding" in replied(marked, ("uWSGI-Encoding", "gzip"), **accept)
    assert "content-encoding" not in replied(marked, ("Content-Type", "text/html"), **accept)


def test_what_cannot_be_acted_on_ends_the_start() -> None:
    settings = Settings()
    for field, value in (("compress", ("x",)), ("compress_types", ("x",)), ("collect_header", ("x",))):
        made = Settings()
        object.__setattr__(made, field, value)
        if field == "compress_types":
            object.__setattr__(made, "compress", ("gzip",))
        with pytest.raises(StartError, match=r"expected"):
            make_finish(made, lambda key, text: None)
    assert settings.compress == ()
