"""One screen at the start: who listens, what serves and why so many, what is not acted on, where to look."""

import re
from pathlib import Path

import pytest

from tests.e2e.server import serving

UNACTED = "gevent = 4\njailed = true\nsnmp = x\nlegion = x\ntornado = 4\nrrdtool = x\nsnmp-community = x\n"
LINES = 15


def started(home: Path, *more: str) -> list[str]:
    """What a server has said when it serves; the folder's application takes half a second to import."""
    (home / "slowly.py").write_text(
        "import time\ntime.sleep(0.5)\ndef application(environ, start_response):\n"
        "    start_response('200 OK', [('Content-Length', '2')])\n    return [b'ok']\n"
    )
    (home / "app.ini").write_text("\n".join(("[uwsgi]", "module = slowly", *more, UNACTED)))
    with serving(home, "--ini", "app.ini", app="") as server:
        server.wait_for("ready after" if "master = true" in more else "to look: ")
        with server.client() as client:
            assert client.get().status == 200
        return server.text().splitlines()


@pytest.mark.parametrize("master", [False, True])
def test_it_is_one_screen(master: bool, tmp_path: Path) -> None:
    more = ["stats = 127.0.0.1:0"] if master else []
    lines = started(tmp_path, *(["master = true", "processes = 2", "threads = 3"] if master else []), *more)
    assert len(lines) <= LINES
    text = "\n".join(lines)
    assert "7 options are taken, but not acted on: gevent, jailed, snmp, legion, tornado and 2 more; " in text
    assert re.search(r"^penstock: listening on http://127\.0\.0\.1:\d+$", text, re.MULTILINE)
    threads = "2 workers, each with 3 threads"
    if not master:
        threads = "1 thread, as uWSGI has unless --threads says more"
    assert f"\npenstock: {threads}\n" in text
    took = re.search(r"application: slowly, imported in (\d\.\d\d) s", text)
    assert took and 0.5 <= float(took[1]) < 5.0
    assert re.search(r"^penstock: log: all of it to ", text, re.MULTILINE)
    assert re.search(r"health at /-/live and /-/ready, penstock ctl --pid \d+ status$", text, re.MULTILINE)
