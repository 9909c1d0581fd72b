"""What ``mount`` says."""

import pytest

from penstock.config.site.mounts import Mount, hidden, parse


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


@pytest.mark.parametrize(
    ("path", "rest"),
    [("/shop/static", "/static"), ("/shop", "/"), ("/shop/", "/"), ("/blog/a/x", "/x")],
)
def test_a_path_below_a_mount_point_is_no_more_there(path: str, rest: str) -> None:
    said = hidden(path, ["/blog/a=blog", "x.example/static=x", "/shop/ = shop"])
    assert said.startswith("manage-script-name takes /") and said.endswith(f" {rest} is meant")


@pytest.mark.parametrize("path", ["", "/", "/static", "/shopping", "/blog", "/x.example/static"])
def test_a_path_beside_it_is(path: str) -> None:
    assert hidden(path, ["/blog/a=blog", "x.example/static=x", "/shop/ = shop", "/=main", "wrong"]) == ""
