"""Many sites on one host: real emperors and real vassals."""

import json
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.e2e.daemons import open_folder, public_python
from tests.e2e.emperors import Empire, children, descendants, empire, gone


def test_vassals_come_are_reloaded_and_go(tmp_path: Path) -> None:
    with empire(tmp_path, "--emperor-stats", str(tmp_path / "stats")) as emperor:
        emperor.put("one")
        emperor.put("two")
        emperor.until(lambda: emperor.serves("one") and emperor.serves("two"))
        emperor.wait_for("is loyal", 2)
        master = emperor.ask("one")[2]
        file = emperor.put("one", "env = WORD=changed")
        emperor.until(lambda: emperor.serves("one", "changed"))
        assert emperor.ask("one")[2] == master  # it was loaded anew, not started anew
        worker = int(emperor.ask("one")[1])
        file.unlink()
        emperor.until(lambda: gone([int(master), worker]))
        assert emperor.serves("two")
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(tmp_path / "stats"))
            told = json.loads(sock.makefile().read())
        assert [(one["id"], one["loyal"], one["accepting"]) for one in told["vassals"]] == [("two.ini", 1, 1)]
        pids = descendants(emperor.process.pid)
        assert len(pids) == 3
        assert emperor.stop() == 0
        assert gone(pids)


def test_a_running_request_is_answered_when_its_file_goes(tmp_path: Path) -> None:
    with empire(tmp_path) as emperor:
        file = emperor.put("one")
        emperor.until(lambda: emperor.serves("one"))
        told: list[list[str]] = []
        asking = threading.Thread(target=lambda: told.append(emperor.ask("one", "/slow")))
        asking.start()
        time.sleep(0.2)
        file.unlink()
        asking.join()
        assert told[0][:1] == ["one"]
        emperor.wait_for("vassal one.ini is removed")


def test_a_file_that_fails_is_tried_again_and_when_it_changes(tmp_path: Path) -> None:
    with empire(tmp_path, "--emperor-throttle", "300") as emperor:
        emperor.put("one", app="missing")
        emperor.wait_for("vassal one.ini has failed 2 times")
        emperor.put("one")
        emperor.until(lambda: emperor.serves("one"))


def test_a_reload_that_fails_leaves_what_ran(tmp_path: Path) -> None:
    with empire(tmp_path) as emperor:
        emperor.put("one")
        emperor.until(lambda: emperor.serves("one"))
        emperor.put("one", "no-such-option = 1", app="missing")
        emperor.wait_for("the reload failed")
        assert emperor.serves("one")


def test_on_demand_the_first_request_starts_it_and_idleness_ends_it(tmp_path: Path) -> None:
    with empire(tmp_path, "--emperor-on-demand-directory", str(tmp_path)) as emperor:
        file = emperor.put("one", "idle = 300ms", "check-interval = 100ms", "die-on-idle = true")
        file.write_text(file.read_text().replace("one.sock", "one.socket"))
        emperor.wait_for("vassal one.ini waits for a connection")
        assert not descendants(emperor.process.pid)
        (tmp_path / "one.sock").symlink_to("one.socket")
        assert emperor.serves("one")
        first = emperor.ask("one")[1:]
        emperor.wait_for("vassal one.ini waits for a connection", 2)
        assert not descendants(emperor.process.pid)
        assert emperor.serves("one")  # in the meantime the connection has waited in the queue
        assert emperor.ask("one")[1:] != first
        pids = descendants(emperor.process.pid)
        os.kill(int(emperor.ask("one")[2]), signal.SIGKILL)
        emperor.wait_for("vassal one.ini waits for a connection", 3)
        emperor.until(lambda: gone(pids))


def test_an_emperor_beside_an_application_lives_with_its_supervisor(tmp_path: Path) -> None:
    (tmp_path / "touch").touch()
    beside = ("--http-socket", str(tmp_path / "own.sock"), "--module", "app", "--touch-reload", "touch")
    with empire(tmp_path, *beside, "--env", "WORD=own", "--die-on-term") as emperor:
        emperor.put("one")
        emperor.until(lambda: emperor.serves("own") and emperor.serves("one"))
        before = emperor.ask("one")
        os.utime(tmp_path / "touch", (1 << 31, 1 << 31))
        emperor.wait_for("generation 2 serves")
        assert emperor.ask("one") == before  # a reload beside it is none of its own
        throne = next(
            pid
            for pid in children(emperor.process.pid)
            if b"penstock.process.emperor" in Path(f"/proc/{pid}/cmdline").read_bytes()
        )
        vassals = descendants(throne)
        os.kill(throne, signal.SIGKILL)
        emperor.until(lambda: gone(vassals))
        emperor.until(lambda: emperor.serves("one") and emperor.ask("one") != before)
        pids = descendants(emperor.process.pid)
        assert emperor.stop() == 0
        assert gone(pids)


def test_an_emperor_may_have_an_emperor(tmp_path: Path) -> None:
    below = tmp_path / "below"
    (below / "vassals").mkdir(parents=True)
    with empire(tmp_path) as emperor:
        file = tmp_path / "vassals" / "prince.ini"
        file.write_text(f"[uwsgi]\nemperor = {below}/vassals\nemperor-freq = 0.1\n")
        inner = Empire(below, emperor.process, emperor.log)
        (below / "app.py").write_text((tmp_path / "app.py").read_text())
        inner.put("one")
        emperor.until(lambda: inner.serves("one"))
        emperor.wait_for("vassal prince.ini is loyal")
        file.unlink()
        emperor.wait_for("vassal prince.ini is removed")
        assert not descendants(emperor.process.pid)


