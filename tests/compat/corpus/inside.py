"""The inside of the sandbox: its first process, in mount, network and PID namespaces of its own.

Lays a scratch layer over the whole disk, so that a configuration's absolute paths can be made as they are
written; starts the program, asks every listener, counts the workers and has them all replaced, ends it, and
prints what came of it as json.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import posixpath
import socket
import struct
import subprocess
import sys
import time
from typing import Any

MS_REC, MS_PRIVATE, MS_BIND = 0x4000, 0x40000, 0x1000
START, END = 12.0, 12.0
REFUSED = 20
LOG = "/penstock-corpus.log"
PLANNED, RECORDS = "/penstock-corpus.programs", "/penstock-corpus.ran"
MINUTE, AGE = 70.0, 3600.0
"""Seconds: how long a command waits for its minute at most, and how old files are."""
Facts = dict[str, Any]


# ---- The place --------------------------------------------------------------------------------------


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    words = [text.encode() or None for text in (source, target, kind)]
    if libc.mount(*words, ctypes.c_ulong(flags), data.encode() or None):
        number = ctypes.get_errno()
        raise OSError(number, f"mount {source} {target}: {os.strerror(number)}")


def overlay(scratch: str, kept: list[str]) -> None:
    """A disk that reads as the machine's and forgets what is written; ``kept`` are other file systems."""
    mount("none", "/", flags=MS_REC | MS_PRIVATE)
    mount("tmpfs", scratch, "tmpfs", data="mode=755")
    upper, work, root = (f"{scratch}/{name}" for name in ("upper", "work", "root"))
    for folder in (upper, work, root):
        os.mkdir(folder)
    mount("overlay", root, "overlay", data=f"lowerdir=/,upperdir={upper},workdir={work}")
    for folder in ("/proc", "/dev", "/sys", *kept):
        mount(folder, root + folder, flags=MS_BIND | MS_REC)
    os.chroot(root)
    os.chdir("/")


def loopback() -> None:
    """``lo`` up (SIOCSIFFLAGS): a new network namespace has it down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, 0x8914, struct.pack("16sh14x", b"lo", 0x1 | 0x40))


def people(users: list[str], groups: list[str]) -> None:
    """Users and groups of these names, where the machine has none."""
    with open("/etc/group", encoding="utf-8") as file:
        known = {line.partition(":")[0] for line in file}
    with open("/etc/passwd", encoding="utf-8") as file:
        taken = {line.partition(":")[0] for line in file}
    with open("/etc/group", "a", encoding="utf-8") as file:
        for number, name in enumerate(dict.fromkeys([*groups, *users]), 5001):
            if name not in known:
                file.write(f"{name}:x:{number}:\n")
    with open("/etc/passwd", "a", encoding="utf-8") as file:
        for number, name in enumerate(dict.fromkeys(users), 5001):
            if name not in taken:
                file.write(f"{name}:x:{number}:{number}::/tmp:/bin/sh\n")


def folder(path: str, owner: tuple[int, int]) -> None:
    """A folder and those above it; what is new belongs to the owner."""
    if not os.path.isdir(path):
        folder(posixpath.dirname(path), owner)
        os.mkdir(path, 0o755)
        os.chown(path, *owner)


def virtual(path: str, owner: tuple[int, int]) -> None:
    """A virtual environment for this Python; or a prefix that has a Python, as images of Docker have."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    folder(f"{path}/bin", owner)
    folder(f"{path}/lib/python{version}/site-packages", owner)
    if path in ("/usr", "/usr/local"):
        return
    with open(f"{path}/pyvenv.cfg", "w", encoding="utf-8") as file:
        file.write(f"home = {sys.base_prefix}/bin\nversion = {version}\n")
    with contextlib.suppress(FileExistsError):
        os.symlink(f"{sys.base_prefix}/bin/python{version}", f"{path}/bin/python")


def number_of(name: str, database: str) -> int:
    if name.isdigit():
        return int(name)
    with open(database, encoding="utf-8") as file:
        return next((int(line.split(":")[2]) for line in file if line.startswith(f"{name}:")), 0)


def furnish(plan: Facts) -> None:
    """Everything in its place, as its owner has it."""
    os.chmod("/root", 0o755)  # an interpreter may live there, and users that are no longer root need it
    people(plan["users"], plan["groups"])
    user, group = plan["owner"]
    owner = (number_of(user, "/etc/passwd"), number_of(group, "/etc/group"))
    for path in (plan["cwd"], plan["chdir"], *plan["folders"]):
        folder(posixpath.normpath(path), owner)
    for path in plan["environments"]:
        virtual(path, owner)
    for path, text in plan["files"].items():
        folder(posixpath.dirname(path), owner)
        if not os.path.isdir(path):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            os.chown(path, *owner)
            os.utime(path, (time.time() - AGE,) * 2)
    stand_ins(plan, owner)


