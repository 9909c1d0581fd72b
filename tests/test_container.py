"""The container and unit samples of ``configs/``, tried without a container engine.

The Dockerfile's steps are performed in a root folder of their own (mount, PID and user changed, the
interpreter that runs the tests in place of the base image), read-only and without /dev/shm.
"""

import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from penstock.config.assemble import assemble
from penstock.config.raw import RawOption
from penstock.config.settings import Settings
from penstock.config.sources.env import read_env
from tests.config.parse import read_argv
from tests.e2e.nginx import free_port

TOP = Path(__file__).parents[1]
CONFIGS = TOP / "configs"
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
PATH = "/opt/penstock:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
OURS = {"PATH": PATH, "PYTHONPATH": "/src/src"}
NAMESPACES = ("unshare", "--pid", "--fork", "--mount", "--mount-proc", "--kill-child")


# ---- The Dockerfile ---------------------------------------------------------------------------------


@dataclass
class Image:
    """What a Dockerfile says, in its order: ``steps`` are RUN, COPY and WORKDIR lines."""

    base: str = ""
    env: dict[str, str] = field(default_factory=dict)
    steps: list[tuple[str, str]] = field(default_factory=list)
    workdir: str = "/"
    user: str = "0:0"
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    stopsignal: str = "SIGTERM"


def read_dockerfile(path: Path) -> Image:
    image = Image()
    text = path.read_text().replace("\\\n", " ")
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        word, _, rest = line.partition(" ")
        take(image, word, rest.strip())
    return image


def take(image: Image, word: str, rest: str) -> None:
    """One instruction; one that is not known here is an error, so that none is left untried."""
    if word == "ENV":
        image.env.update(re.findall(r"(\w+)=(\S*)", rest))
    elif word in ("RUN", "COPY", "WORKDIR"):
        image.steps.append((word, rest))
        image.workdir = rest if word == "WORKDIR" else image.workdir
    elif word in ("ENTRYPOINT", "CMD"):
        setattr(image, {"ENTRYPOINT": "entrypoint", "CMD": "command"}[word], json.loads(rest))
    elif word in ("FROM", "USER", "STOPSIGNAL"):
        setattr(image, {"FROM": "base", "USER": "user", "STOPSIGNAL": "stopsignal"}[word], rest)
    else:
        assert word == "EXPOSE", f"the Dockerfile has {word}, which this test does not perform"


def quoted(*words: str | Path) -> str:
    return shlex.join(str(word) for word in words)


def foundation(root: Path, tmpfs: bool) -> list[str]:
    """Lines of shell for a root folder: the system's programs, this interpreter, a bare /dev, no /dev/shm."""
    lines = ["umask 022", quoted("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", root)]
    lines.append(quoted("mkdir", root / "tmp"))
    if tmpfs:  # before all else: the interpreter itself may live below /tmp
        lines.append(quoted("mount", "-t", "tmpfs", "-o", "mode=1777,size=64m", "tmpfs", root / "tmp"))
    needed = [*SYSTEM]
    for prefix in (sys.base_prefix, sys.prefix):
        if not prefix.startswith("/usr/") and prefix not in needed:
            needed.append(prefix)
    for name in needed:
        place = Path(f"{root}{name}")
        if Path(name).is_symlink():
            lines.append(quoted("cp", "-P", name, place))
        elif Path(name).is_dir():
            lines += [quoted("mkdir", "-p", place), quoted("mount", "--bind", name, place)]
    lines += [
        quoted("cp", "-a", "/etc", root / "etc"),
        quoted("mkdir", "-p", *(root / name for name in ("dev", "proc", "run", "opt/penstock"))),
        quoted("mount", "-t", "proc", "proc", root / "proc"),
    ]
    for name in ("null", "zero", "urandom", "random"):
        place = root / "dev" / name
        lines += [quoted("touch", place), quoted("mount", "--bind", f"/dev/{name}", place)]
    return lines


def performed(image: Image, root: Path) -> list[str]:
    """Lines of shell for the Dockerfile's steps; pip's is replaced by what pip would have made of it."""
    lines: list[str] = []
    for word, rest in image.steps:
        if word == "WORKDIR":
            lines.append(quoted("mkdir", "-p", f"{root}{rest}"))
        elif word == "COPY":
            lines += copied(rest.split(), root)
        elif rest.startswith("pip install"):
            assert rest.split()[-1] == "/src", rest
            program = root / "opt" / "penstock" / "penstock"
            script = f"#!{sys.executable}\nimport sys\nfrom penstock.cli.main import main\nsys.exit(main())\n"
            lines += [
                f"printf %s {shlex.quote(script)} > {shlex.quote(str(program))}",
                f"chmod 755 {program}",
            ]
        else:
            lines.append(quoted("chroot", root, "/usr/bin/env", f"PATH={PATH}", "sh", "-euc", rest))
    return lines


