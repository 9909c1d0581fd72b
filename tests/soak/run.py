"""One soak of one loop: a server, a crowd, and at the end whether everything is as it was before."""

import json
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.server import Server, serving
from tests.e2e.surroundings import TOP, environment
from tests.soak.application import SHARED
from tests.soak.asked import Visit
from tests.soak.crowd import Orders
from tests.soak.watch import Use, Watch, look, odd_lines, open_files
from tests.soak.wire import Gone, Place, Wrong

THREADS = 4
SERVICE = 3  # threads that start when they are first needed
SENDERS = ("anon_inode:[eventfd]", "anon_inode:[eventpoll]")
JUDGED = 180.0  # seconds of a run from which on its memory is judged
OPTIONS = (
    # Whoever looks for the servers of this machine would leave an epoll in this one.
    "--control-socket", "off",
    "--threads", str(THREADS), "--head-timeout", "5", "--body-timeout", "6", "--write-timeout", "8",
    "--keepalive-timeout", "5", "--queue-timeout", "1500ms", "--request-queue", "64",
    "--reply-buffer", "256k", "--reply-spool", "2m", "--gather", "16k", "--shutdown-timeout", "10",
)  # fmt: skip


@dataclass
class Plan:
    """How long, how many, and from which seed; ``slow`` clients need half a minute to be through with."""

    loop: str
    seconds: float
    seed: int
    jobs: int = 1
    clients: int = 24
    slow: bool = True
    nap: float = 1.0


