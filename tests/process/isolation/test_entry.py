"""The stations of a start, each in a process of its own: what is done at which, and who we are afterwards."""

from pathlib import Path

import pytest

from tests.process.isolation.alone import ROOT, needs, ran

MOUNTS, PID = 0x00020000, 0x20000000
ENTRY = """
from penstock.process import diaries
from penstock.process.isolation import entry
from penstock.process.standing import Standing
def standing_of(**options):
    settings = settings_of(**options)
    it = Standing(settings, diaries.open_diary(settings))
    it.claim()
    return settings, it
"""


def test_in_a_new_pid_namespace_we_know_our_number(tmp_path: Path) -> None:
    needs(MOUNTS | PID)
    script = """
settings, it = standing_of(unshare="pid,fs", pidfile=sys.argv[1], pidfile2=sys.argv[1] + "2")
outside = os.getpid()
entry.before_sockets(settings, it)
it.dropped()
named = [open(sys.argv[1] + end).read() == f"{outside}\\n" for end in ("", "2")]
print(os.getpid(), it.diary.pid, it.number == outside, named, len(it.pidfiles), flush=True)
it.end()
os._exit(0)
"""
    assert ran(ENTRY + script, tmp_path / "pid") == "2 2 True [True, True] 1"


@ROOT
@pytest.mark.parametrize(
    ("option", "after_sockets", "after_loading"),
    [("umask", 54321, 54321), ("drop_after_init", 54321, 54321), ("drop_after_apps", 0, 54321)],
)
def test_when_we_become_the_user(option: str, after_sockets: int, after_loading: int) -> None:
    value = "22" if option == "umask" else True
    script = f"""
settings, it = standing_of(uid="54321", gid="54322", **{{{option!r}: {value!r}}})
entry.LIBRARIES = ("/",)
entry.before_sockets(settings, it)
print(os.getuid(), end=" ")
entry.after_sockets(settings, it, "")
print(os.getuid(), end=" ")
entry.after_loading(settings, it)
print(os.getuid())
"""
    assert ran(ENTRY + script) == f"0 {after_sockets} {after_loading}"


@ROOT
def test_who_loads_the_application_drops_the_rights_where_that_comes_then() -> None:
    script = """
entry.LIBRARIES = ("/",)
settings, it = standing_of(uid="54321", gid="54322")
entry.loaded_by(settings, it.diary)
print(os.getuid(), end=" ")
settings, it = standing_of(uid="54321", gid="54322", master_as_root=True, cap="kill")
kernel.set_death_signal(15)
entry.loaded_by(settings, it.diary)
print(os.getresuid(), os.getresgid(), kernel.death_signal())
"""
    assert ran(ENTRY + script) == "0 (54321, 54321, 54321) (54322, 54322, 54322) 15"


@ROOT
def test_a_root_that_comes_late_is_entered_with_the_folder() -> None:
    script = """
for late in ({"chown_socket": "0:0"}, {"drop_after_init": True}):
    settings, it = standing_of(chroot="/", chdir="/usr", **late)
    entry.before_sockets(settings, it)
    os.chdir("/usr")
    entry.after_sockets(settings, it, "")
    print(os.getcwd(), end=" ")
settings, it = standing_of(chroot="/", chdir="/usr")
entry.before_sockets(settings, it)
print(os.getcwd())
"""
    assert ran(ENTRY + script) == "/usr /usr /"


@ROOT
def test_a_user_that_cannot_read_python_is_seen() -> None:
    script = """
import tempfile
settings, it = standing_of(uid="54321", gid="54322")
entry.LIBRARIES = (tempfile.mkdtemp(),)
refused(entry.after_sockets, settings, it, "")
"""
    said = ran(ENTRY + script)
    assert said.startswith("refused: uid 54321: it cannot read /") and " imports from" in said