def copied(words: list[str], root: Path) -> list[str]:
    """COPY: a folder's contents, or files into a folder."""
    *sources, target = words
    place = f"{root}{target}"
    lines = [quoted("mkdir", "-p", place)]
    for source in sources:
        path = TOP / source
        assert path.exists(), f"the Dockerfile copies {source}, which is not in the repository"
        lines.append(f"cp -R {quoted(path)}{'/.' if path.is_dir() else ''} {shlex.quote(place)}")
    return lines


def script_of(image: Image, root: Path, env: dict[str, str], words: list[str], tmpfs: bool) -> str:
    """All of it: the root, the steps, then ``words`` as its first process, unprivileged, read-only."""
    user, _, group = image.user.partition(":")
    lines = [
        "set -eu",
        *foundation(root, tmpfs),
        *performed(image, root),
        quoted("test", "!", "-e", root / "dev/shm"),
    ]
    lines.append(quoted("mount", "-o", "remount,ro", root))
    variables = [f"{name}={value}" for name, value in env.items()]
    within = f'cd {shlex.quote(image.workdir)} && exec "$@"'
    drop = ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "--no-new-privs"]
    lines.append(
        "exec "
        + quoted("chroot", root, "/usr/bin/env", "-i", *variables, *drop, "sh", "-c", within, "sh", *words)
    )
    return "\n".join(lines) + "\n"


# ---- Running it -------------------------------------------------------------------------------------


def obstacle() -> str:
    """Why the Dockerfile cannot be performed here, or ""."""
    if sys.platform != "linux":
        return "namespaces are Linux's"
    if os.geteuid() != 0:
        return "unshare, mount and chroot need root"
    for program in ("unshare", "setpriv", "chroot", "mount"):
        if shutil.which(program) is None:
            return f"there is no {program}: apt-get install util-linux"
    tried = subprocess.run(
        [*NAMESPACES, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, text=True, timeout=20
    )
    return "" if tried.returncode == 0 else f"unshare does not work here: {tried.stderr.strip()}"


@dataclass
class Container:
    """A running one: ``init`` is the host's number of its first process."""

    process: "subprocess.Popen[bytes]"
    out: Path
    err: Path
    port: int

    @property
    def init(self) -> int:
        pid = self.process.pid
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])

    def logs(self) -> str:
        return self.out.read_text() + self.err.read_text()

    def wait_for(self, path: Path, text: str) -> None:
        until = time.monotonic() + 30
        while text not in path.read_text():
            assert time.monotonic() < until and self.process.poll() is None, self.logs()
            time.sleep(0.05)

    def ctl(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """``docker exec CONTAINER penstock ctl``: of the same user, with the image's environment."""
        image = read_dockerfile(CONFIGS / "Dockerfile")
        user, _, group = image.user.partition(":")
        enter = ["nsenter", f"--target={self.init}", "--mount", "--pid", "--root"]
        drop = ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups"]
        env = [f"{name}={value}" for name, value in {**image.env, **OURS}.items()]
        return subprocess.run(
            [*enter, "/usr/bin/env", "-i", *env, *drop, *image.entrypoint, "ctl", *words],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    def fetch(self, path: str, chunked: bytes | None = None) -> tuple[int, bytes]:
        """Status and body; ``chunked`` is sent as a body of unknown length."""
        data = iter([chunked]) if chunked is not None else None
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=data)
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:
                return reply.status, reply.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()


@contextmanager
def container(tmp: Path, tmpfs: bool) -> Iterator[Container]:
    """The image's own entry point and command, as PID 1."""
    image = read_dockerfile(CONFIGS / "Dockerfile")
    root, port = tmp / "root", free_port()
    root.mkdir()
    env = {**OURS, **image.env, "PORT": str(port)}
    # Without the Dockerfile's own steps: what fails in those is a fault, and no reason to skip.
    bare = replace(image, steps=[], workdir="/")
    tried = perform(
        script_of(bare, root, env, [sys.executable, "-c", "import uvloop, yaml, defusedxml"], tmpfs)
    )
    if tried.returncode:
        pytest.skip(f"this interpreter cannot be run by another user in a root of its own: {tried.stderr}")
    script = script_of(image, root, env, [*image.entrypoint, *image.command], tmpfs)
    out, err = tmp / "stdout", tmp / "stderr"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            [*NAMESPACES, "sh", "-c", script], stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, cwd="/"
        )
    try:
        running = Container(process, out, err, port)
        running.wait_for(err, "listening on")
        yield running
    finally:
        process.kill()
        process.wait()


