"""Request targets as paths: what names one thing among many is folded, and what does not is not."""

import pytest

from penstock.services.folding import CHILDREN, FOLDERS, LONGEST, OTHER, Folding


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/", "/"),
        ("/about", "/about"),
        ("/about/?a=1&b=/2", "/about/"),
        ("/users/123", "/users/*"),
        ("/users/123/", "/users/*/"),
        ("/users/123/orders/9", "/users/*/orders/*"),
        ("/2024/01/31/", "/*/*/*/"),
        ("/2024-01-31", "/*"),
        ("/u/8d7c1a1e-91d2-4a8e-9a0e-0123456789ab/edit", "/u/*/edit"),
        ("/commit/5f3a9c1e", "/commit/*"),
        ("/facade", "/facade"),  # letters of a digest, and a word
        ("/deadbeef", "/deadbeef"),
        ("/api/v2/items", "/api/v2/items"),
        ("/report/12345.pdf", "/report/*.pdf"),
        ("/static/app.5f3a9c1e.js", "/static/app.*.js"),
        ("/static/app.dbbafdfb.js", "/static/app.*.js"),
        ("/static/base.css", "/static/base.css"),
        ("/shop/iphone-15-pro-max-128gb", "/shop/*"),
        ("/docs/getting-started-with-forms", "/docs/getting-started-with-forms"),
        ("/mail/jane@example.org", "/mail/*"),
        ("/mail/jane%40example.org", "/mail/*"),
        ("http://example.org/users/7?x", "/users/*"),
        ("http://example.org", "/"),
        ("*", OTHER),
        ("", OTHER),
        ("example.org:443", OTHER),
        ("no path://7", OTHER),
    ],
)
def test_fold(target: str, path: str) -> None:
    assert Folding().fold(target) == path


def test_a_folder_with_many_children_is_one_path() -> None:
    folding = Folding()
    words = [f"{chr(97 + at // 26)}{chr(97 + at % 26)}" for at in range(CHILDREN + 1)]
    folded = [folding.fold(f"/blog/{word}") for word in words]
    assert folded[:CHILDREN] == [f"/blog/{word}" for word in words[:CHILDREN]]
    assert folded[CHILDREN] == "/blog/*"
    assert folding.fold("/blog/aa") == "/blog/aa", "who was there first stays"
    assert folding.fold("/news/zz") == "/news/zz", "another folder has its own"


def test_what_is_remembered_is_bounded() -> None:
    folding = Folding()
    for at in range(FOLDERS * 2):
        folding.fold(f"/{chr(0x4E00 + at)}/x")
    assert len(folding.children) <= FOLDERS
    long = folding.fold("/" + "word/" * 1000)
    assert len(long) == LONGEST and long.endswith("…")
