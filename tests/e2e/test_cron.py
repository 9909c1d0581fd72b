"""Commands at set times and at touches, of a real server: started, told of, kept over a reload, ended."""

import re
import signal
import time
from pathlib import Path

import pytest

from tests.e2e.server import serving
from tests.e2e.shop import shop, until_mark, write
from tests.e2e.surroundings import environment
from tests.process.supervisor.recording import later
from tests.waiting import until

PAGE = Path(__file__).parents[2] / "docs" / "cron.md"
SCRIPT = '#!/bin/sh\necho "$(basename $0)$(printf "|%s" "$@")" >> calls\n'
TIMES = re.compile(r"(cron) = (?:-?\d+ ){5}|(cron2) = minute=-?\d+")
EVERY = "-1 -1 -1 -1 -1 "
UPGRADED = "goes on in place of"


def a_while(seconds: float = 10.0) -> None:
    """Begin where the next seconds are of one minute, so that what runs once in it runs once."""
    begun = int(time.time()) // 60
    if time.time() % 60 > 60 - seconds:
        while int(time.time()) // 60 == begun:
            time.sleep(0.02)


def words(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_commands_of_a_file_run_as_it_says(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    write(tmp_path, "one")
    (tmp_path / "site.ini").write_text(
        "[uwsgi]\nhttp-socket = 127.0.0.1:0\nmodule = shop\npythonpath = %d\nchdir = %dfolder\n"
        "env = COLOUR=blue\ncron-harakiri = 1\n"
        "cron = -1 -1 -1 -1 -1 echo $COLOUR > cron; echo told; exit 3\n"
        "unique-cron = -1 -1 -1 -1 -1 pwd > unique\n"
        "cron2 = minute=-1,harakiri=0 readlink /proc/self/fd/0 > two\n"
        "cron = -1 -1 -1 -1 -1 exec sleep 60\n"
        "cron = 61 -1 -1 -1 -1 echo never > never\n"
    )
    with serving(tmp_path, "--ini", "site.ini", "--http-socket", "127.0.0.1:0", app="") as server:
        expected = {"cron": ["blue"], "unique": [str(folder)], "two": ["/dev/null"]}
        until(lambda: {name: words(folder / name) for name in expected} == expected, shown=server.text)
        label = 'cron "echo $COLOUR > cron; echo told; exit 3"'
        server.wait_for("exit status 3")
        text = server.text()
        assert f"[{label}] told\n" in text
        assert f"penstock warning: {label} (pid " in text
        assert "there is no minute 61, so it never runs" in text
        server.wait_for("killed by SIGKILL")
        assert 'warning: cron "exec sleep 60" (pid ' in server.text()
        assert not (folder / "never").exists()


def test_a_reload_runs_no_minute_twice_and_takes_what_is_new(tmp_path: Path) -> None:
    ran, new, hold = tmp_path / "ran", tmp_path / "new", tmp_path / "hold"
    hold.write_text("")
    site = tmp_path / "site.ini"
    begin = "[uwsgi]\ncron = -1 -1 -1 -1 -1 echo a >> %dran\n"
    held = "unique-cron = -1 -1 -1 -1 -1 echo b >> %dran; while [ -e %dhold ]; do sleep 0.05; done\n"
    site.write_text(f"{begin}{held}")
    a_while()
    with shop(tmp_path, "--ini", str(site)) as server:
        until(lambda: sorted(words(ran)) == ["a", "b"], shown=server.text)
        write(tmp_path, "two")
        site.write_text(f"{begin}{held}env = COLOUR=red\ncron = -1 -1 -1 -1 -1 echo $COLOUR >> %dnew\n")
        server.process.send_signal(signal.SIGHUP)
        until_mark(server, "two")
        until(lambda: words(new) == ["red"], shown=server.text)
        assert sorted(words(ran)) == ["a", "b"], (
            "uWSGI would run both again, and the second one beside itself"
        )
        hold.unlink()
        server.wait_for("has ended after")


@pytest.mark.slow
def test_another_penstock_goes_on_with_what_runs(tmp_path: Path) -> None:
    ran, hold = tmp_path / "ran", tmp_path / "hold"
    hold.write_text("")
    entry = f"{EVERY}echo a >> {ran}; while [ -e {hold} ]; do sleep 0.05; done; echo said later; exit 5"
    a_while()
    with shop(tmp_path, "--cron", entry) as server:
        until(lambda: words(ran) == ["a"], shown=server.text)
        server.process.send_signal(signal.SIGUSR2)
        server.wait_for(UPGRADED)
        hold.unlink()
        server.wait_for("] said later\n")
        server.wait_for("exit status 5")
        assert words(ran) == ["a"]


def test_the_end_leaves_nobody_behind(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    deaf = f"{EVERY}trap '' TERM; sleep 300 & echo $$ $! >> {pids}; wait; wait"
    with shop(tmp_path, "--cron", deaf, "--reload-mercy", "1", count=1) as server:
        until(lambda: len(words(pids)) == 2, shown=server.text)
        numbers = [int(word) for word in words(pids)]
        assert all(alive(pid) for pid in numbers)
        begun = time.monotonic()
        assert server.stop() == 0
        assert 0.8 < time.monotonic() - begun < 20
        assert not any(alive(pid) for pid in numbers), server.text()


def test_a_supervisor_that_is_killed_takes_its_commands_along(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    entry = f"{EVERY}echo $$ >> {pids}; exec sleep 300"
    with shop(tmp_path, "--cron", entry, "--no-orphans", expect=None, count=1) as server:
        until(lambda: words(pids), shown=server.text)
        server.process.kill()
        server.process.wait()
        until(lambda: not alive(int(words(pids)[0])), shown=server.text)


def test_a_touch_runs_a_command_and_a_hook(tmp_path: Path) -> None:
    file, ran = tmp_path / "file", tmp_path / "ran"
    file.write_text("")
    options = (
        *("--touch-exec", f"{file} echo $COLOUR >> {ran}; echo told", "--env", "COLOUR=blue"),
        *("--hook-touch", f"{file} append:{tmp_path}/hooked once"),
    )
    with shop(tmp_path, *options, "--check-interval", "0.1", count=1) as server:
        later(file)
        until(lambda: words(ran) == ["blue"], shown=server.text)
        until(lambda: words(tmp_path / "hooked") == ["once"], shown=server.text)
        server.wait_for("] told\n")
        server.wait_for("exit status 0")
        later(file)
        until(lambda: words(ran) == ["blue", "blue"], shown=server.text)


def test_an_address_is_asked_for(tmp_path: Path) -> None:
    with shop(tmp_path, "--curl-cron", f"{EVERY}http://127.0.0.1:1/a", count=1) as server:
        server.wait_for('[curl-cron "http://127.0.0.1:1/a"] http://127.0.0.1:1/a: <urlopen error')
        server.wait_for('penstock warning: curl-cron "http://127.0.0.1:1/a" (pid ')


def test_a_file_system_that_does_not_answer_ends_the_server(tmp_path: Path) -> None:
    folder = tmp_path / "mounted"
    folder.mkdir()
    options = ("--check-mountpoint", str(folder), "--check-interval", "0.1")
    with shop(tmp_path, *options, count=1, expect=None) as server:
        time.sleep(0.5)
        assert server.process.poll() is None
        folder.rmdir()
        assert server.process.wait(10) == 1
        assert f"check-mountpoint: {folder} does not answer: No such file or directory" in server.text()


def test_the_zone_of_the_application_is_that_of_the_times(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    a_while()
    # Where it is one o'clock and some minutes now.
    now = time.gmtime(time.time())  # without it, it is of a clock that may be some milliseconds late
    hour = (now.tm_hour - 1) % 24
    zone = f"HERE{hour}" if hour <= 12 else f"HERE{hour - 24}"
    entry = f"{now.tm_min} 1 -1 -1 -1 date +%H >> {ran}"
    options = ("--env", f"TZ={zone}", "--cron", entry)
    with serving(tmp_path, *options, env=environment(TZ="UTC0")) as server:
        until(lambda: words(ran) == ["01"], shown=server.text)


def example(folder: Path, number: int) -> list[str]:
    """A configuration of the page, whose scripts write down how they were called; what it runs at some time
    it runs at any."""
    for name in ("manage.sh", "sync.sh", "report.sh", "warm-up.sh"):
        (folder / name).write_text(SCRIPT)
        (folder / name).chmod(0o755)
    text = PAGE.read_text().split("```ini\n")[number].partition("```")[0]
    text = text.replace("/srv/shop", str(folder)).replace("/srv/data", str(folder / "data"))
    text = TIMES.sub(lambda found: f"{found[1]} = {EVERY}" if found[1] else f"{found[2]} = minute=-1", text)
    (folder / "site.ini").write_text(f"[uwsgi]\n{text}")
    return ["--ini", str(folder / "site.ini")]


def calls(folder: Path) -> list[str]:
    path = folder / "calls"
    return sorted(path.read_text().splitlines()) if path.exists() else []


def test_the_page_on_set_times(tmp_path: Path) -> None:
    expected = ["manage.sh|clearsessions", "manage.sh|send_mail", "report.sh|every hour", "sync.sh|"]
    with shop(tmp_path, *example(tmp_path, 1), count=1) as server:
        until(lambda: calls(tmp_path) == expected, shown=server.text)
        server.wait_for('curl-cron "http://127.0.0.1:8000/weekly" runs')


def test_the_page_on_touches(tmp_path: Path) -> None:
    for name in ("deployed", "mail-now"):
        (tmp_path / name).write_text("")
    with shop(tmp_path, *example(tmp_path, 2), "--check-interval", "0.1", count=1) as server:
        later(tmp_path / "deployed")
        until(lambda: calls(tmp_path) == ["warm-up.sh|all pages"], shown=server.text)
        until(lambda: words(tmp_path / "deploys.log") == ["one", "more"], shown=server.text)
        later(tmp_path / "mail-now")
        until(lambda: calls(tmp_path) == ["manage.sh|send_mail", "warm-up.sh|all pages"], shown=server.text)


def test_the_page_on_file_systems(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with shop(tmp_path, *example(tmp_path, 3), "--check-interval", "0.1", count=1, expect=None) as server:
        (tmp_path / "data").rmdir()
        assert server.process.wait(10) == 1
