"""How a vassal is run: its words, its environment, its rights, its descriptors."""

import json
import os
import pwd
from pathlib import Path
from typing import Any

import pytest

from penstock.process.emperor.scan import Found, Realm
from penstock.process.emperor.spawn import errand_of, groups_of, more_environ, words_of
from penstock.process.emperor.vassal import Vassal
from penstock.process.isolation import kernel
from penstock.process.isolation.rights import permitted
from tests.e2e.daemons import open_folder
from tests.process.emperor.throneroom import put, room, settings

LOYAL = 17


def words(name: str, folder: Path, helper: int = 0, **options: Any) -> list[str]:
    found = Found(name, 0, (0, 0), 0, 0)
    return words_of(settings(folder, **options), Vassal(Realm(0, str(folder)), found, helper=helper))


def test_the_words_are_in_uwsgis_order(tmp_path: Path) -> None:
    assert words(
        "a.ini", tmp_path,
        vassals_inherit=["i1", "i2"], vassals_include=["n"], vassals_set=["k=v", "flag"],
        vassals_inherit_before=["ib"], vassals_include_before=["nb"],
    ) == [
        *("--inherit", "ib", "--include", "nb", "--set", "k=v", "--set", "flag", "--ini", "a.ini"),
        *("--inherit", "i1", "--inherit", "i2", "--include", "n"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "option"),
    [("a.xml", "--xml"), ("a.yml", "--yaml"), ("a.yaml", "--yaml"), ("a.js", "--json"), ("a.json", "--json"),
     ("a.toml", "--config"), ("a.other.ini", "--ini"), ("a.conf", "--config")],
)  # fmt: skip
def test_the_option_follows_the_ending(name: str, option: str, tmp_path: Path) -> None:
    assert words(name, tmp_path, emperor_extra_extension=[".toml", ".conf"]) == [option, name]


def test_a_helper_reads_its_own_section(tmp_path: Path) -> None:
    assert words("a.ini", tmp_path, helper=2) == ["--ini", "a.ini:zerg"]


def test_a_file_that_is_a_program_is_run(tmp_path: Path) -> None:
    (tmp_path / "a.ini").touch(0o755)
    (tmp_path / "b.ini").touch(0o644)
    assert words("a.ini", tmp_path) == ["--ini", "a.ini"]
    assert words("a.ini", tmp_path, emperor_magic_exec=True) == ["--ini", "exec://./a.ini"]
    if os.getuid():  # root may execute nothing without the bit either
        assert words("b.ini", tmp_path, emperor_magic_exec=True) == ["--ini", "b.ini"]


def seen(tmp_path: Path, **options: Any) -> dict[str, Any]:
    """How a stand-in was run."""
    told = tmp_path / "seen"
    put(tmp_path, "a.ini", f"record {told}", f"say {LOYAL}")
    with room(tmp_path, **options) as emperor:
        emperor.look_until(lambda: emperor.pids() and emperor.vassal("a.ini").loyal)
    found: dict[str, Any] = json.loads(told.read_text())
    return found


def test_it_has_its_folder_a_session_a_pipe_and_nothing_else(tmp_path: Path) -> None:
    with (tmp_path / "open").open("w") as leak:
        os.set_inheritable(leak.fileno(), True)
        found = seen(tmp_path)
    assert found["cwd"] == str(tmp_path / "vassals") and found["session"]
    assert found["argv"] == ["--ini", "a.ini"]
    assert found["open"] == 1 and found["stdin"] == "/dev/null"
    assert found["env"]["UWSGI_VASSALS_DIR"] == str(tmp_path / "vassals")
    assert int(found["env"]["UWSGI_EMPEROR_FD"]) > 2


def test_a_start_hook_runs_before_with_the_name(tmp_path: Path) -> None:
    hook = tmp_path / "hook"
    hook.write_text(f'#!/bin/sh\necho "$UWSGI_VASSALS_DIR $1 $PWD" > {tmp_path}/hooked; exit 3\n')
    hook.chmod(0o755)
    seen(tmp_path, vassals_start_hook=str(hook))
    folder = tmp_path / "vassals"
    assert (tmp_path / "hooked").read_text() == f"{folder} a.ini {folder}\n"


def test_hooks_of_a_vassal_and_of_its_emperor(tmp_path: Path) -> None:
    by_emperor = tmp_path / "emperor"
    found = seen(
        tmp_path,
        hook_as_vassal=["putenv:UWSGI_FROM_HOOK=yes"],
        exec_as_vassal=[f"echo $UWSGI_EMPEROR_FD > {tmp_path}/vassal"],
        exec_as_emperor=[f"echo $UWSGI_VASSAL_CONFIG $UWSGI_VASSAL_PID > {by_emperor}.new; "
                         f"mv {by_emperor}.new {by_emperor}"],
    )  # fmt: skip
    assert found["env"]["UWSGI_FROM_HOOK"] == "yes"
    assert (tmp_path / "vassal").read_text().strip() == found["env"]["UWSGI_EMPEROR_FD"]


def test_the_emperors_hook_is_told_of_its_vassal(tmp_path: Path) -> None:
    told = tmp_path / "hooked"
    put(tmp_path, "a.ini", f"say {LOYAL}")
    command = f"echo $UWSGI_VASSAL_CONFIG $UWSGI_VASSAL_PID > {told}.new; mv {told}.new {told}"
    with room(tmp_path, exec_as_emperor=[command]) as emperor:
        emperor.look_until(told.exists)
        assert told.read_text() == f"a.ini {emperor.vassal('a.ini').pid}\n"


