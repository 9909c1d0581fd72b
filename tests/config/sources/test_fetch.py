"""Where a configuration may be: addresses as data, descriptors, the web, and bounds."""

import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.config.sources.env import OWNED
from penstock.config.sources.fetch import Document, FetchFault, decoded, fetch, split_address
from penstock.config.sources.isolated import end
from tests.config.sources.corpus import FOLDER

ROWS = tomllib.loads((FOLDER / "config-addresses.toml").read_text())["case"]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A working directory with a few files."""
    before = Path.cwd()
    os.chdir(tmp_path)
    Path("a.ini").write_text("[uwsgi]\n")
    Path("link.ini").symlink_to("a.ini")
    Path("Procfile").write_text("web: x\n")
    Path("dir").mkdir()
    Path("x:y").mkdir()
    Path("x:y/b.yaml").write_text("uwsgi:\n")
    yield tmp_path.resolve()
    os.chdir(before)


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_addresses(row: dict[str, str], folder: Path) -> None:
    if "fault" in row:
        with pytest.raises(FetchFault) as caught:
            fetch(row["address"])
        assert row["fault"] in caught.value.message
        return
    name = row.get("file", row["address"])
    path = str(folder / row["path"]) if "path" in row else ""
    assert fetch(row["address"], row.get("option_format", "")) == Document(
        name, row["text"], row.get("section", ""), path, row.get("kind", "")
    )


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        (":base", ("", "base")),
        (":", ("", "")),
        ("", ("", "")),
        ("-", ("-", "")),
        ("-:x", ("-", "x")),
        ("fd://3:x", ("fd://3", "x")),
        ("http://host:80/a.ini", ("http://host:80/a.ini", "")),
        ("https://host:80/b/a.ini:x", ("https://host:80/b/a.ini", "x")),
        ("http://host:80", ("http://host:80", "")),
        ("exec://cat /a:b/c", ("exec://cat /a:b/c", "")),
        ("data://a/b:c", ("data://a/b:c", "")),
        ("x://y:z", ("x://y", "z")),
    ],
)
def test_sections_of_addresses(address: str, parts: tuple[str, str]) -> None:
    assert split_address(address) == parts


@given(
    st.text(max_size=20)
    | st.sampled_from(["fd://", "section://"]).flatmap(lambda s: st.text().map(s.__add__))
)
def test_any_address_that_names_nothing_is_refused(address: str) -> None:
    if address.startswith("-") or (address[:5] == "fd://" and address[5:].partition(":")[0].isdecimal()):
        return
    try:
        found = fetch("./nowhere/" + address if "://" not in address else address)
    except FetchFault as fault:
        assert fault.message
    else:
        pytest.fail(f"{found}")


def test_a_descriptor_is_read_and_stays_open() -> None:
    reading, writing = os.pipe()
    os.write(writing, "[x]\nä = ".encode() + b"\xe9\n")
    os.close(writing)
    found = fetch(f"fd://{reading}:x")
    assert (found.name, found.section, found.text) == (f"fd://{reading}", "x", "[x]\nä = \udce9\n")
    os.close(reading)


def test_a_pipe_by_name_is_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "a.ini"
    os.mkfifo(pipe)
    with subprocess.Popen(["/bin/sh", "-c", f"sleep 0.3; echo '[uwsgi]' > {pipe}"]):
        assert fetch(str(pipe)).text == "[uwsgi]\n"


@pytest.mark.parametrize("address", ["-", "-:x", "fd://0"])
def test_standard_input(address: str) -> None:
    program = f"from penstock.config.sources.fetch import fetch; print(fetch({address!r}))"
    done = subprocess.run(
        [sys.executable, "-c", program], input="a=1", capture_output=True, text=True, timeout=30
    )
    assert "text='a=1'" in done.stdout


def test_a_person_at_a_terminal_is_read_too() -> None:
    ours, theirs = os.openpty()
    os.write(ours, b"[uwsgi]\n\x04")
    assert fetch(f"fd://{theirs}").text == "[uwsgi]\n"
    os.close(ours)
    os.close(theirs)


@pytest.mark.parametrize("address", ["/dev/zero", "exec://cat /dev/zero", "exec://yes"])
def test_what_never_ends_is_cut(address: str) -> None:
    begun = time.monotonic()
    with pytest.raises(FetchFault, match="more than 16 MB"):
        fetch(address)
    assert time.monotonic() - begun < 5


def test_a_large_file_is_refused(tmp_path: Path) -> None:
    large = tmp_path / "large.ini"
    with large.open("wb") as file:
        file.truncate(100 << 20)
    with pytest.raises(FetchFault, match=r"large\.ini: more than 16 MB"):
        fetch(str(large))


def test_a_file_that_may_not_be_read() -> None:
    """In /proc, where even root is refused some things."""
    with pytest.raises(FetchFault, match=r"^/proc/self/mem: "):
        fetch("/proc/self/mem")


class Page(BaseHTTPRequestHandler):
    """Pages for the test below."""

    def do_GET(self) -> None:
        if self.path == "/moved.ini":
            self.send_response(302)
            self.send_header("Location", "/a.ini")
            self.end_headers()
            return
        self.send_response(200 if self.path in ("/a.ini", "/large") else 404)
        self.end_headers()
        if self.path == "/large":
            try:
                self.wfile.write(b"x" * (17 << 20))
            except OSError:
                pass  # the reader had enough
        self.wfile.write(b"[uwsgi]\na = 1\n")

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    """A server in a process of its own."""
    server = HTTPServer(("127.0.0.1", 0), Page)
    pid = os.fork()
    if not pid:
        try:
            server.serve_forever()
        finally:
            os._exit(0)
    server.server_close()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    end(pid)
    os.waitpid(pid, 0)


def test_the_web(site: str) -> None:
    found = fetch(f"{site}/a.ini:prod")
    assert found == Document(f"{site}/a.ini", "[uwsgi]\na = 1\n", "prod", "", "ini")
    assert fetch(f"{site}/moved.ini").text == found.text
    with pytest.raises(FetchFault, match=r"/none\.ini: HTTP Error 404"):
        fetch(f"{site}/none.ini")
    with pytest.raises(FetchFault, match="/large: more than 16 MB"):
        fetch(f"{site}/large")


@pytest.mark.parametrize(
    ("data", "kind", "text"),
    [
        (b"\xc3\xa9\xe9", "ini", "é\udce9"),
        (
            b"<?xml version='1.0' encoding='iso-8859-15'?>\xa4",
            "xml",
            "<?xml version='1.0' encoding='iso-8859-15'?>€",
        ),
        (
            b"<?xml version='1.0' encoding='iso-8859-15'?>\xa4",
            "ini",
            "<?xml version='1.0' encoding='iso-8859-15'?>\udca4",
        ),
        (b"<?xml encoding='punycode'?>\xe9", "xml", "<?xml encoding='punycode'?>\udce9"),
        (b"<?xml encoding='iso-8859-99'?>\xe9", "xml", "<?xml encoding='iso-8859-99'?>\udce9"),
        (b"<?xml encoding='us-ascii'?>\xc3\xa9", "xml", "<?xml encoding='us-ascii'?>é"),
    ],
)
def test_octets_become_text(data: bytes, kind: str, text: str) -> None:
    assert decoded(data, kind) == text


@pytest.mark.skipif(os.getuid() != 0, reason="needs root: files of another user")
def test_a_file_that_must_be_ours(folder: Path) -> None:
    os.environ[OWNED] = "link.ini"
    try:
        assert fetch("link.ini").text
        os.chown("a.ini", 1001, 1001)
        assert fetch("a.ini").text
        with pytest.raises(FetchFault, match=r"link\.ini: is user 1001's, and is not read as user 0"):
            fetch("link.ini")
        os.environ[OWNED] = "link.ini:zerg"
        with pytest.raises(FetchFault):
            fetch("link.ini:zerg")
    finally:
        del os.environ[OWNED]
