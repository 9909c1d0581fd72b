"""What the kernel says of processes, and what is left out where it says nothing."""

import os
import subprocess
import sys

from penstock.process.pages.scrape import cpu_of, descriptors_of, process_of
from penstock.services.exposition import Process
from tests.waiting import until

NOBODY = 1 << 22  # beyond what a process number can be


def test_a_process() -> None:
    found = process_of(os.getpid())
    assert found.pid == os.getpid()
    assert 1 << 20 < found.resident < 1 << 40
    fds = [os.dup(0) for _ in range(50)]
    try:
        assert descriptors_of(os.getpid()) >= found.descriptors + 45
    finally:
        for fd in fds:
            os.close(fd)


def test_processor_time_is_counted_whatever_the_process_is_called() -> None:
    code = "import ctypes; ctypes.CDLL(None).prctl(15, b') 1 (2 3')\nprint(1, flush=True)\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            before = cpu_of(process.pid)
            until(lambda: cpu_of(process.pid) >= before + 0.1, 20)
        finally:
            process.kill()


def test_nobody() -> None:
    assert process_of(NOBODY) == Process(NOBODY, -1, -1, -1.0)
