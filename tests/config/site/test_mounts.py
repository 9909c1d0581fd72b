"""What ``mount`` says."""

import pytest

from penstock.config.site.mounts import Mount, parse


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("/shop=shop.wsgi:app", Mount("/shop", "", "/shop", "shop.wsgi:app")),
        ("/shop/ = shop.py", Mount("/shop/", "", "/shop/", "shop.py")),
        ("/=shop", Mount("/", "", "/", "shop")),
        ("=shop", Mount("", "", "", "shop")),
        ("/a=shop:make(name=1)", Mount("/a", "", "/a", "shop:make(name=1)")),
        ("Example.com/shop=shop", Mount("Example.com/shop", "example.com", "/shop", "shop")),
        ("example.com=shop", Mount("example.com", "example.com", "", "shop")),
        ("example.com:8080|/shop=shop", Mount("example.com:8080|/shop", "example.com:8080", "/shop", "shop")),
        ("example.com|=shop", Mount("example.com|", "example.com", "", "shop")),
    ],
)
def test_whose_requests(text: str, found: Mount) -> None:
    assert parse(text) == found


@pytest.mark.parametrize("text", ["", "/shop", "/shop=", "/shop= "])
def test_nobodys_requests(text: str) -> None:
    with pytest.raises(ValueError, match=r"^PATH=APPLICATION is expected"):
        parse(text)