def stand_ins(plan: Facts, owner: tuple[int, int]) -> None:
    """What takes the places of the programs, and a place for what they write down."""
    for path in {program["path"] for program in plan["programs"]}:
        path = posixpath.join(plan["chdir"], path)
        folder(posixpath.dirname(path), owner)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!{sys.executable} -I\n{plan['standin']}\n\nmain()\n")
        os.chmod(path, 0o755)
    with open(PLANNED, "w", encoding="utf-8") as file:
        json.dump(plan["programs"], file)
    with open(RECORDS, "w", encoding="utf-8"):
        os.chmod(RECORDS, 0o666)


# ---- Asking -----------------------------------------------------------------------------------------


def addresses(text: str, places: list[str]) -> list[tuple[int, Any]]:
    """Where a listener is reached: TCP by loopback, a UNIX socket where its path may be meant."""
    host, colon, port = text.rpartition(":")
    if colon and port.isdigit():
        near = host in ("", "0.0.0.0", "*", "localhost")
        return [(socket.AF_INET, ("127.0.0.1" if near else host.strip("[]"), int(port)))]
    return [(socket.AF_UNIX, posixpath.join(place, text)) for place in places]


def packet(path: str, secret: str) -> bytes:
    """A uwsgi packet that asks for a path, with an Authorization if there is one."""
    named = {
        "REQUEST_METHOD": "GET",
        "REQUEST_URI": path,
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "REMOTE_ADDR": "127.0.0.1",
    }
    named |= {"HTTP_AUTHORIZATION": secret} if secret else {}
    body = b"".join(struct.pack("<H", len(text)) + text.encode() for pair in named.items() for text in pair)
    return struct.pack("<BHB", 0, len(body), 0) + body


def ask(listener: list[str], path: str, secret: str, places: list[str]) -> str:
    """The body of one reply, or why there is none."""
    protocol, text = listener
    more = f"Authorization: {secret}\r\n" if secret else ""
    head = f"GET {path} HTTP/1.0\r\nHost: localhost\r\n{more}\r\n"
    wanted = packet(path, secret) if protocol == "uwsgi" else head.encode()
    said = ""
    for family, address in addresses(text, places):
        try:
            with socket.socket(family, socket.SOCK_STREAM) as sock:
                sock.settimeout(3)
                sock.connect(address)
                said = exchanged(sock, protocol, wanted)
                break
        except OSError as error:
            said = f"{type(error).__name__}: {error}"
    return said


def exchanged(sock: socket.socket, protocol: str, wanted: bytes) -> str:
    """What a connection gives for ``wanted``."""
    if protocol == "https":
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        sock = context.wrap_socket(sock)
    sock.sendall(wanted)
    data = b""
    while piece := sock.recv(1 << 16):
        data += piece
    return data.partition(b"\r\n\r\n")[2].decode("utf-8", "replace")


# ---- The run ----------------------------------------------------------------------------------------


def running() -> list[int]:
    """Processes of this namespace beside ourselves; what has ended is reaped, as a first process must."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and name != "1"]


def answers(plan: Facts) -> dict[str, str]:
    """What is wrong, by listener; asked until nothing is, or the time is up, or nobody is left, or everyone
    goes on answering with something else."""
    until, refused, wrong = time.monotonic() + START, 0, {"": "not asked"}
    while wrong and refused < REFUSED and time.monotonic() < until:
        alive = bool(running())
        wrong = asked(plan)
        refused += all("Error: " not in said for said in wrong.values())
        if wrong and not alive:
            break
        time.sleep(0.05 if wrong else 0)
    return wrong


def asked(plan: Facts) -> dict[str, str]:
    """One round: what each listener says that is not the application's body."""
    places, wrong = [plan["cwd"], plan["chdir"]], {}
    for listener in plan["listeners"]:
        for path, body, secret in plan["asks"]:
            said = ask(listener, path, secret, places)
            if said != body:
                wrong[" ".join(listener)] = said[:200] or "an empty reply"
    return wrong


# ---- Programs ---------------------------------------------------------------------------------------


def records() -> list[Facts]:
    """What the stand-ins have written down so far."""
    with open(RECORDS, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.endswith("\n")]


def ran(plan: Facts) -> dict[str, str]:
    """What is wrong with the programs, once all have run or the time is up; commands wait for a minute."""
    commands = any(program["kind"] == "cron" for program in plan["programs"])
    until = time.monotonic() + (MINUTE if commands else START)
    while (wrong := not_run(plan)) and time.monotonic() < until:
        time.sleep(0.05)
    return {"programs": "; ".join(wrong)} if wrong else {}


def not_run(plan: Facts) -> list[str]:
    """The programs and mules that have not run as they are to, each with what came instead."""
    said, wrong = records(), []
    for program in plan["programs"]:
        words = program["argv"][1:]
        mine = [one for one in said if one["argv"][1:] == words and same(one["argv"][0], program["argv"][0])]
        if not any(fits(plan, program, one) for one in mine):
            seen = [{key: one[key] for key in ("cwd", "uid", "gid")} for one in mine]
            wrong.append(f"{program['kind']}: {' '.join(program['argv'])}: {seen or 'not run'}")
    mules = sum(one["argv"] == ["mule"] for one in said)
    return wrong if mules >= plan["mules"] else [*wrong, f"{mules} mules of {plan['mules']}"]


