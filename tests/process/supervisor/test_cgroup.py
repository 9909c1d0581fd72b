"""What cgroups allow, read from trees of files as version 1 and 2 have them."""

from pathlib import Path

import pytest

from penstock.process.supervisor.cgroup import folders, machine_memory, memory, quota

GB, MB = 1 << 30, 1 << 20
UNLIMITED = "9223372036854771712\n"


def tree(root: Path, files: dict[str, str]) -> str:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return str(root)


def test_the_folders_from_our_own_to_the_top(tmp_path: Path) -> None:
    root = tree(tmp_path, {"proc/self/cgroup": "5:cpuacct,cpu:/a/b\n4:memory:/../x\n0::/s.slice/p.service\n"})
    top = f"{root}/sys/fs/cgroup"
    assert list(folders("cpu", root)) == [
        (f"{top}/cpu/a/b", 1), (f"{top}/cpu/a", 1), (f"{top}/cpu", 1),
        (f"{top}/s.slice/p.service", 2), (f"{top}/s.slice", 2), (top, 2),
    ]  # fmt: skip
    assert list(folders("memory", root))[:2] == [(f"{top}/memory/x", 1), (f"{top}/memory", 1)]
    assert list(folders("cpu", str(tmp_path / "nothing"))) == [(f"{tmp_path}/nothing/sys/fs/cgroup", 2)]


@pytest.mark.parametrize(
    ("files", "processors"),
    [
        ({}, 0.0),
        ({"cpu.max": "max 100000\n"}, 0.0),
        ({"cpu.max": "150000 100000\n"}, 1.5),
        # A unit below a slice: the lowest holds, wherever it stands.
        ({"cpu.max": "400000 100000\n", "a/cpu.max": "200000 100000\n", "a/b/cpu.max": "max 100000\n"}, 2.0),
        ({"cpu.max": "nonsense\n"}, 0.0),
        ({"cpu.max": "100000 0\n"}, 0.0),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 0.0),
        ({"cpu/cpu.cfs_quota_us": "50000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 0.5),
        ({"cpu/cpu.cfs_quota_us": "50000\n"}, 0.0),
    ],
)
def test_the_quota(tmp_path: Path, files: dict[str, str], processors: float) -> None:
    files = {f"sys/fs/cgroup/{name}": text for name, text in files.items()}
    root = tree(tmp_path, {"proc/self/cgroup": "3:cpu,cpuacct:/\n0::/a/b\n", **files})
    assert quota(root) == processors


@pytest.mark.parametrize(
    ("files", "allowed"),
    [
        ({}, (0, 0)),
        ({"memory.max": "max\n", "memory.current": "1000\n"}, (0, 0)),
        (
            {
                "memory.max": f"{GB}\n", "memory.current": f"{300 * MB}\n",
                "memory.stat": f"anon 7\ninactive_file {200 * MB}\n",
            },
            (GB, 100 * MB),
        ),
        ({"memory.max": f"{GB}\n"}, (GB, 0)),
        (
            # The slice has more, and less of it is left.
            {
                "memory.max": f"{4 * GB}\n", "memory.current": f"{4 * GB - 50 * MB}\n",
                "a/memory.max": f"{GB}\n", "a/memory.current": f"{100 * MB}\n",
            },
            (4 * GB, 4 * GB - 50 * MB),
        ),
        (
            {
                "memory/memory.limit_in_bytes": f"{GB}\n", "memory/memory.usage_in_bytes": f"{90 * MB}\n",
                "memory/memory.stat": f"inactive_file 1\ntotal_inactive_file {50 * MB}\n",
            },
            (GB, 40 * MB),
        ),
        ({"memory/memory.limit_in_bytes": UNLIMITED, "memory/memory.usage_in_bytes": "5\n"}, (0, 0)),
    ],
)  # fmt: skip
def test_the_memory(tmp_path: Path, files: dict[str, str], allowed: tuple[int, int]) -> None:
    files = {f"sys/fs/cgroup/{name}": text for name, text in files.items()}
    root = tree(tmp_path, {"proc/self/cgroup": "4:memory:/docker/not-in-here\n0::/a\n", **files})
    assert memory(root) == allowed


def test_the_machines_own_memory(tmp_path: Path) -> None:
    text = "MemTotal:        2048 kB\nMemFree:  5 kB\nMemAvailable:    1024 kB\nHugePages_Total:  0\n"
    assert machine_memory(tree(tmp_path, {"proc/meminfo": text})) == (2 * MB, MB)
    assert machine_memory(str(tmp_path / "nothing")) == (0, 0)
    total, used = machine_memory()
    assert 0 <= used <= total
