"""The order within a phase, and what a failure means at each."""

import os
from pathlib import Path

import pytest

from penstock.config.option import settings_of
from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.process.hooks import phases
from penstock.process.hooks.actions import Exit

FILL = "/bin/sh"


def settings(**given: tuple[str, ...]) -> Settings:
    return Settings(**given)


def test_hooks_then_mounts_then_commands() -> None:
    made = settings(
        exec_asap=("a b", "c"), umount_asap=("/u",), mount_asap=("t s /m",), hook_asap=("print:x", "!log:y")
    )
    assert [job.shown for job in phases.jobs(made, "asap")] == [
        'hook-asap: "print:x"', "hook-asap: --- PRIVATE HOOK ---", 'mount-asap: "mount:t s /m"',
        'umount-asap: "umount:/u"', 'exec-asap: "exec:a b"', 'exec-asap: "exec:c"',
    ]  # fmt: skip


def test_nothing_is_asked_for_at_most_phases() -> None:
    for phase in phases.PHASES:
        assert phases.jobs(Settings(), phase) == []
        assert phases.run(Settings(), phase, lambda text: pytest.fail(text))


def test_every_phase_has_its_option() -> None:
    for phase in phases.PHASES:
        assert f"hook_{phase.replace('-', '_')}" in settings_of(Settings)
    assert set(phases.PHASES) > phases.FORGIVING


def test_it_says_what_it_does() -> None:
    said: list[str] = []
    made = settings(hook_pre_app=("print:one", "!print:two"))
    assert phases.run(made, "pre-app", said.append)
    assert said == [
        'penstock: hook-pre-app: "print:one"', "one", "penstock: hook-pre-app: --- PRIVATE HOOK ---", "two",
    ]  # fmt: skip


def test_the_first_failure_ends_a_phase(tmp_path: Path) -> None:
    made = settings(hook_asap=("exec:exit 3", f"create:{tmp_path}/never"))
    with pytest.raises(StartError, match='hook-asap: "exec:exit 3": exit status 3'):
        phases.run(made, "asap", lambda text: None)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(StartError, match=f'hook-asap: "unlink:{tmp_path}/none": .*No such file'):
        phases.run(settings(hook_asap=(f"unlink:{tmp_path}/none",)), "asap", lambda text: None)


def test_at_some_phases_a_failure_is_only_told(tmp_path: Path) -> None:
    said: list[str] = []
    made = settings(hook_as_user_atexit=("exec:exit 3",), exec_as_user_atexit=(f"> {tmp_path}/done",))
    assert not phases.run(made, "as-user-atexit", said.append)
    assert 'penstock: hook-as-user-atexit: "exec:exit 3": exit status 3' in said
    assert (tmp_path / "done").exists()


def test_a_private_hook_that_fails_is_not_shown() -> None:
    with pytest.raises(StartError) as caught:
        phases.run(settings(hook_asap=("!exec:: password; exit 3",)), "asap", lambda text: None)
    assert "password" not in str(caught.value)


def test_the_status_that_a_hook_asks_for() -> None:
    for phase in ("asap", "as-user-atexit"):
        made = Settings(**{f"hook_{phase.replace('-', '_')}": ("exit:9",)})
        with pytest.raises(Exit) as caught:
            phases.run(made, phase, lambda text: None)
        assert caught.value.exit_code == 9


def test_the_context_is_the_commands(tmp_path: Path) -> None:
    made = settings(hook_as_on_demand_vassal=(f"exec:echo $UWSGI_HOOK_CONTEXT > {tmp_path}/out",))
    phases.run(made, "as-on-demand-vassal", lambda text: None, context="a.ini")
    assert (tmp_path / "out").read_text() == "a.ini\n"
    assert "UWSGI_HOOK_CONTEXT" not in os.environ


def test_what_a_process_does_its_own_way() -> None:
    heard: list[str] = []
    made = settings(hook_accepting=("unix_signal:23 end_me",))
    phases.run(made, "accepting", lambda text: None, own={"unix_signal": heard.append})
    assert heard == ["23 end_me"]