def test_a_hook_that_fails_keeps_a_vassal_from_starting(tmp_path: Path) -> None:
    put(tmp_path, "a.ini", f"say {LOYAL}")
    with room(tmp_path, exec_as_vassal=["exit 7"]) as emperor:
        emperor.look_until(lambda: "vassal a.ini has ended: exit status 1" in emperor.text())


def test_wrappers_before_and_behind(tmp_path: Path) -> None:
    (tmp_path / "first").write_text(
        f'#!/bin/sh\necho "$0 $@" > {tmp_path}/used; exec {tmp_path}/standin "$@"\n'
    )
    (tmp_path / "first").chmod(0o755)
    seen(tmp_path, emperor_wrapper_override=[f"{tmp_path}/none", f"{tmp_path}/first"])
    assert (tmp_path / "used").read_text() == f"{tmp_path}/first --ini a.ini\n"
    (tmp_path / "used").unlink()
    seen(tmp_path, emperor_wrapper=f"{tmp_path}/none", emperor_wrapper_fallback=[f"{tmp_path}/first"])
    assert (tmp_path / "used").exists()


def test_where_no_program_can_be_run_it_is_exiled(tmp_path: Path) -> None:
    put(tmp_path, "a.ini")
    with room(tmp_path, emperor_wrapper=f"{tmp_path}/none") as emperor:
        emperor.look_until(lambda: "vassal a.ini has ended: exit status 26" in emperor.text())


def test_a_tyrant_makes_it_its_owners() -> None:
    if os.getuid():
        pytest.skip("needs root")
    with open_folder() as folder:
        script = folder / "who"
        script.write_text(f"#!/bin/sh\necho $(id -u) $(id -g) $(id -G) > {folder}/told\n")
        script.chmod(0o755)
        folder.chmod(0o777)
        os.chown(put(folder, "a.ini"), 1001, 1002)
        told = folder / "told"
        with room(folder, emperor_tyrant=True, emperor_wrapper=str(script)) as emperor:
            emperor.look_until(lambda: told.exists() and told.read_text())
            assert told.read_text() == "1001 1002 1002\n"


@pytest.mark.parametrize("its_own", [True, False])
def test_a_tyrants_vassal_has_the_groups_of_its_user_when_asked_for(tmp_path: Path, its_own: bool) -> None:
    entry = pwd.getpwuid(os.getuid())
    groups = tuple(os.getgrouplist(entry.pw_name, entry.pw_gid)) if its_own else ()
    one = Vassal(Realm(0, str(tmp_path)), Found("a.ini", 0, (0, 0), entry.pw_uid, entry.pw_gid))
    given = settings(tmp_path, emperor_tyrant=True, emperor_tyrant_initgroups=its_own)
    assert groups_of(errand_of(given, one)) == groups


def test_a_tyrant_starts_none_as_root_and_another_owners_is_another_vassal(tmp_path: Path) -> None:
    if os.getuid():
        pytest.skip("needs root")
    file = put(tmp_path, "a.ini", f"say {LOYAL}")
    with room(tmp_path, emperor_tyrant=True) as emperor:
        emperor.look()
        emperor.look()
        assert not emperor.court.vassals and emperor.text().count("its file is root's") == 1
        os.chown(file, 1001, 0)
        emperor.look()
        assert not emperor.court.vassals
        os.chown(file, 1001, 1001)
        emperor.look_until(lambda: emperor.has("a.ini"))
        os.chown(file, 1003, 1001)
        emperor.look_until(lambda: emperor.has("a.ini") and emperor.vassal("a.ini").found.uid == 1003)
        assert "its file has changed hands" in emperor.text()


def test_capabilities_that_a_vassal_can_have_at_most(tmp_path: Path) -> None:
    if os.getuid():
        pytest.skip("needs root")
    found = seen(tmp_path, emperor_cap="setgid,setuid,net_bind_service")
    assert int(found["bounding"], 16) == 1 << 6 | 1 << 7 | 1 << 8 | 1 << 10  # and setpcap, as in uWSGI


def test_a_tyrants_vassal_knows_which_file_must_be_its_own(tmp_path: Path) -> None:
    one = Vassal(Realm(0, str(tmp_path)), Found("a.ini", 0, (0, 0), 1, 1))
    for options, guarded in (
        ({}, False),
        ({"emperor_tyrant": True}, True),
        ({"emperor_tyrant": True, "emperor_tyrant_nofollow": True}, False),
        ({"emperor_tyrant": True, "emperor_nofollow": True}, False),
    ):
        more = more_environ(errand_of(settings(tmp_path, **options), one), 5)
        assert more.get("PENSTOCK_OWNED") == ("a.ini" if guarded else None)


def test_a_tyrant_runs_no_program_that_a_link_leads_to(tmp_path: Path) -> None:
    (tmp_path / "a.ini").touch(0o755)
    (tmp_path / "b.ini").symlink_to("a.ini")
    assert words("b.ini", tmp_path, emperor_magic_exec=True) == ["--ini", "exec://./b.ini"]
    assert words("b.ini", tmp_path, emperor_magic_exec=True, emperor_tyrant=True) == ["--ini", "b.ini"]
    assert words("a.ini", tmp_path, emperor_magic_exec=True, emperor_tyrant=True)[1] == "exec://./a.ini"


def test_what_root_inherits_is_bounded_too(tmp_path: Path) -> None:
    if os.getuid():
        pytest.skip("needs root")
    held = permitted()
    kernel.set_capabilities(held, held, held)
    try:
        found = seen(tmp_path, emperor_cap="setgid,setuid,net_bind_service")
    finally:
        kernel.set_capabilities(held, held, ())
    assert int(found["permitted"], 16) == 1 << 6 | 1 << 7 | 1 << 8 | 1 << 10
