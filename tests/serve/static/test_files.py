"""What is remembered of files: a change is seen within a moment, and what is kept is bounded."""

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from penstock.core.errors import Disconnected
from penstock.serve.static.entry import SMALL, Changed, Entry
from penstock.serve.static.files import Files, make_files
from penstock.serve.static.memory import BYTES, COUNT, LONGEST, Memory
from penstock.serve.static.roots import LOOK
from tests.serve.static.sites import OPENERS, Said, asked, content, files_of, write

MOMENT = LOOK + 0.01


@pytest.fixture
def site(tmp_path: Path) -> Path:
    write(tmp_path / "site" / "x.txt", b"first")
    return tmp_path / "site"


def old(entry: Entry | None) -> Entry:
    """As if the file had not been changed for long."""
    assert entry is not None
    entry.settled = True
    return entry


def shown(files: Files, path: str) -> bytes | None:
    """What a request would be answered with at this moment."""
    found = files.find(asked(path))
    return None if found is None else found.small


# ---- Changes are seen --------------------------------------------------------------------------------


@pytest.mark.parametrize("opener", OPENERS)
def test_nothing_is_asked_of_the_system_for_a_moment(opener: str, site: Path) -> None:
    files = files_of(opener, check_static=(str(site),))
    first = files.find(asked("/x.txt"))
    assert files.find(asked("/x.txt")) is first
    assert first is not None and first.small == b"first" and first.path == str(site / "x.txt")
    assert (first.name, first.size, first.mtime) == ("x.txt", 5, int((site / "x.txt").stat().st_mtime))


@pytest.mark.parametrize("opener", OPENERS)
def test_a_file_that_is_the_same_stays_its_entry(opener: str, site: Path) -> None:
    files = files_of(opener, check_static=(str(site),))
    first = old(files.find(asked("/x.txt")))
    time.sleep(MOMENT)
    assert files.find(asked("/x.txt")) is first


@pytest.mark.parametrize("opener", OPENERS)
@pytest.mark.parametrize("keep", [0.0, 60.0])
def test_every_kind_of_change_is_seen(opener: str, keep: float, site: Path) -> None:
    files = files_of(opener, check_static=(str(site),), static_cache_paths=keep)
    path = site / "x.txt"

    def replace() -> None:
        write(site / "new", b"other")
        os.rename(site / "new", path)

    def in_place() -> None:
        with open(path, "r+b") as file:
            file.write(b"OTHER")

    def longer() -> None:
        path.write_bytes(b"longer than it was")

    def relink() -> None:
        write(site / "target", b"linked")
        path.unlink()
        path.symlink_to("target")

    old(files.find(asked("/x.txt")))
    for change, then in ((replace, b"other"), (in_place, b"OTHER"), (longer, b"longer than it was")):
        change()
        time.sleep(MOMENT)
        assert shown(files, "/x.txt") == then
        old(files.find(asked("/x.txt")))
    relink()
    time.sleep(MOMENT)
    assert shown(files, "/x.txt") == b"linked"
    path.unlink()
    time.sleep(MOMENT)
    assert shown(files, "/x.txt") is None


def test_two_changes_within_one_tick_are_two(site: Path) -> None:
    """Same length, same inode, and the clock of the file system may not have moved."""
    files = files_of("walk", check_static=(str(site),))
    path = site / "x.txt"
    stamps = path.stat()
    assert shown(files, "/x.txt") == b"first"
    first = files.find(asked("/x.txt"))
    assert first is not None and not first.settled
    with open(path, "r+b") as file:
        file.write(b"FIRST")
    os.utime(path, ns=(stamps.st_atime_ns, stamps.st_mtime_ns))
    time.sleep(MOMENT)
    assert shown(files, "/x.txt") == b"FIRST"


def test_a_file_that_was_not_changed_for_long_is_settled() -> None:
    found = files_of("walk", check_static=(os.path.dirname(os.__file__),)).find(asked("/os.py"))
    assert found is not None and found.settled


def test_what_was_missing_is_found_within_a_moment(site: Path) -> None:
    files = files_of("walk", check_static=(str(site),))
    assert shown(files, "/late.txt") is None
    write(site / "late.txt", b"late")
    time.sleep(MOMENT)
    assert shown(files, "/late.txt") == b"late"


def test_a_rule_before_it_takes_over_within_a_moment(site: Path, tmp_path: Path) -> None:
    files = files_of("walk", check_static=(str(tmp_path / "before"), str(site)))
    old(files.find(asked("/x.txt")))
    write(tmp_path / "before" / "x.txt", b"before")
    time.sleep(MOMENT)
    assert shown(files, "/x.txt") == b"before"


