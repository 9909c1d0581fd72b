"""What a server process uses, over time, and whether that is flat; and what its log may say."""

import os
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
ALLOWED = re.compile(
    "|".join(
        (
            r"^penstock: ",
            r"penstock: penstock \d",
            r"penstock: SIGTERM: finishing",
            r"penstock error: \w+ /fail-\w+\?\S+: ValueError from the application",
            r"penstock warning: running as root: ",
            r"penstock warning: \S+: \S+ refused: ",
            r"penstock warning: .*: cut: it does not read its reply",
            r"penstock warning: .*: the request (body|head) did not come in time",
            r"penstock warning: .*: the client closed the connection before the body was complete",
            r"penstock warning: GET /over\?\S+: the body was \d+ bytes longer",
            r"penstock warning: GET /short\?\S+: the body ended \d+ bytes before",
        )
    )
)
OURS = re.compile(r"^([\d-]+ [\d:]+ )?penstock\b")


@dataclass
class Use:
    """One look at a process: seconds of processor time, bytes, counts."""

    cpu: float
    rss: int
    descriptors: int
    threads: int


def look(pid: int) -> Use:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    status = Path(f"/proc/{pid}/status").read_text()
    rss = int(status.partition("VmRSS:")[2].split()[0]) * 1024
    return Use((int(words[11]) + int(words[12])) / TICKS, rss, len(open_files(pid)), int(words[17]))


def open_files(pid: int) -> list[str]:
    """What its descriptors are, sockets and pipes without their numbers."""
    found = []
    for path in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.append(re.sub(r":\[\d+\]", "", os.readlink(path)))
        except OSError:
            pass  # closed meanwhile
    return sorted(found)


@dataclass
class Watch:
    """Looks at a process once in a while."""

    pid: int
    began: float = field(default_factory=time.monotonic)
    looks: list[tuple[float, Use]] = field(default_factory=list)

    def look(self) -> Use:
        use = look(self.pid)
        self.looks.append((time.monotonic() - self.began, use))
        return use

    def means(self, parts: int) -> list[float]:
        """The mean RSS, in bytes, of each part of the run."""
        if not self.looks:
            return []
        end = self.looks[-1][0] or 1.0
        sums: list[list[int]] = [[] for _ in range(parts)]
        for at, use in self.looks:
            sums[min(int(at / end * parts), parts - 1)].append(use.rss)
        return [sum(part) / len(part) for part in sums if part]

    def grown(self) -> str:
        """Why the memory is not flat, or nothing: the last third against the middle one."""
        thirds = self.means(3)
        if len(thirds) < 3:
            return ""
        more = thirds[2] - thirds[1]
        if more <= max(0.05 * thirds[1], 8 << 20):
            return ""
        return f"RSS grew by {more / 1e6:.1f} MB from the middle third to the last ({thirds[1] / 1e6:.1f} MB)"


def odd_lines(text: str) -> list[str]:
    """What a log says that it should not, each kind once with its number."""
    odd: Counter[str] = Counter()
    for line in text.splitlines():
        if OURS.search(line) and not ALLOWED.search(line):
            odd[re.sub(r"[0-9a-f]{16}|\d+", "#", line)[:200]] += 1
    unplanned = text.count("Traceback (most recent") - text.count("ValueError: planned")
    if unplanned:
        odd["tracebacks that were not planned"] = unplanned
    return [f"{count} x {line}" for line, count in odd.most_common(10)]