def test_a_tyrants_vassals_are_their_owners() -> None:
    if os.getuid():
        pytest.skip("needs root")
    program = [public_python(), "-m", "penstock", "--emperor-freq", "0.1"]
    with open_folder() as folder, empire(folder, "--emperor-tyrant", program=program) as emperor:
        for folder_of in (folder / "vassals", folder / "app.py"):
            folder_of.chmod(0o755)
        file = emperor.put("one")
        emperor.wait_for("its file is root's")
        os.chown(file, 65534, 65534)
        emperor.until(lambda: emperor.serves("one"))
        status = Path(f"/proc/{emperor.ask('one')[2]}/status").read_text()
        assert status.partition("Uid:")[2].split()[:4] == ["65534"] * 4
        assert status.partition("Groups:")[2].split("\n")[0].strip() in ("", "65534")


def test_an_emperor_that_drops_no_rights_says_so() -> None:
    if os.getuid():
        pytest.skip("needs root")
    program = [public_python(), "-m", "penstock"]
    for later, warned in (("--drop-after-apps", True), ("--drop-after-init", False)):
        with open_folder() as folder, empire(folder, "--uid", "nobody", later, program=program) as emperor:
            emperor.wait_for("the emperor looks for vassals")
            status = Path(f"/proc/{emperor.process.pid}/status").read_text()
            assert ("\nUid:\t0\t0\t0\t0\n" in status) == warned
            assert ("it stays root" in emperor.text()) == warned


def test_nobody_becomes_another_by_a_link_that_is_turned() -> None:
    if os.getuid():
        pytest.skip("needs root")
    program = [public_python(), "-m", "penstock", "--emperor-freq", "0.1"]
    with open_folder() as folder:
        # Between the look at the file and its reading, which anybody can hit who tries often.
        turn = f"ln -sfn {folder}/theirs.ini {folder}/vassals/one.ini"
        hook = ("--emperor-tyrant", "--hook-as-emperor-before-vassal", f"exec:{turn}")
        with empire(folder, *hook, program=program) as emperor:
            for place in (folder / "vassals", folder / "app.py"):
                place.chmod(0o755)
            theirs = emperor.put("theirs").rename(folder / "theirs.ini")
            os.chown(theirs, 1001, 1001)
            ours = emperor.put("ours").rename(folder / "ours.ini")
            os.chown(ours, 65534, 65534)
            (folder / "vassals" / "one.ini").symlink_to(ours)
            emperor.wait_for("vassal one.ini has ended")
            assert "one.ini: is user 1001's, and is not read as user 65534" in emperor.text()
            assert not emperor.serves("theirs")


def test_a_file_that_is_a_program_says_what_it_is(tmp_path: Path) -> None:
    with empire(tmp_path, "--emperor-magic-exec") as emperor:
        file = emperor.put("one")
        text = file.read_text()
        fresh = tmp_path / "fresh"
        fresh.write_text(f"#!/bin/sh\ncat <<END\n{text}END\n")
        fresh.chmod(0o755)
        fresh.rename(file)
        emperor.until(lambda: emperor.serves("one"))


def test_a_server_that_is_one_process_is_a_vassal_too(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(tmp_path)!r})\n"
        "import app, penstock\n"
        f"sys.exit(penstock.run(app.application, bind={str(tmp_path / 'one.sock')!r}))\n"
    )
    script.chmod(0o755)
    with empire(tmp_path, "--emperor-wrapper", str(script), "--emperor-throttle", "10") as emperor:
        file = emperor.put("one")
        emperor.until(lambda: emperor.ask("one"))
        emperor.wait_for("vassal one.ini is loyal")
        before = emperor.ask("one")[1]
        emperor.put("one", "a = change")
        emperor.until(lambda: emperor.ask("one")[1:2] not in ([], [before]))
        pid = int(emperor.ask("one")[1])
        file.unlink()
        emperor.until(lambda: gone([pid]))


@pytest.mark.slow
def test_a_vassal_that_becomes_another_penstock_keeps_its_emperor(tmp_path: Path) -> None:
    with empire(tmp_path, "--emperor-on-demand-directory", str(tmp_path)) as emperor:
        (tmp_path / "one.sock").symlink_to("one.socket")
        file = emperor.put("one")
        file.write_text(file.read_text().replace("one.sock", "one.socket"))
        emperor.until(lambda: emperor.serves("one"))
        emperor.wait_for("vassal one.ini is loyal")
        master = int(emperor.ask("one")[2])
        os.kill(master, signal.SIGUSR2)
        emperor.wait_for("goes on in place of")
        emperor.wait_for("took over: generation 2 serves")
        fresh = file.with_name("fresh")
        fresh.write_text(file.read_text().replace("WORD=one", "WORD=changed"))
        fresh.rename(file)
        emperor.until(lambda: emperor.serves("one", "changed"))
        assert int(emperor.ask("one")[2]) == master
        file.unlink()
        emperor.until(lambda: gone([master]))
