"""A folder to serve from, with all around it that must never be served, and the two ways of opening."""

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from penstock.config.settings import Settings
from penstock.serve.static.entry import Entry
from penstock.serve.static.files import Files
from penstock.serve.static.lookup import Lookup
from penstock.serve.static.opening import Openat2, probe
from penstock.serve.static.roots import Means

OPENERS = ("openat2", "walk")
PUBLIC, SECRET = b"PUBLIC", b"SECRET"


class Said:
    """What was said to the log."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, key: str, text: str) -> None:
        self.lines.append(text)


def opener(name: str) -> Openat2 | None:
    """The kernel's check, or None for walking."""
    if name == "walk":
        return None
    found = probe()
    if found is None:
        pytest.skip("this system has no openat2")
    return found


def files_of(name: str, said: Said | None = None, **options: Any) -> Files:
    """Files with one of the two ways of opening. Nothing is sent by them."""
    settings = Settings(**options)
    return Files(Lookup(settings, Means(opener(name), said or Said())), settings.static_cache_paths)


def asked(path: str, method: str = "GET", docroot: str = "") -> dict[str, Any]:
    """An environ."""
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path}
    return {**environ, "DOCUMENT_ROOT": docroot} if docroot else environ


def content(entry: Entry | None) -> bytes | None:
    """What would be sent; None where the request is the application's."""
    if entry is None:
        return None
    fd = entry.open()
    try:
        return os.read(fd, 1 << 20)
    finally:
        os.close(fd)


def write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def make_site(top: Path) -> Path:
    """``top/www/site`` to serve from. All that may be served from it says PUBLIC, all else says SECRET."""
    site = top / "www" / "site"
    for name in ("a.txt", "dir/b.txt", "dir/deep/c.txt", "dir/index.html", "index.html", ".well-known/x"):
        write(site / name, PUBLIC + b" " + name.encode())
    write(site / "sp ace.txt", PUBLIC)
    write(site / "e\u00e9.txt", PUBLIC)
    for name in (".env", ".git/config", "dir/.htpasswd", ".hidden/x.txt", "back\\slash.txt", "dir\\b.txt"):
        write(site / name, SECRET)
    outside = ("www/secret.txt", "secret.txt", "www/site-evil/x.txt", "www/site.bak", "private/key.pem")
    for name in (*outside, "private/index.html", "private/dir/b.txt", "www/a.bak/x.txt"):
        write(top / name, SECRET)
    links(top, site)
    os.mkfifo(site / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(site / "socket"))
    return site


INSIDE = {
    "in": "a.txt",
    "in_dir": "dir",
    "in_up": "dir/../a.txt",
    "in_absolute": "{site}/a.txt",
    "in_absolute_dir": "{site}/dir",
    "in_round": "../site/a.txt",
    "in_chain": "in_absolute",
}
OUTSIDE = {
    "out": "../secret.txt",
    "out_far": "../../secret.txt",
    "out_absolute": "{top}/secret.txt",
    "out_dir": "../../private",
    "out_dir_absolute": "{top}/private",
    "out_evil": "../site-evil",
    "out_evil_absolute": "{top}/www/site-evil",
    "out_bak": "../site.bak",
    "out_chain": "dir/out_again",
    "out_slash": "../../private/",
    "out_by_in": "in_dir/../../secret.txt",
    "dir/out_again": "../../../secret.txt",
    "dir/deep/out": "../../../secret.txt",
    "loop": "loop",
    "loop_1": "loop_2",
    "loop_2": "loop_1",
    "nowhere": "is/not/there",
    "slash": "/",
    "passwd": "/etc/passwd",
    "zero": "/dev/zero",
    "tty": "/dev/tty",
    "proc": "/proc/self/root",
    "proc_cwd": "/proc/self/cwd",
    "proc_fd": "/proc/self/fd",
    "proc_environ": "/proc/self/environ",
    "file_slash": "a.txt/",
}


def links(top: Path, site: Path) -> None:
    """Links of all kinds."""
    for name, target in {**INSIDE, **OUTSIDE}.items():
        (site / name).symlink_to(target.format(top=top, site=site))