@dataclass
class Soak:
    """A run under way: what its crowds say, and what is wrong."""

    plan: Plan
    server: Server
    shared: Path
    wrongs: list[str] = field(default_factory=list)
    said: dict[int, dict[str, object]] = field(default_factory=dict)

    # ---- The crowd --------------------------------------------------------------------------------

    @property
    def places(self) -> list[Place]:
        kinds = [kind for kind, _ in self.server.listening]
        return [Place(kind, self.server.address(number)) for number, kind in enumerate(kinds)]

    def crowd(self, job: int) -> "subprocess.Popen[str]":
        plan = self.plan
        # HTTP over TCP is where most of the kinds are.
        places = [(kind, address) for kind, address in [self.places[0], *self.places]]
        orders = Orders(places, plan.seconds, plan.clients, f"{plan.seed}/{job}", str(self.shared), plan.slow)
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.soak.crowd", orders.text()],
            stdout=subprocess.PIPE, text=True, cwd=TOP, env=environment(),
        )  # fmt: skip
        threading.Thread(target=self.hear, args=(job, process), daemon=True).start()
        return process

    def hear(self, job: int, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                self.said[job] = json.loads(line)

    @property
    def counts(self) -> Counter[str]:
        total: Counter[str] = Counter()
        for said in self.said.values():
            counts = said["counts"]
            assert isinstance(counts, dict)
            total.update(counts)
        return total

    def load(self, watch: Watch) -> None:
        """The crowd's time, with a line every half minute."""
        crowds = [self.crowd(job) for job in range(self.plan.jobs)]
        begun, told = time.monotonic(), 0.0
        try:
            while any(crowd.poll() is None for crowd in crowds):
                time.sleep(min(1.0, self.plan.seconds / 20))
                if self.server.process.poll() is not None:
                    self.wrongs.append(f"the server died: {self.server.process.returncode}")
                    return
                use = watch.look()
                if time.monotonic() - told >= 30:
                    told = time.monotonic()
                    self.tell(told - begun, use)
        finally:
            for crowd in crowds:
                if crowd.poll() is None:
                    crowd.kill()
                crowd.wait()
        time.sleep(0.1)
        for said in self.said.values():
            wrongs = said["wrongs"]
            assert isinstance(wrongs, list)
            self.wrongs += wrongs
        if any(crowd.returncode for crowd in crowds) or not self.counts["replies"]:
            self.wrongs.append("a crowd failed")

    def tell(self, seconds: float, use: Use) -> None:
        counts = self.counts
        wrong = sum(int(str(said["wrong"])) for said in self.said.values())
        print(
            f"{self.plan.loop:8} {seconds:6.0f} s  {counts['clients']:8} clients  "
            f"{counts['replies']:8} replies  {counts['replies 503']:5} x 503  "
            f"{counts['bytes'] / 1e9:6.2f} GB  rss {use.rss / 1e6:6.1f} MB  "
            f"{use.descriptors:3} descriptors  {use.threads} threads  {wrong} wrong",
            flush=True,
        )

    # ---- After it ---------------------------------------------------------------------------------

    def ask(self, path: str, size: int) -> bytes:
        visit = Visit(self.places[0], random.Random(0))
        ask = visit.ask(path, size)
        with visit.line() as line:
            line.send(visit.bytes_of(ask))
            reply = line.reply()
        if size:
            visit.check(ask, reply)
        return reply.body

    def objects(self) -> Counter[str]:
        """How many objects of each type the server has."""
        pairs = (line.rsplit(" ", 1) for line in self.ask("/objects", 0).decode().splitlines())
        return Counter({name: int(count) for name, count in pairs})

    def settle(self, before: list[str]) -> None:
        """All descriptors are to be given back, when the slowest client's time is over."""
        pid, until = self.server.process.pid, time.monotonic() + 45
        # The thread that sends large files has two for good, from the first such file on.
        good = (before, sorted([*before, *SENDERS]))
        while (now := open_files(pid)) not in good and time.monotonic() < until:
            time.sleep(0.1)
        if now not in good:
            more, less = Counter(now) - Counter(before), Counter(before) - Counter(now)
            self.wrongs.append(f"descriptors: more {dict(more)}, less {dict(less)}")

    def idle(self, before: Use) -> None:
        """Nothing to do: no processor time, no more threads than there may be."""
        first = look(self.server.process.pid)
        time.sleep(self.plan.nap * 3)
        second = look(self.server.process.pid)
        share = (second.cpu - first.cpu) / (self.plan.nap * 3)
        print(f"{self.plan.loop:8} idle: {share:.2%} of a processor, {second.threads} threads", flush=True)
        if share > 0.03:
            self.wrongs.append(f"{share:.1%} of a processor while idle")
        if second.threads > before.threads + SERVICE:
            self.wrongs.append(f"{second.threads} threads, {before.threads} before")

    def all_threads_free(self) -> None:
        nap, begun = self.plan.nap, time.monotonic()
        naps = [threading.Thread(target=self.ask, args=(f"/sleep?n=10&s={nap}", 10)) for _ in range(THREADS)]
        for thread in naps:
            thread.start()
        for thread in naps:
            thread.join()
        took = time.monotonic() - begun
        if took > nap * 1.8 + 0.2:
            self.wrongs.append(f"{THREADS} naps of {nap} s took {took:.2f} s: a thread is held")

    def leave(self) -> None:
        begun = time.monotonic()
        code = self.server.stop()
        took = time.monotonic() - begun
        print(f"{self.plan.loop:8} exit status {code} {took:.1f} s after TERM", flush=True)
        if code or took > 5:
            self.wrongs.append(f"exit status {code} {took:.1f} s after TERM")
        self.wrongs += odd_lines(self.server.text())

    def judge(self, watch: Watch, before: Counter[str], after: Counter[str]) -> None:
        """Memory: what the kernel says, and what Python says."""
        loop = self.plan.loop
        tenths = " ".join(f"{mean / 1e6:.0f}" for mean in watch.means(10))
        print(f"{loop:8} RSS in MB, by tenths of the run: {tenths}", flush=True)
        grown = (after - before).most_common(4)
        more = after.total() - before.total()
        print(f"{loop:8} {more:+} Python objects: {', '.join(f'{n} {c:+}' for n, c in grown)}", flush=True)
        if self.plan.seconds >= JUDGED and (text := watch.grown()):
            self.wrongs.append(text)
        if more > 10_000:
            self.wrongs.append(f"{more} Python objects more than before: {grown}")


def soak(plan: Plan, folder: Path) -> list[str]:
    """Run it; the reasons for which it failed."""
    shared = folder / "shared"
    shared.write_bytes(random.Random(plan.seed).randbytes(3 << 20))
    listeners = (
        "--http-socket", "127.0.0.1:0", "--http-socket", str(folder / f"{plan.loop}.http"),
        "--uwsgi-socket", "127.0.0.1:0", "--uwsgi-socket", str(folder / f"{plan.loop}.uwsgi"),
    )  # fmt: skip
    # What glibc keeps in arenas of threads comes and goes by dozens of megabytes: no leak is seen in it.
    surroundings = environment(**{SHARED: str(shared), "MALLOC_ARENA_MAX": "1"})
    words = (*listeners, *OPTIONS, "--loop", plan.loop, "--access-log", str(folder / f"{plan.loop}.access"))
    with ExitStack() as stack:
        server = stack.enter_context(
            serving(
                folder, *words, app="tests.soak.application:application", listeners=4, expect=None,
                env=surroundings,
            )
        )  # fmt: skip
        run = Soak(plan, server, shared)
        try:
            through(run)
        except (OSError, Gone, Wrong) as error:
            run.wrongs.append(f"after the load: {error!r}")
        run.leave()
    return run.wrongs


def through(run: Soak) -> None:
    """Before, while and after the crowd is there."""
    pid = run.server.process.pid
    for place in run.places:
        visit = Visit(place, random.Random(1))
        with visit.line() as line:
            ask = visit.ask("/plain")
            line.send(visit.bytes_of(ask))
            visit.check(ask, line.reply())
    objects = run.objects()
    time.sleep(0.5)
    files, before, watch = open_files(pid), look(pid), Watch(pid)
    run.load(watch)
    if run.server.process.poll() is not None:
        return
    run.settle(files)
    run.idle(before)
    run.all_threads_free()
    run.judge(watch, objects, run.objects())
    run.tell(run.plan.seconds, look(pid))
