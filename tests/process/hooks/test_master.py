"""The supervisor's hooks: when they run, with which settings, and what signals mean then."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from penstock.config.settings import Settings
from penstock.process.hooks.master import Hooks
from penstock.process.supervisor.commands import Commands
from tests.e2e.shop import alive
from tests.process.supervisor.obeying import Obeying


class House(Obeying):
    """One that has children, and whose occasions come when the test says."""

    def __init__(self, log: Path, generation: int = 0, **options: Any) -> None:
        super().__init__(log, **options)
        if not generation:
            self.current = None
        self.children: dict[int, Callable[[int], None]] = {}
        self.on_serving: list[Callable[[], None]] = []
        self.on_generation: list[Callable[[str], None]] = []
        self.on_stop: list[Callable[[], None]] = []
        self.on_drained: list[Callable[[], None]] = []
        self.alarm: Callable[[str, str], None] = lambda name, text: self.did.append(("alarm", name, text))
        self.watch.every(0.01, self.reap)
        self.hooks = Hooks(self, Commands(self))
        self.hooks.start()

    def reap(self) -> None:
        for pid in list(self.children):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                self.children.pop(pid)(os.waitstatus_to_exitcode(status))

    def stop(self, why: str, now: bool = False, code: int = 0) -> None:
        super().stop(why, now)
        if code:
            self.did.append(("code", code))

    def serve(self) -> None:
        for call in self.on_serving:
            call()
        self.settle()

    def generation(self, how: str, **options: Any) -> None:
        self.settings = Settings(**options)
        for call in self.on_generation:
            call(how)
        self.settle()

    def settle(self) -> None:
        """Until no hook is under way."""
        for _ in range(500):
            if not self.hooks.turns.busy:
                return
            self.turn(0.01)
        raise AssertionError(self.text())


@contextmanager
def house(tmp: Path, **options: Any) -> Iterator[House]:
    made = House(tmp / "log", **options)
    try:
        yield made
    finally:
        made.close()
        for number in made.watch.signals:
            signal.signal(number, signal.SIG_DFL)
    assert made.faults == []


def test_they_run_when_the_first_generation_serves(tmp_path: Path) -> None:
    with house(
        tmp_path, hook_master_start=(f"exec:echo one > {tmp_path}/out", "alarm:mail up")
    ) as supervisor:
        assert not (tmp_path / "out").exists()
        supervisor.serve()
        assert (tmp_path / "out").read_text() == "one\n"
        assert supervisor.did == [("alarm", "mail", "up")]


def test_a_failure_at_the_start_ends_the_server(tmp_path: Path) -> None:
    with house(tmp_path, hook_master_start=("exec:exit 3", "alarm:never comes")) as supervisor:
        supervisor.serve()
        why = 'hook-master-start: "exec:exit 3": exit status 3'
        assert supervisor.did == [("stop", why, True), ("code", 1)]


def test_a_failure_after_a_reload_is_only_told(tmp_path: Path) -> None:
    with house(tmp_path) as supervisor:
        supervisor.serve()
        supervisor.generation("graceful", hook_master_start=("exec:exit 3",))
        assert supervisor.did == [] and '"exec:exit 3": exit status 3' in supervisor.text()


def test_a_reload_ends_the_old_master_and_begins_the_new(tmp_path: Path) -> None:
    out = tmp_path / "out"
    old = {"exec_as_user_atexit": (f"echo old >> {out}",), "hook_master_start": (f"appendn:{out} first",)}
    with house(tmp_path, **old) as supervisor:
        supervisor.serve()
        supervisor.generation(
            "graceful",
            hook_master_start=(f"appendn:{out} new",),
            exec_as_user_atexit=(f"echo later >> {out}",),
        )
        assert out.read_text() == "first\nold\nnew\n"
        supervisor.generation("brutal")
        assert out.read_text() == "first\nold\nnew\nlater\n"


def test_a_chain_reload_only_sets_signals(tmp_path: Path) -> None:
    started = (f"appendn:{tmp_path}/out no", "unix_signal:23 reap_them_all")
    with house(tmp_path) as supervisor:
        supervisor.serve()
        supervisor.generation("chain", hook_master_start=started, hook_as_user_atexit=("alarm:a b",))
        os.kill(os.getpid(), 23)
        supervisor.turn()
        assert supervisor.did == [("reload", "SIGURG", "brutal")]
        assert not (tmp_path / "out").exists()


def test_signals_mean_what_is_said_until_the_next_generation(tmp_path: Path) -> None:
    meanings = ("unix_signal:23 grace_them_all", "unix_signal:28 stats", "unix_signal:30 end_me")
    with house(tmp_path, hook_master_start=meanings[:2]) as supervisor:
        supervisor.serve()
        os.kill(os.getpid(), 23)
        supervisor.turn()
        assert supervisor.did == [("reload", "SIGURG", "graceful")]
        supervisor.generation("graceful")
        os.kill(os.getpid(), 23)
        supervisor.turn()
        assert supervisor.did == [("reload", "SIGURG", "graceful")]
        supervisor.generation("graceful", hook_master_start=meanings[2:])
        assert "'halt' is a worker's own (hook-accepting)" in supervisor.text()


def test_signals_have_their_meaning_before_anything_serves(tmp_path: Path) -> None:
    with house(tmp_path, hook_master_start=("exec:sleep 5", "unix_signal:34 kill_them_all")) as supervisor:
        os.kill(os.getpid(), 34)
        supervisor.turn()
        assert supervisor.did == [("stop", "SIGRTMIN", True)]


def test_term_as_in_containers(tmp_path: Path) -> None:
    with house(tmp_path, hook_master_start=("unix_signal:15 gracefully_kill_them_all",)) as supervisor:
        supervisor.hooks.commands.install(supervisor.watch)
        supervisor.serve()
        assert supervisor.hooks.meanings == {}  # it has that meaning
        os.kill(os.getpid(), signal.SIGTERM)
        supervisor.turn()
        assert supervisor.did == [("stop", "SIGTERM", False)]


def test_a_second_signal_that_stops_is_urgent_by_any_number(tmp_path: Path) -> None:
    with house(tmp_path, hook_master_start=("unix_signal:23 gracefully_kill_them_all",)) as supervisor:
        supervisor.serve()
        os.kill(os.getpid(), 23)
        supervisor.turn(0.25)
        os.kill(os.getpid(), 23)
        supervisor.turn()
        assert [did[2] for did in supervisor.did] == [False, True]


def test_a_signal_that_python_has_no_name_for(tmp_path: Path) -> None:
    with house(tmp_path, hook_master_start=("unix_signal:40 grace_them_all",)) as supervisor:
        os.kill(os.getpid(), 40)
        supervisor.turn()
        assert supervisor.did == [("reload", "SIGRTMIN+6", "graceful")]


def test_where_one_serves_already_there_is_no_start(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with house(
        tmp_path, generation=1, hook_master_start=(f"appendn:{out} start",),
        hook_as_user_atexit=(f"appendn:{out} end",),
    ) as supervisor:  # fmt: skip
        supervisor.serve()  # as after a takeover, which reloads then
        supervisor.generation(
            "graceful", hook_master_start=(f"appendn:{out} start",), hook_as_user_atexit=("print:x",)
        )
        assert out.read_text() == "end\nstart\n"


def test_what_runs_at_the_end_is_killed_with_all_that_it_has_started(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    command = f"exec:sleep 60 & echo $! > {pid}; wait"
    with house(tmp_path, hook_master_start=(command,)) as supervisor:
        for call in supervisor.on_serving:
            call()
        for _ in range(500):
            if pid.exists() and pid.read_text():
                break
            supervisor.turn(0.01)
        for call in (*supervisor.on_stop, *supervisor.on_drained):
            call()
        for _ in range(500):
            if not supervisor.children and not alive(int(pid.read_text())):
                break
            supervisor.turn(0.01)
        assert not alive(int(pid.read_text())) and supervisor.children == {}


def test_a_touched_file(tmp_path: Path) -> None:
    with house(tmp_path) as supervisor:
        supervisor.serve()
        supervisor.hooks.touched(f"/some/file writen:{tmp_path}/out hello")
        supervisor.hooks.touched("/some/file callint:uwsgi_reload_workers 0")
        supervisor.hooks.touched("/some/file exit:9")
        supervisor.settle()
        assert (tmp_path / "out").read_text() == "hello\n"
        assert supervisor.did == [
            ("reload", "call:uwsgi_reload_workers 0", "workers"), ("stop", "exit:9", True), ("code", 9),
        ]  # fmt: skip


def test_at_the_end_nothing_more_is_begun(tmp_path: Path) -> None:
    with house(tmp_path, hook_master_start=("exec:true", "alarm:never comes")) as supervisor:
        for call in supervisor.on_serving:
            call()
        for call in supervisor.on_stop:
            call()
        supervisor.turn(0.2)
        assert supervisor.did == [] and supervisor.children == {}