def same(one: str, other: str) -> bool:
    return posixpath.basename(one) == posixpath.basename(other)


def fits(plan: Facts, program: Facts, said: Facts) -> bool:
    """Whether a program was run in its folder, by its user, with its variables; a hook's depend on when."""
    user, group = plan["owner"]
    owner = (number_of(user, "/etc/passwd"), number_of(group, "/etc/group"))
    early = program["kind"] == "hooks"
    placed = said["cwd"] == plan["chdir"] or (early and said["cwd"] == plan["cwd"])
    owned = said["uid"] == owner[0] or (early and said["uid"] == 0)
    return placed and owned and all(said["environ"].get(name) == value for name, value in program["environ"])


# ---- Several processes ------------------------------------------------------------------------------


def commanded(plan: Facts, command: str) -> Facts:
    """What ``penstock ctl`` says to a command. Beside its vassals a server is named by its number."""
    named = ["--pid", str(plan["server"])] if "emperor" in plan["kinds"] else []
    tried = subprocess.run(
        [*plan["program"], "ctl", *named, "--json", command],
        env=plan["environ"], capture_output=True, text=True, timeout=START + END, check=False,
    )  # fmt: skip
    said: Facts = json.loads(tried.stdout or "{}")
    return said if said.get("ok") else {"text": f"{command}: {said.get('text') or tried.stderr}"}


def replaced(plan: Facts) -> dict[str, str]:
    """What is wrong with the workers: their number, or how others take their places in a reload."""
    text = counted(plan)
    if not text:
        said = commanded(plan, "reload")
        text = counted(plan) if said.get("ok") else str(said["text"])
    return {"workers": text} if text else asked(plan)


def counted(plan: Facts) -> str:
    """ "" when as many workers serve as the options ask for, soon."""
    until = time.monotonic() + START
    text = ""
    while time.monotonic() < until:
        said = commanded(plan, "status")
        serving = [row for row in said.get("status", {}).get("workers", ()) if row["state"] == "serving"]
        if len(serving) == plan["workers"]:
            return ""
        text = said.get("text") or f"{len(serving)} serve, and {plan['workers']} are asked for"
        time.sleep(0.05)
    return text


# ---- The end ----------------------------------------------------------------------------------------


def end(plan: Facts, started: int) -> str:
    """TERM, or ``--stop`` for what goes to the background; "" when nobody is left soon."""
    until = time.monotonic() + END
    while plan.get("background") and started in running() and time.monotonic() < until:
        time.sleep(0.02)  # it answers already, and its parent is just leaving
    if started in running():
        signalled([started], plan)
    elif plan["pidfile"] and os.path.exists(plan["pidfile"]):
        subprocess.run([*plan["program"], "--stop", plan["pidfile"]], timeout=20, check=False)
    else:
        signalled(running(), plan)
    return gone(plan)


def signalled(pids: list[int], plan: Facts) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):  # it was just leaving
            os.kill(pid, plan["signal"])


def gone(plan: Facts) -> str:
    """ "" when nobody is left soon."""
    until = time.monotonic() + END
    # What has gone to the background by itself outlives who looked after it, as with uWSGI.
    leaving = [program["argv"][1:] for program in plan["programs"] if program["behaviour"] == "leaves"]
    free = {one["pid"] for one in records() if one["argv"][1:] in leaving}
    while left := [pid for pid in running() if pid not in free]:
        if time.monotonic() > until:
            return f"{len(left)} processes are left after the signal to end"
        time.sleep(0.05)
    return ""


def log(plan: Facts) -> str:
    """Everything that was said: on the terminal, and in the files that the configuration names."""
    text = ""
    for path in filter(os.path.isfile, (LOG, *plan.get("logs", ()))):
        with contextlib.suppress(OSError), open(path, encoding="utf-8", errors="replace") as file:
            text += file.read()
    return text


def main() -> None:
    plan: Facts = json.load(sys.stdin)
    overlay(plan["scratch"], plan["kept"])
    loopback()
    furnish(plan)
    os.chdir(plan["cwd"])
    with open(LOG, "wb") as output:
        process = subprocess.Popen(
            [*plan["program"], *plan["words"]],
            env=plan["environ"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    plan["server"] = process.pid
    if plan["listeners"]:
        wrong = answers(plan)
        if not wrong:
            wrong = ran(plan)
        if plan["workers"] and not wrong:
            wrong = replaced(plan)
        left = end(plan, process.pid)
    else:  # a command, not a server
        code = process.wait(START)
        wrong, left = {"status": str(code)} if code else {}, ""
    print(json.dumps({"wrong": wrong, "left": left, "log": log(plan)}))


if __name__ == "__main__":
    main()
