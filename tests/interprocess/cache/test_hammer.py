"""A cache under many threads of several processes, some of which are killed in mid-write: no wrong value."""

import json
import subprocess
import sys
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from penstock.interprocess.cache.store import Store
from tests.interprocess.cache.hammer import KEYS, Blows
from tests.interprocess.cache.stores import Said, proves, store_of

TOP = Path(__file__).parents[3]
DIED = "cache a is empty again: somebody died while changing it"
FORMS = {
    "plain": "name=a,items=24,blocksize=4096",
    "least recently used": "name=a,items=24,blocksize=4096,purge_lru=1",
    "bitmap": "name=a,items=40,blocks=120,blocksize=512,bitmap=1,clear_on_full=1",
}


def beside(store: Store, what: str, text: str, last: int) -> "subprocess.Popen[str]":
    """Another process at the same cache, at work."""
    fd = store.memory.fd
    words = [sys.executable, "-m", "tests.interprocess.cache.hammer", what, text, str(fd), str(last)]
    pipe = subprocess.PIPE
    process = subprocess.Popen(words, cwd=TOP, stdin=pipe, stdout=pipe, text=True, pass_fds=[fd])
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


def outcome(process: "subprocess.Popen[str]", timeout: float = 30) -> dict[str, Any]:
    """What it says at its end."""
    try:
        said, _ = process.communicate("", timeout)
    finally:
        process.kill()
    assert process.returncode == 0
    found: dict[str, Any] = json.loads(said)
    return found


@pytest.mark.parametrize("form", FORMS)
def test_two_processes_of_eight_threads(form: str) -> None:
    text = FORMS[form]
    with store_of(text) as store:
        other = beside(store, "count", text, 1000)
        mine = Blows(store, True)
        threads = mine.threads(1)
        sleep(0.5)
        mine.ending = True
        for thread in threads:
            thread.join(20)
        theirs = outcome(other)
        assert theirs["ended"] and not any(thread.is_alive() for thread in threads)
        assert mine.wrong == theirs["wrong"] == 0 < mine.found * theirs["found"]
        if form == "plain":  # nothing goes there but by expiring and deleting, and ``n`` does neither
            assert store.num(b"n") == mine.counted + theirs["counted"] > 0
        assert store.figures()["emptied"] == 0


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("deaths", [12, pytest.param(100, marks=pytest.mark.slow)])
def test_a_worker_killed_in_mid_write(deaths: int, form: str) -> None:
    """Each time while others read and write; nobody waits for the dead."""
    text = FORMS[form]
    said = Said()
    with store_of(text, said) as store:
        store.lock.patience = 10.0  # the one who is to be killed is stopped before: nobody is to give it up
        killer = beside(store, "die", text, deaths)
        mine = Blows(store, False)
        threads = mine.threads(1, 2)
        assert outcome(killer, 50) == {"killed": deaths}
        mine.ending = True
        for thread in threads:
            thread.join(20)
        assert not any(thread.is_alive() for thread in threads)
        assert mine.wrong == 0 < mine.found
        values = {key: store.get(key) for key in KEYS}
        assert all(value is None or proves(key, value) for key, value in values.items())
        assert deaths // 2 <= int(store.figures()["emptied"]) <= deaths
        assert store.clear() and store.set(b"after", b"all") and store.get(b"after") == b"all"
        assert {line for line in said.lines if "full" not in line} <= {DIED}
