"""A server on a root of its own: what is there and what is not, and that it is kept alive from outside."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from penstock.process.root import needed
from tests.e2e.surroundings import environment
from tests.process.isolation.alone import BEGIN, ROOT, needs, ran

ALL = 0x00020000 | 0x04000000 | 0x08000000 | 0x20000000
ENCLOSE = "from penstock.process.isolation.enclosure import enclose\n"


def jail(folder: Path, *more: str) -> list[str]:
    """An empty root; what has to be kept of the one outside."""
    kept = {f"/{path.split('/')[1]}" for path in [sys.executable, sys.base_prefix, sys.prefix, *needed()]}
    found = sorted({*kept, "/usr", "/lib", "/lib64", "/dev", *more})
    found = [path for path in found if os.path.isdir(path)]
    for path in [*found, "/proc"]:
        (folder / path.lstrip("/")).mkdir(parents=True)
    return found


def test_only_what_is_kept_is_there(tmp_path: Path) -> None:
    needs(ALL)
    root = tmp_path / "jail"
    kept = jail(root)
    (root / "inside").touch()
    script = f"""
enclose(settings_of(namespace={f"{root}:jailed"!r}, namespace_keep_mount={kept!r}), way, lambda: None)
import socket
print(sorted(set(os.listdir("/")) - {{path.strip("/") for path in {kept!r}}}), os.getpid(), os.getppid())
print(socket.gethostname(), os.getcwd(), len([n for n in os.listdir("/proc") if n.isdigit()]), flush=True)
sys.exit(0)
"""
    outside = ran("import socket; print(socket.gethostname())")
    assert ran(ENCLOSE + script).splitlines() == ["['inside', 'proc'] 2 1", "jailed / 2"]
    assert ran("import socket; print(socket.gethostname())") == outside
    assert str(root) not in Path("/proc/self/mounts").read_text()


def test_the_root_outside_with_less_mounted(tmp_path: Path) -> None:
    needs(ALL)
    script = f"""
enclose(settings_of(namespace="/", namespace_keep_mount=["/dev", {str(tmp_path)!r}]), way, lambda: None)
print([line.split()[1] for line in open("/proc/self/mounts")].count("/sys"), os.getpid(), flush=True)
sys.exit(0)
"""
    assert ran(ENCLOSE + script) == "0 2"


def test_a_network_of_its_own() -> None:
    needs(ALL | 0x40000000)
    script = """
enclose(settings_of(namespace="/", namespace_keep_mount="/dev", namespace_net="x"), way, lambda: None)
print(len(open("/proc/self/net/dev").readlines()) - 2, os.readlink("/proc/self/ns/net"), flush=True)
sys.exit(0)
"""
    outside = len(Path("/proc/self/net/dev").read_text().splitlines()) - 2
    inside, network = ran(ENCLOSE + script).split()
    assert 0 < int(inside) <= outside
    assert network != os.readlink("/proc/self/ns/net")


def test_a_root_without_python_is_refused(tmp_path: Path) -> None:
    needs(ALL)
    (tmp_path / "proc").mkdir()
    script = f"""
refused(enclose, settings_of(namespace={str(tmp_path)!r}), way, lambda: None)
sys.stdout.flush()
os._exit(1)
"""
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + ENCLOSE + script],
        env=environment(), capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout.startswith(f"refused: namespace {tmp_path}: {sys.executable}")


@ROOT
def test_only_root_can() -> None:
    script = """
settings = settings_of(namespace="/")
os.setgroups([]); os.setgid(54322); os.setuid(54321)
refused(enclose, settings, way, lambda: None)
"""
    assert ran(ENCLOSE + script) == "refused: namespace /: only root can do that"


def test_one_that_dies_is_started_again_until_it_is_told_to_end(tmp_path: Path) -> None:
    needs(ALL)
    script = """
import signal
way = way._replace(hooks=lambda phase: print(phase, os.environ["UWSGI_JAIL_PID"], flush=True))
settings = settings_of(namespace="/", namespace_keep_mount=["/dev"])
enclose(settings, way, lambda: open(sys.argv[1], "w").close())
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])  # one that comes at once is not lost
print("serving", flush=True)
signal.sigwait([signal.SIGTERM])
os._exit(0)
"""
    words = [sys.executable, "-c", BEGIN + ENCLOSE + script, str(tmp_path / "end")]
    with subprocess.Popen(words, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        seen = sorted(process.stdout.readline().split() for _ in range(2))
        assert seen[0][0] == "post-jail" and seen[1] == ["serving"]
        first = int(seen[0][1])
        os.kill(first, signal.SIGKILL)
        begun = time.monotonic()
        seen = sorted(process.stdout.readline().split() for _ in range(2))
        assert seen[0][0] == "post-jail" and seen[1] == ["serving"]
        assert int(seen[0][1]) != first and time.monotonic() - begun >= 0.9
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert (tmp_path / "end").exists()
