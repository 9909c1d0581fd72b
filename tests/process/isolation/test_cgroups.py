"""Control groups, in folders that stand for them and, where there is one to make, in the kernel's own."""

import os
from pathlib import Path

import pytest

from penstock.config.assemble import from_keywords
from penstock.core.errors import StartError
from penstock.process.isolation.cgroups import join
from tests.process.isolation.alone import ROOT, ran

REAL = (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup/pids"))


def joined(*options: tuple[str, object]) -> list[str]:
    said: list[str] = []
    settings = from_keywords({"bind": [], **dict(options)}, application=True)
    join(settings, said.append, lambda text: said.append(f"warning: {text}"))
    return said


@ROOT
@pytest.mark.parametrize(("file", "member"), [("cgroup.procs", "0"), ("tasks", "")])
def test_the_process_is_written_where_members_are(tmp_path: Path, file: str, member: str) -> None:
    member = member or str(os.getpid())
    for name in (file, "memory.max", "cpu.weight"):
        (tmp_path / name).touch()
    options = ["memory.max=1G", "cpu.weight:50", "pids.max=5"]
    said = joined(("cgroup", [str(tmp_path)]), ("cgroup_opt", options), ("cgroup_dir_mode", "750"))
    assert (tmp_path / file).read_text() == f"{member}\n"
    assert (tmp_path / "memory.max").read_text() == "1G\n"
    assert (tmp_path / "cpu.weight").read_text() == "50\n"
    assert not (tmp_path / "pids.max").exists()
    assert tmp_path.stat().st_mode & 0o777 == 0o750
    assert said == [
        f"process {os.getpid()} is in the cgroup {tmp_path}",
        f"cgroup-opt: {tmp_path}/memory.max is 1G",
        f"cgroup-opt: {tmp_path}/cpu.weight is 50",
        f"warning: cgroup-opt pids.max=5: {tmp_path} has no such file",
    ]


@ROOT
def test_what_is_no_control_group_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    with pytest.raises(StartError, match=r"^cgroup .*/made: the kernel keeps no control group there$"):
        joined(("cgroup", [str(folder)]))
    assert folder.stat().st_mode & 0o777 == 0o700
    with pytest.raises(StartError, match=r"^cgroup .*/no/such: No such file or directory$"):
        joined(("cgroup", [str(tmp_path / "no" / "such")]))


@ROOT
def test_a_group_of_the_kernels() -> None:
    for top in REAL:
        folder = top / f"penstock-test-{os.getpid()}"
        try:
            folder.mkdir()
        except OSError:
            continue
        if (folder / "cgroup.procs").exists():
            break
        folder.rmdir()
    else:
        pytest.skip("no control group can be made here")
    folder.rmdir()
    script = f"""
from penstock.process.isolation.cgroups import join
join(settings_of(cgroup=[{str(folder)!r}]), said.append, said.append)
print(str(os.getpid()) in open({str(folder / "cgroup.procs")!r}).read().split())
"""
    try:
        assert ran(script) == "True"
    finally:
        folder.rmdir()


@ROOT
def test_others_than_root_leave_it(tmp_path: Path) -> None:
    script = f"""
from penstock.process.isolation.cgroups import join
settings = settings_of(cgroup=[{str(tmp_path / "made")!r}])
os.setgroups([]); os.setgid(54322); os.setuid(54321)
join(settings, said.append, said.append)
print(said)
"""
    assert ran(script) == "[]"
    assert not (tmp_path / "made").exists()
