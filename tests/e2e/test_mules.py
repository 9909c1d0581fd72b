"""Mules under a real supervisor: reloads, deaths, messages that wait, files that are touched, and the end."""

import os
import re
import signal
import time
from pathlib import Path

import pytest

from tests.e2e.server import Server
from tests.e2e.shop import alive, answer, children, shop, until_mark, write
from tests.waiting import until

BEGINS = re.compile(r"spawned mule (\d+) \(pid: (\d+)\)")
WORK = """
import os, signal, time
folder = os.path.dirname(os.path.abspath(__file__))
import shop
open(os.path.join(folder, f"{shop.MARK}-{os.getpid()}"), "w").close()
while True:
    time.sleep(60)
"""
SENDING = """
from penstock.process.mules import mule

def send(number, text):
    return mule.send(number, text.encode(), print)
"""


def begun(server: Server) -> list[tuple[int, int]]:
    """Number and pid of each that has begun, in their order."""
    return [(int(number), int(pid)) for number, pid in BEGINS.findall(server.text())]


def mules(server: Server, count: int) -> list[tuple[int, int]]:
    """The same once there are so many."""
    until(lambda: len(begun(server)) >= count, shown=server.text)
    return begun(server)


def work(folder: Path, text: str = WORK) -> str:
    (folder / "work.py").write_text(text)
    return str(folder / "work.py")


@pytest.mark.slow
def test_each_generation_has_its_mules_and_no_number_twice(tmp_path: Path) -> None:
    with shop(tmp_path, "--mule=" + work(tmp_path), "--mules", "1") as server:
        first = mules(server, 2)
        assert [number for number, _ in first] == [1, 2]
        assert {pid for _, pid in first} <= set(children(server.process.pid))
        until((tmp_path / f"one-{first[0][1]}").exists, shown=server.text)
        write(tmp_path, "two")
        server.process.send_signal(signal.SIGHUP)
        until_mark(server, "two")
        second = mules(server, 4)[2:]
        until((tmp_path / f"two-{dict(second)[1]}").exists, shown=server.text)
        for number, pid in first:
            line = server.text().index(f"mule {number} (pid {pid}) has ended: a new generation serves")
            assert line < server.text().index(f"spawned mule {number} (pid: {dict(second)[number]})")
            assert not alive(pid)


def test_one_that_is_killed_is_followed_by_another(tmp_path: Path) -> None:
    with shop(tmp_path, "--mule=" + work(tmp_path)) as server:
        [(_, pid)] = mules(server, 1)
        os.kill(pid, signal.SIGKILL)
        server.wait_for(f"mule 1 (pid {pid}) ({tmp_path}/work.py) has ended by itself: killed by SIGKILL")
        assert mules(server, 2)[1][0] == 1
        assert answer(server)[0] == "one"


def test_a_touch_replaces_mules_and_nobody_else(tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    touched.touch()
    options = ("--mules", "2", "--touch-mules-reload", str(touched), "--check-interval", "1")
    with shop(tmp_path, *options, count=1) as server:
        mules(server, 2)
        worker = answer(server)[1]
        os.utime(touched, (time.time() + 5, time.time() + 5))
        assert sorted(number for number, _ in mules(server, 4)) == [1, 1, 2, 2]
        assert answer(server)[1] == worker
        assert "generation 2" not in server.text()


def test_messages_of_workers_wait_for_the_next_mule(tmp_path: Path) -> None:
    stop = "import os, signal, time\nos.kill(os.getpid(), signal.SIGSTOP)\n"
    write(tmp_path, "one", SENDING)
    app = (
        (tmp_path / "shop.py")
        .read_text()
        .replace("    body =", "    if path == '/send': MARK_ = send(int(query), 'x' * 77)\n    body =")
    )
    (tmp_path / "shop.py").write_text(app)
    with shop(tmp_path, "--mule=" + work(tmp_path, stop), "--mule", "--farm", "a:2") as server:
        mules(server, 2)
        answer(server, "/send?1")  # its mule is stopped, and hears nothing
        answer(server, "/send?2")
        server.wait_for("mule 2 received a message of 77 bytes")
        code = "from penstock.process.mules import mule\nprint(len(mule.get_msg()), 'came', flush=True)"
        work(tmp_path, code)
        os.kill(dict(mules(server, 2))[1], signal.SIGKILL)
        server.wait_for("77 came")


@pytest.mark.slow
def test_another_penstock_takes_them_over(tmp_path: Path) -> None:
    with shop(tmp_path, "--mule=" + work(tmp_path), "--mules=1") as server:
        first = mules(server, 2)
        server.process.send_signal(signal.SIGUSR2)
        server.wait_for("goes on in place of")
        server.wait_for("generation 2 serves")
        second = mules(server, 4)[2:]
        assert sorted(number for number, _ in second) == [1, 2]
        until(lambda: not any(alive(pid) for _, pid in first), shown=server.text)
        assert "has ended by itself" not in server.text()


def test_the_end_of_the_supervisor_is_theirs(tmp_path: Path) -> None:
    with shop(tmp_path, "--mule=" + work(tmp_path), expect=None) as server:
        [(_, pid)] = mules(server, 1)
        server.process.kill()
        server.process.wait()
        until(lambda: not alive(pid), shown=server.text)


def test_a_mule_is_reason_enough_for_a_server(tmp_path: Path) -> None:
    with shop(tmp_path, "--spooler", str(tmp_path / "tasks"), "--mule", count=1) as server:
        server.wait_for("spawned mule 1")
        server.wait_for("spooler")
        assert (tmp_path / "tasks").stat().st_mode & 0o777 == 0o750


def test_the_example_of_the_documentation(tmp_path: Path) -> None:
    """docs/mules.md."""
    text = (Path(__file__).parents[2] / "docs" / "mules.md").read_text()
    ini, tasks = re.findall(r"```(?:ini|python)\n(.*?)```", text, re.DOTALL)[:2]
    (tmp_path / "tasks.py").write_text(tasks)
    (tmp_path / "app.ini").write_text(ini.replace("0.0.0.0:8000", "127.0.0.1:0"))
    write(tmp_path, "one")
    with shop(tmp_path, str(tmp_path / "app.ini"), count=1) as server:
        assert len(mules(server, 3)) == 3
        server.wait_for("tidied up")