def test_places_are_kept_for_as_long_as_is_said(site: Path, tmp_path: Path) -> None:
    """static-cache-paths: where a file is, and that there is none; its content is looked at all the same."""
    before = tmp_path / "before"
    files = files_of("walk", check_static=(str(before), str(site)), static_cache_paths=0.3)
    assert shown(files, "/none.txt") is None
    old(files.find(asked("/x.txt")))
    write(before / "x.txt", b"before")
    write(before / "none.txt", b"now")
    time.sleep(MOMENT)
    assert (shown(files, "/x.txt"), shown(files, "/none.txt")) == (b"first", None)
    time.sleep(0.3)
    assert (shown(files, "/x.txt"), shown(files, "/none.txt")) == (b"before", b"now")


def test_what_is_missing_is_never_so_for_long(site: Path) -> None:
    assert files_of("walk", static_cache_paths=0.3).absent == 0.3
    assert files_of("walk", static_cache_paths=86400.0).absent == 1.0
    assert files_of("walk").absent == LOOK


# ---- Descriptors -------------------------------------------------------------------------------------


@pytest.mark.parametrize("opener", OPENERS)
def test_open_is_of_this_file_or_refused(opener: str, site: Path) -> None:
    entry = old(files_of(opener, check_static=(str(site),)).find(asked("/x.txt")))
    assert content(entry) == b"first"
    before = held_below(site)
    write(site / "new", b"first")
    os.rename(site / "new", site / "x.txt")
    with pytest.raises(Changed):
        entry.open()
    (site / "x.txt").unlink()
    with pytest.raises(FileNotFoundError):
        entry.open()
    os.mkfifo(site / "x.txt")
    with pytest.raises(Changed):
        entry.open()
    assert held_below(site) == before


def held_below(folder: Path) -> int:
    """How many descriptors are of files there; what else is open may be closed by others meanwhile."""
    held = 0
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # closed by now
            held += os.readlink(f"/proc/self/fd/{name}").startswith(str(folder))
    return held


def test_only_small_files_are_kept_whole(site: Path) -> None:
    files = files_of("walk", check_static=(str(site),))
    for size in (0, SMALL, SMALL + 1):
        write(site / "sized", b"x" * size)
        files.known.forget("/sized")
        found = files.find(asked("/sized"))
        assert found is not None and found.size == size
        assert (found.small is None) == (size > SMALL)


# ---- Bounds ------------------------------------------------------------------------------------------


def test_many_names_of_one_file_fill_no_memory(site: Path) -> None:
    files = files_of("walk", check_static=(str(site),))
    for number in range(1, 400):
        found = files.find(asked("/" * number + "x.txt"))
        assert found is not None and (found.small is None) == (number > 1)
        assert content(files.find(asked("/./" * number + "x.txt"))) == b"first"
    assert sum(map(len, files.known.state)) == 1


def test_missing_names_are_bounded_and_push_no_file_out(site: Path) -> None:
    files = files_of("walk", check_static=(str(site),))
    files.find(asked("/x.txt"))
    for number in range(2 * COUNT + 100):
        assert files.find(asked(f"/{number}")) is None
    assert sum(map(len, files.missing.state)) <= 2 * COUNT
    assert "/x.txt" in files.known.state[0]
    files.find(asked("/" + "n" * LONGEST))
    assert all(len(name) <= LONGEST for half in files.missing.state for name in half)


def test_memory_forgets_the_older_half() -> None:
    memory: Memory[int] = Memory(lambda value: value)
    for number in range(COUNT):
        memory.put(str(number), 0)
    assert memory.get("0") == 0  # asked for again, so it goes on
    for number in range(COUNT, 2 * COUNT - 1):
        memory.put(str(number), 0)
    assert memory.get("1") is None
    assert memory.get("0") == 0
    memory.forget("0")
    assert memory.get("0") is None


def test_memory_weighs_what_it_holds() -> None:
    memory: Memory[int] = Memory(lambda value: value)
    for number in range(3000):
        memory.put(str(number), SMALL)
        assert all(sum(half.values()) <= BYTES + 64 * SMALL for half in memory.state)


# ---- Twins, and files of rules -----------------------------------------------------------------------


@pytest.mark.parametrize("opener", OPENERS)
def test_a_twin_lies_beside_the_real_file(opener: str, site: Path) -> None:
    for name in ("hashed/x.css", "hashed/x.css.gz", "link.css.gz"):
        write(site / name, name.encode())
    (site / "link.css").symlink_to("hashed/x.css")
    files = files_of(opener, check_static=(str(site),))
    found = files.find(asked("/link.css"))
    assert found is not None and found.path == str(site / "hashed" / "x.css")
    twin = files.twin(found, ".gz")
    assert content(twin) == b"hashed/x.css.gz"
    assert files.twin(found, ".gz") is twin
    assert files.twin(found, ".br") is None
    write(site / "hashed" / "x.css.br", b"late")
    time.sleep(MOMENT)
    assert content(files.twin(found, ".br")) == b"late"


