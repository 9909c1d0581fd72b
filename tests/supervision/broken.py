"""Deploys that are broken, under load: the old code serves on, nobody notices, and the operator is told what
is wrong and where; then the mended deploy is taken.

``python -m tests.supervision.broken``
"""

import argparse
import re
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.nginx import PROGRAM
from tests.supervision.load import Load
from tests.supervision.place import Place, running
from tests.supervision.proc import wait_until
from tests.supervision.reloads import changed_over
from tests.supervision.scene import Scene, parser, perform
from tests.supervision.wire import Kind

TIMEOUT = 3  # seconds: start-timeout
WARM = "/id/0?size=100"


@dataclass(frozen=True)
class Deploy:
    """``code`` at the end of the module that a deploy changes, or ``ini`` lines at the end of the
    configuration; ``log``: what must be in the log, each a pattern."""

    name: str
    log: tuple[str, ...]
    code: str = ""
    ini: str = ""


DEPLOYS = (
    Deploy("a syntax error", (r"SyntaxError", r"mark\.py"), code="def broken(:\n    pass"),
    Deploy("an error at import", (r"ZeroDivisionError", r"mark\.py\", line \d+"), code="1 / 0"),
    Deploy("a module that is missing", (r"No module named 'nowhere_to_be_found'", r"mark\.py"),
           code="import nowhere_to_be_found"),
    Deploy("an import that hangs", (rf"start-timeout \({TIMEOUT} s\)",), code="import time; time.sleep(99)"),
    Deploy("an import that spins", (rf"start-timeout \({TIMEOUT} s\)",), code="while True: pass"),
    Deploy("an import that ends the process", (r"exit status 1\b",), code="import os; os._exit(1)"),
    Deploy("an import that exits", (r"SystemExit|exit status 3",), code="raise SystemExit(3)"),
    Deploy("an import that crashes", (r"SIGSEGV",), code="import os; os.kill(os.getpid(), 11)"),
    Deploy("a configuration with an error", (r"app\.ini:\d+", r"threads"), ini="threads = many"),
    Deploy("a configuration that is no file any more", (r"app\.ini",), ini="\0gone"),
)  # fmt: skip


def spoil(place: Place, deploy: Deploy, number: int) -> None:
    """Put it there."""
    ini = place.folder / "app.ini"
    if deploy.ini.startswith("\0"):
        ini.rename(ini.with_suffix(".away"))
    elif deploy.ini:
        ini.write_text(f"{place.extra['ini']}{deploy.ini}\n")
    place.site.deploy(number, deploy.code)


def mend(place: Place, number: int) -> None:
    """Put something good there."""
    (place.folder / "app.ini").write_text(place.extra["ini"])
    place.site.deploy(number)


def log_has(place: Place, since: int, patterns: tuple[str, ...]) -> bool:
    """Whether all are in what was logged since then."""
    said = place.text()[since:]
    return all(re.search(pattern, said) for pattern in patterns)


def refuse(scene: Scene, place: Place, deploy: Deploy, number: int) -> None:
    """One broken deploy, once by HUP and once by ctl: nothing changes but the log."""
    crew = place.crew()
    spoil(place, deploy, number)
    since = len(place.text())
    place.send(signal.SIGHUP)
    try:
        wait_until(lambda: log_has(place, since, deploy.log), TIMEOUT + 15)
    except TimeoutError:
        said = place.text()[since:]
        scene.check(False, f"{deploy.name}: the log has not {deploy.log}:\n{said[-1500:]}")
    wait_until(lambda: len(place.prototypes()) == 1, 10, f"{deploy.name}: its prototype lives on")
    done = place.ctl("reload")
    scene.check(done.returncode != 0, f"{deploy.name}: ctl reload has exit status 0")
    said = done.stdout + done.stderr
    # What only the warm-up has met is known by its answer; the traceback is in the log.
    told = any(re.search(pattern, said) for pattern in (*deploy.log, r"warmup \S+: the answer was 5\d\d"))
    scene.check(told, f"{deploy.name}: ctl reload does not say what is wrong: {said[-600:]!r}")
    scene.check(place.crew() == crew, f"{deploy.name}: the workers are others")
    status = place.status()["last_reload"]
    scene.check(not status["ok"], f"{deploy.name}: status says that the last reload was well")
    scene.tell(f"{deploy.name}: refused by both, exit status {done.returncode}")


def accept(scene: Scene, place: Place, number: int) -> None:
    """The mended one is taken."""
    mend(place, number)
    old = place.crew()
    done = place.ctl("reload")
    scene.check(done.returncode == 0, f"the mended deploy is not taken: {done.stdout}{done.stderr}")
    wait_until(lambda: changed_over(place, old), 30, "the mended deploy's workers did not come")


def play(scene: Scene, given: argparse.Namespace) -> None:
    """All of them, one after the other, each followed by a good one."""
    options: dict[str, object] = {"start-timeout": TIMEOUT}
    options |= {"warmup": WARM} if given.warmup else {}
    with running(
        scene.folder / "site", given.site, front=PROGRAM is not None, options=options, eager=not given.warmup
    ) as place:
        place.extra["ini"] = (place.folder / "app.ini").read_text()
        number, turns = 1, []
        with Load(place.lanes(), scene.folder, rate=given.rate) as load:
            load.wait_for(20)
            for deploy in DEPLOYS:
                refuse(scene, place, deploy, number + 1)
                turns.append((time.monotonic(), number))
                accept(scene, place, number + 2)
                number += 2
            time.sleep(0.5)
        scene.count(load)
        spread = {record.generation for record in load.records() if record.kind == Kind.OK}
        good = set(range(1, number + 1, 2))
        scene.check(spread == good, f"generations {sorted(spread)} have answered, not {sorted(good)}")
        scene.put(deploys=len(DEPLOYS))
        scene.check(place.ends() == 0, "the server's exit status is not 0")
    Path(scene.folder / "log").write_text(place.text())


def words() -> argparse.ArgumentParser:
    """The command line."""
    made = parser("broken", __doc__)
    made.add_argument("--rate", type=float, default=200.0)
    made.add_argument("--site", choices=("plain", "django"), default="django")
    made.add_argument("--warmup", action="store_true", help="what is broken is met by the warm-up only")
    return made


if __name__ == "__main__":
    sys.exit(perform("broken", play, words()))
