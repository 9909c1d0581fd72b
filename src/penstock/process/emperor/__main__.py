"""An emperor beside a server: ``python -m penstock.process.emperor FD``, the child of its supervisor.

A process of its own, so that neither the supervisor nor a worker has anything to do with vassals. It is told
everything by a file in memory.
"""

import marshal
import os
import signal
import sys
from collections.abc import Sequence

from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.interprocess.inmemory import contents
from penstock.process.daemon import hold_stdio
from penstock.process.diaries import open_diary_at
from penstock.process.emperor.emperor import Emperor, Life
from penstock.process.emperor.reign import ADOPTING, title
from penstock.process.emperor.rites import nobody
from penstock.process.lasting import adopt_orphans, die_with_parent

FAILED = 1


def main(words: Sequence[str]) -> int:
    """Govern until told to stop; returns the exit status."""
    hold_stdio()
    die_with_parent(signal.SIGKILL)
    fd = int(words[0])
    told = marshal.loads(contents(fd))
    os.close(fd)
    if os.getppid() != told["supervisor"]:
        return FAILED
    number, path = told["errors"]
    if number > 2:
        os.set_inheritable(number, False)
    diary = open_diary_at((number, path), None)
    settings = Settings.from_data(told["settings"])
    try:
        adopt_orphans(ADOPTING)
        title(settings, diary.warning)
        return Emperor(settings, diary, told["folder"], Life(nobody, nobody, diary.reopen)).run()
    except (StartError, ValueError) as error:
        diary.error(f"emperor: {error}")
        return FAILED
    finally:
        diary.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