@pytest.mark.parametrize("opener", OPENERS)
def test_a_twin_is_as_safe_as_all_others(opener: str, site: Path, tmp_path: Path) -> None:
    write(tmp_path / "secret", b"secret")
    write(tmp_path / "safe" / "y.css", b"safe")
    write(tmp_path / "safe" / "y.css.gz", b"safe twin")
    write(site / "x.css", b"x")
    (site / "x.css.gz").symlink_to("../secret")
    (site / "y.css").symlink_to(tmp_path / "safe" / "y.css")
    files = files_of(opener, check_static=(str(site),), static_safe=(str(tmp_path / "safe"),))
    found = files.find(asked("/x.css"))
    assert found is not None and files.twin(found, ".gz") is None
    safe = files.find(asked("/y.css"))
    assert safe is not None and content(files.twin(safe, ".gz")) == b"safe twin"


@pytest.mark.parametrize("opener", OPENERS)
def test_a_file_of_a_rule_stays_below_the_written_folder(opener: str, site: Path, tmp_path: Path) -> None:
    write(tmp_path / "secret", b"secret")
    write(site / ".env", b"secret")
    (site / "out").symlink_to("../secret")
    files = files_of(opener)
    folder = str(site)
    assert content(files.at(f"{folder}/x.txt")) == b"first"
    assert content(files.at(f"{folder}/x.txt", folder)) == b"first"
    assert content(files.at(f"{folder}//x.txt", folder + "/")) == b"first"
    for path in ("/../secret", "/out", "/.env", "/none", "", "/", "\0", "x.txt"):
        assert files.at(folder + path, folder) is None, path
    assert files.at(str(tmp_path / "secret"), folder) is None
    assert content(files.at(f"{folder}/out")) == b"secret"  # the operator wrote all of it
    assert files.at(f"{folder}\0") is None


# ---- Replies -----------------------------------------------------------------------------------------


class Sender:
    """Says what it was asked to send; the first ``refuses`` times the file has just changed."""

    def __init__(self, error: OSError | None = None, refuses: int = 0) -> None:
        self.error = error
        self.refuses = refuses
        self.sent: list[tuple[bytes | None, dict[str, Any]]] = []

    def __call__(self, call: Any, environ: Any, entry: Entry, /, **how: Any) -> None:
        if self.refuses and self.error is not None:
            self.refuses -= 1
            raise self.error
        self.sent.append((content(entry), how))


class Unsent:
    sent_head = False


def test_a_file_that_changed_is_looked_up_anew(site: Path) -> None:
    files = files_of("walk", check_static=(str(site),))
    call: Any = Unsent()
    files.sender = sender = Sender(Changed("x"), 1)
    found = files.find(asked("/x.txt"))
    assert found is not None
    write(site / "new", b"second")
    os.rename(site / "new", site / "x.txt")
    assert files.send(call, asked("/x.txt"), found)
    assert shown(files, "/x.txt") == b"second"  # at once, since it is known to have changed
    files.sender = gone = Sender(FileNotFoundError(2, "gone"), 1)
    os.unlink(site / "x.txt")
    assert not files.send(call, asked("/x.txt"), found)
    assert (sender.sent, gone.sent) == ([(b"second", {})], [])


def test_a_client_that_left_is_no_change_of_the_file(site: Path) -> None:
    files = files_of("walk", check_static=(str(site),))
    files.sender = Sender(Disconnected(0, "gone"), 9)
    call: Any = Unsent()
    found = files.find(asked("/x.txt"))
    assert found is not None
    with pytest.raises(Disconnected):
        files.send(call, asked("/x.txt"), found)
    with pytest.raises(Disconnected):
        files.serve(call, asked("/"), str(site / "x.txt"))


def test_rules_serve_by_path(site: Path) -> None:
    files = files_of("walk")
    files.sender = sender = Sender()
    call: Any = Unsent()
    assert files.serve(call, asked("/"), str(site / "x.txt"), status="404 Not Found")
    assert not files.serve(call, asked("/"), str(site / "none.txt"))
    files.sender = late = Sender(Changed("x"), 1)
    assert files.serve(call, asked("/"), str(site / "x.txt"))
    assert sender.sent == [(b"first", {"status": "404 Not Found"})]
    assert late.sent == [(b"first", {})]


def test_nobody_asks_for_files_where_no_option_does(site: Path) -> None:
    from penstock.config.settings import Settings

    said = Said()
    assert make_files(Settings(), said) is None
    assert make_files(Settings(static_index=("index.html",)), said) is None
    for given in (
        {"check_static": (str(site),)},
        {"check_static_docroot": True},
        {"static_map": (f"/={site}",)},
    ):
        assert make_files(Settings(**given), said) is not None
    assert make_files(Settings(), said, always=True) is not None
