"""The first process of a container: a small init before the server. Scripts in processes of their own."""

import subprocess
import sys

import pytest

from penstock.process import pid1
from penstock.process.pid1 import FORWARDED
from tests.e2e.surroundings import environment

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="subreapers and /proc are Linux's")
BEGIN = "import os, signal, subprocess, sys, time\nfrom penstock.process import pid1\n"
SUBREAPER = "import ctypes\nassert ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) == 0\n"


def script(text: str, begin: str = BEGIN) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", begin + text],
        env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip


def ran(text: str, begin: str = BEGIN) -> tuple[int, str]:
    """The exit status and what was printed."""
    with script(text, begin) as process:
        try:
            out, err = process.communicate(timeout=20)
        finally:
            process.kill()
    assert "Traceback" not in err
    return process.returncode, out


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("sys.exit(0)", 0),
        ("sys.exit(7)", 7),
        ("os._exit(30)", 30),
        ("os.kill(os.getpid(), signal.SIGTERM)", 143),
        ("os.kill(os.getpid(), signal.SIGKILL)", 137),
    ],
)
def test_the_servers_status_is_the_containers(end: str, status: int) -> None:
    code, out = ran(
        f"first = os.getpid()\npid1.become_init()\nprint(os.getppid() == first, flush=True)\n{end}\n"
    )
    assert (code, out) == (status, "True\n")


def test_the_status_is_known_where_the_ends_of_children_were_ignored() -> None:
    """Ignoring is inherited by what is run; the kernel would then reap the server and say nothing."""
    code, out = ran("signal.signal(signal.SIGCHLD, signal.SIG_IGN)\npid1.become_init()\nsys.exit(7)\n")
    assert (code, out) == (7, "")


def test_the_server_is_the_child_and_knows_it() -> None:
    assert pid1.is_init_child is False
    code, out = ran(
        "before, first = pid1.is_init_child, os.getpid()\n"
        "pid1.become_init()\n"
        "print(before, pid1.is_init_child, os.getpid() != first)\n"
    )
    assert (code, out) == (0, "False True True\n")


def test_the_servers_signals_are_as_they_were() -> None:
    code, out = ran(
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])\n"
        "pid1.become_init()\n"
        "mask = signal.pthread_sigmask(signal.SIG_BLOCK, [])\n"
        "print(*mask, signal.getsignal(signal.SIGTERM) == signal.SIG_DFL)\n"
    )
    assert (code, out) == (0, "14 True\n")


def test_signals_are_passed_on() -> None:
    process = script(
        "pid1.become_init()\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, pid1.FORWARDED)\n"
        "print('ready', flush=True)\n"
        "for _ in pid1.FORWARDED:\n"
        "    print(signal.sigwait(pid1.FORWARDED).name, flush=True)\n"
        "sys.exit(3)\n"
    )
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            for number in FORWARDED:
                process.send_signal(number)
                assert process.stdout.readline() == f"{number.name}\n"
            assert process.wait(20) == 3
        finally:
            process.kill()


def test_what_a_container_engine_sends_is_passed_on() -> None:
    names = {number.name for number in FORWARDED}
    assert {"SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1"} <= names
    assert "SIGCHLD" not in names


def test_a_signal_in_the_first_instant_is_not_lost() -> None:
    code, out = ran(
        "signal.signal(signal.SIGUSR1, lambda *_: (print('heard', flush=True), os._exit(5)))\n"
        "pid1.become_init()\n"
        "os.kill(os.getppid(), signal.SIGUSR1)\n"
        "time.sleep(15)\n"
    )
    assert (code, out) == (5, "heard\n")


def test_the_applications_own_children_keep_their_status() -> None:
    code, out = ran(
        "pid1.become_init()\n"
        "print([subprocess.run(['sh', '-c', f'exit {n}']).returncode for n in (0, 3, 9)])\n"
    )
    assert (code, out) == (0, "[0, 3, 9]\n")


@LINUX
def test_orphans_are_reaped_and_do_not_end_the_server() -> None:
    code, out = ran(
        SUBREAPER + "pid1.become_init()\n"
        "for n in range(3):\n"
        "    subprocess.run(['sh', '-c', '(sleep 0.1; exit 4) & exit 0'])\n"
        "time.sleep(0.6)\n"
        "children = open(f'/proc/{os.getppid()}/task/{os.getppid()}/children').read().split()\n"
        "print(children == [str(os.getpid())], flush=True)\n"
        "sys.exit(6)\n"
    )
    assert (code, out) == (6, "True\n")


def test_reaping_finds_the_one_that_is_meant() -> None:
    code, out = ran(
        "def child(code):\n"
        "    pid = os.fork()\n"
        "    if pid == 0:\n"
        "        os._exit(code)\n"
        "    return pid\n"
        "def ended():\n"
        "    os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)\n"
        "    time.sleep(0.2)\n"
        "print(pid1.reap(1), end=' ')\n"
        "other = child(1)\n"
        "ended()\n"
        "print(pid1.reap(-5), end=' ')\n"
        "meant, other = child(9), child(2)\n"
        "ended()\n"
        "print(pid1.reap(meant), pid1.reap(meant))\n"
    )
    assert (code, out) == (0, "None None 9 None\n")


def test_the_init_holds_nothing_of_weight() -> None:
    code, out = ran(
        "pid1.become_init()\n"
        "print({'pydantic', 'uvloop', 'asyncio', 'threading', 'ctypes'} & set(sys.modules))\n",
        begin="import sys\nfrom penstock.process import pid1\n",
    )
    assert (code, out) == (0, "set()\n")


def test_the_server_has_a_process_group_of_its_own() -> None:
    code, out = ran("pid1.become_init()\nprint(os.getpgrp() == os.getpid() != os.getpgid(os.getppid()))\n")
    assert (code, out) == (0, "True\n")
