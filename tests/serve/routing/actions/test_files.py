"""Files that rules name: what is sent, what is not, and what then."""

from pathlib import Path

import pytest

from penstock.config.assemble import from_keywords
from penstock.config.settings import Settings
from penstock.serve.routing.flow import BREAK, CONTINUE
from penstock.serve.static.files import make_files
from penstock.serve.static.reply import make_mime
from tests.serve.routing.ground import Ground


def unheard(key: str, text: str) -> None:
    """Links that lead out are said to the log."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    www = tmp_path / "www"
    (www / "sub").mkdir(parents=True)
    (www / "a.txt").write_bytes(b"hello")
    (www / "sub" / "b.html").write_bytes(b"<b>x</b>")
    (www / "out").symlink_to(tmp_path / "secret")
    (tmp_path / "secret").write_bytes(b"SECRET")
    (tmp_path / "www-evil").mkdir()
    (tmp_path / "www-evil" / "s").write_bytes(b"SECRET")
    return www


def ground(text: str) -> Ground:
    settings = Settings()
    files = make_files(settings, unheard, always=True)
    return Ground(text, settings=settings, files=files, mime=make_mime(settings, unheard))


@pytest.mark.parametrize("name", ["static", "static-next"])
def test_static(folder: Path, name: str) -> None:
    played = ground(f"route = ^/a {name}:{folder}/a.txt").walk()
    assert played.flow == BREAK
    assert played.sent.startswith(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n")
    assert played.sent.endswith(b"\r\n\r\nhello")


def test_static_knows_conditions(folder: Path) -> None:
    played = ground(f"route = ^/a static:{folder}/a.txt").walk(HTTP_IF_NONE_MATCH="*")
    assert played.sent.startswith(b"HTTP/1.1 304 ")


@pytest.mark.parametrize(
    "name", ["file", "sendfile", "fastfile", "file-next", "sendfile-next", "fastfile-next"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_file(folder: Path, name: str, method: str) -> None:
    played = ground(f"route = ^/a {name}:filename={folder}/a.txt").walk(REQUEST_METHOD=method)
    assert played.flow == BREAK
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: text/html\r\n\r\n"
    assert played.sent == head + b"hello"


@pytest.mark.parametrize(
    ("more", "head"),
    [
        ("status=404 Nope,content_type=x/y,no_cl=1", b"404 Nope\r\nContent-Length: 5\r\nContent-Type: x/y"),
        ("mime=1", b"200 OK\r\nContent-Length: 5\r\nContent-Type: text/plain"),
        ("status=503", b"503 Service Unavailable\r\nContent-Length: 5\r\nContent-Type: text/html"),
        ("content_type=a/b\\,c", b"200 OK\r\nContent-Length: 5\r\nContent-Type: a/b,c"),
    ],
)
def test_what_else_is_said_of_a_file(folder: Path, more: str, head: bytes) -> None:
    played = ground(f"route = ^/a file:filename={folder}/a.txt,{more}").walk()
    assert played.sent == b"HTTP/1.1 " + head + b"\r\n\r\nhello"


def test_a_file_without_a_head(folder: Path) -> None:
    played = ground(f"route = ^/a file:filename={folder}/a.txt,no_headers=1").walk()
    assert played.sent == b"hello"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/f/a.txt", b"hello"),
        ("/f/sub/b.html", b"<b>x</b>"),
        ("/f/out", b""),
        ("/f/../secret", b""),
        ("/f/sub/../../secret", b""),
        ("/f/..", b""),
        ("/f/none", b""),
        ("/f/sub", b""),
        ("/f/", b""),
        ("/f/a.txt\x00", b""),
        ("/f//etc/passwd", b""),
    ],
)
@pytest.mark.parametrize(
    "form", ["static:{}/$1", "file:filename={}/$1", "static-next:{}/$1", "file-next:filename={}/$1"]
)
def test_no_request_leads_out_of_the_folder(folder: Path, form: str, path: str, body: bytes) -> None:
    played = ground(f"route = ^/f/(.*)$ {form.format(folder)}").walk(path)
    if body:
        assert played.sent.endswith(b"\r\n\r\n" + body)
    elif "-next" in form:
        assert (played.flow, played.sent) == (CONTINUE, b"")
    else:
        assert played.flow == BREAK
        assert played.sent.startswith(b"HTTP/1.1 404 Not Found\r\n")


@pytest.mark.parametrize("path", ["/-evil/s", "/../secret"])
def test_nor_out_of_the_folder_before_half_a_name(folder: Path, path: str) -> None:
    played = ground(f"route = ^/(.*)$ static:{folder}/sub/x$1").walk(path)
    assert played.sent.startswith(b"HTTP/1.1 404 ")


def test_a_method_that_reads_nothing(folder: Path) -> None:
    played = ground(f"route = ^/a static:{folder}/a.txt").walk(REQUEST_METHOD="POST")
    assert played.sent.startswith(b"HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD\r\n")
    played = ground(f"route = ^/a static-next:{folder}/a.txt").walk(REQUEST_METHOD="POST")
    assert (played.flow, played.sent) == (CONTINUE, b"")


def test_a_file_from_the_folder_of_the_process(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert ground("route = ^/f/(.*) file:filename=sub/$1").walk("/f/b.html").sent.endswith(b"<b>x</b>")
    assert ground("route-run = file:filename=a.txt").walk().sent.endswith(b"hello")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("static:", "takes the path of a file"),
        ("file:/x", "takes filename=PATH"),
        ("file:filename=", "takes filename=PATH"),
        ("file:filename=/x,status=ok", "status= takes three digits"),
    ],
)
def test_what_cannot_be(rule: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Ground(f"route-run = {rule}")


@pytest.mark.parametrize("text", ["{}/nowhere/a.txt", "{}/nowhere/$1", "{}/nowhere/sub/${{PATH_INFO}}"])
@pytest.mark.parametrize("action", ["static:", "static-next:", "file:filename="])
def test_a_folder_that_is_not_there_is_said(tmp_path: Path, action: str, text: str) -> None:
    (line,) = Ground(f"route = ^/(.*) {action}{text.format(tmp_path)}").warnings
    assert f": there is no folder {tmp_path}/nowhere/" in f"{line}/"


@pytest.mark.parametrize(
    "text", ["{}/later.html", "{}/$1", "{}$1", "nowhere/$1", "$1", "${{DOCUMENT_ROOT}}/a"]
)
def test_one_that_is_there_or_not_known_yet_is_not(tmp_path: Path, text: str) -> None:
    assert Ground(f"route = ^/(.*) static:{text.format(tmp_path)}").warnings == []


def test_below_another_root_nobody_looks() -> None:
    settings = from_keywords({"chroot": "/srv/jail"}, application=True)
    assert Ground("route-run = static:/nowhere/a.txt", settings=settings).warnings == []