def perform(script: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*NAMESPACES, "sh", "-c", script], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("tmpfs", [False, True], ids=["read-only", "read-only-with-tmp"])
def test_the_dockerfile_serves_as_pid_1_unprivileged_and_read_only(tmp_path: Path, tmpfs: bool) -> None:
    if reason := obstacle():
        pytest.skip(reason)
    with container(tmp_path, tmpfs) as running:
        proc = Path(f"/proc/{running.init}")
        status = dict(
            line.split(":\t", 1) for line in (proc / "status").read_text().splitlines() if "\t" in line
        )
        assert status["NSpid"].split()[-1] == "1"
        assert status["Uid"].split() == ["10001"] * 4
        assert status["CapEff"].strip("0") == ""
        assert os.readlink(proc / "cwd").endswith("/app")
        assert not (proc / "root" / "dev" / "shm").exists()
        code, page = running.fetch("/")
        assert (code, b"It flows." in page) == (200, True), running.logs()
        # Gathered in memory up to --gather; beyond that in a file, which needs a folder.
        assert running.fetch("/upload", b"x" * 1000)[0] == 200
        assert running.fetch("/upload", b"x" * 200_000)[0] == (200 if tmpfs else 507), running.logs()
        running.wait_for(running.out, "GET / =>")
        commanded(running, tmpfs)
        os.kill(running.init, 15)
        assert running.process.wait(20) == 0, running.logs()
    assert "penstock:" not in running.out.read_text(), "stdout has the access log and nothing else"
    assert "SIGTERM" in running.err.read_text()


def commanded(running: Container, tmpfs: bool) -> None:
    """It has workers, by the processors, and takes commands where there is a folder for their socket."""
    assert "workers: one for each of" in running.err.read_text(), running.logs()
    done = running.ctl("reload")
    if tmpfs:
        assert done.returncode == 0 and "generation 2 serves" in done.stdout, done.stderr + running.logs()
        assert running.fetch("/")[0] == 200
    else:
        assert done.returncode == 3 and "no control socket" in running.err.read_text(), done.stderr


# ---- What the samples say ---------------------------------------------------------------------------


def settings(words: list[str], *more: RawOption) -> Settings:
    """Settings of a command line, as ``penstock`` would have them; wrong words raise ConfigError."""
    return assemble([*more, *read_argv(words)])


def test_the_dockerfile_is_what_its_comments_say() -> None:
    image = read_dockerfile(CONFIGS / "Dockerfile")
    assert re.fullmatch(r"python:3\.\d+-slim", image.base)
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", image.user), "a number, and not root's"
    assert f"--uid {image.user.partition(':')[0]} " in next(
        rest for _, rest in image.steps if "useradd" in rest
    )
    assert (image.entrypoint, image.stopsignal) == (["penstock"], "SIGTERM")
    found = settings(image.command, *read_env(image.env))
    assert [listener.address for listener in found.listeners] == [":8000"]
    assert found.short_form and found.processes == "auto"
    ignored = (CONFIGS / "Dockerfile.dockerignore").read_text().splitlines()
    for word, rest in image.steps:
        if word == "COPY":
            assert {f"!{source}" for source in rest.split()[:-1]} <= set(ignored)


def test_the_compose_file_names_options_that_exist() -> None:
    text = (CONFIGS / "compose.yaml").read_text()
    command = re.search(r"^    command: (\[.*\])$", text, re.MULTILINE)
    grace = re.search(r"^    stop_grace_period: (\d+)s$", text, re.MULTILINE)
    assert command is not None and grace is not None
    found = settings(json.loads(command[1]))
    assert found.supervised and found.notices == ()
    assert int(grace[1]) > found.shutdown_timeout + found.linger
    assert "    read_only: true\n" in text
    for name in re.findall(r"\./(\S+?):", text):
        assert (CONFIGS / name).is_file()
    served = found.listeners[0]
    assert f"server unix:{served.address};" in (CONFIGS / "nginx-uwsgi-unix.conf").read_text()


def unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=True, interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # configparser's own way to keep case
    parser.read_string((CONFIGS / name).read_text().replace("\\\n", " "))
    return parser


def test_the_units_name_options_that_exist() -> None:
    service, socket = unit("penstock.service")["Service"], unit("penstock.socket")["Socket"]
    program, *words = shlex.split(service["ExecStart"])
    assert Path(program).name == "penstock"
    name = socket["FileDescriptorName"]
    assert name in ("http", "uwsgi")
    found = settings(words, RawOption(f"{name}-socket", "fd://3", "environment LISTEN_FDS"))
    assert found.supervised, "ExecReload and WatchdogSec need it"
    assert int(service["TimeoutStopSec"]) > found.shutdown_timeout + found.linger
    assert service["KillSignal"] == "SIGTERM"
    assert f"server unix:{socket['ListenStream']};" in (CONFIGS / "nginx-uwsgi-unix.conf").read_text()


def test_systemd_knows_every_word_of_the_units(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed: apt-get install systemd")
    for name in ("penstock.service", "penstock.socket"):
        shutil.copy(CONFIGS / name, tmp_path)
    tried = subprocess.run(
        [program, "verify", "./penstock.service", "./penstock.socket"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=50,
    )
    said = [line for line in tried.stderr.splitlines() if re.match(r"\S*penstock\.(service|socket):", line)]
    # The program of the sample is not there; everything else is a fault of the file.
    assert [line for line in said if "is not executable" not in line] == []


def test_the_commands_in_the_nginx_samples_are_commands() -> None:
    commands = 0
    for path in sorted(CONFIGS.glob("nginx-*.conf")):
        for command in re.findall(r"^#   (penstock .*)$", path.read_text(), re.MULTILINE):
            settings(shlex.split(command)[1:])
            commands += 1
    assert commands == 3
