"""What the logs of a process that serves look like: the format of its access log, and what lines begin with.

Run where a process opens its logs, and where its worker is made. It does not know where they go.
"""

from collections.abc import Callable

from penstock.config.settings import Settings
from penstock.config.values import OFF, ON
from penstock.logs.setup import Diary
from penstock.process import memory


def begin_lines(diary: Diary, settings: Settings) -> None:
    """Have penstock's own lines begin as ``log-date`` or ``log-prefix`` says, or as usual."""
    diary.date = None
    for text in (settings.log_date, settings.log_prefix):
        if text and text.lower() not in OFF:
            diary.dated("" if text.lower() in ON else text)
            return


def format_lines(diary: Diary, settings: Settings, wid: int) -> None:
    """Have the diary make the lines of requests that settings ask for; ``wid`` is the worker's number."""
    if diary.access_sink is None:
        return
    # Not where nobody writes any: a supervisor has the sinks, too.
    from penstock.logs.format import compile_format
    from penstock.logs.house import House

    house = House(max(wid, 1), memory.address_and_resident, memory.proportional_and_own)
    diary.format = compile_format(settings, house)


def count_all(diary: Diary, others: Callable[[], int]) -> None:
    """Have lines count the requests of other workers, too, as uWSGI's do; ``others`` says how many."""
    if diary.format is not None:
        diary.format.house.others = others
