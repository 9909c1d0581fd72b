"""The words of a warm-up; that it works is seen in ``test_child``."""

import pytest

from penstock.process.warmup import quoted


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/", "/"),
        ("/a b?c=%20", "/a%20b?c=%20"),
        ("/ü", "/%C3%BC"),
        ("/a\r\nX: y", "/a%0D%0AX:%20y"),
        ("/\udcff", "/%FF"),
    ],
)
def test_a_path_is_one_word_of_the_request_line(path: str, sent: str) -> None:
    assert quoted(path) == sent
