"""Files of users: who is let in, what is remembered, and what becomes of a file that changes."""

import os
import time
from pathlib import Path

import pytest

from penstock.serve.routing.hashes import crypt, library
from penstock.serve.routing.htpasswd import FRESH, REMEMBERED, Htpasswd

SECRET = "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="  # secret
PASSWORD = "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="  # password


class Book:
    """A file of users and what was said about it."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.warnings: list[str] = []
        self.write(text)
        self.users = Htpasswd(str(path), lambda key, line: self.warnings.append(line))

    def write(self, text: str, age: float = 60) -> None:
        self.path.write_text(text)
        then = time.time() - age
        os.utime(self.path, (then, then))


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path / "users", f"# people\n\njoe:{SECRET}\nann:{PASSWORD}:the boss\n")


@pytest.mark.parametrize(
    ("user", "password", "admitted"),
    [
        (b"joe", b"secret", True),
        (b"ann", b"password", True),
        (b"joe", b"password", False),
        (b"Joe", b"secret", False),
        (b"nobody", b"secret", False),
        (b"joe", b"", False),
        (b"", b"secret", False),
        (b"joe", b"secret\0", False),
        (b"joe", b"s" * 513, False),
        (b"# people", b"", False),
    ],
)
def test_who_is_let_in(book: Book, user: bytes, password: bytes, admitted: bool) -> None:
    assert book.users.admits(user, password) is admitted
    assert book.users.admits(user, password) is admitted
    assert book.warnings == []


def test_a_name_that_stands_there_twice_has_two_passwords(book: Book) -> None:
    book.write(f"joe:{SECRET}\njoe:{PASSWORD}\n", age=50)
    assert book.users.admits(b"joe", b"secret")
    assert book.users.admits(b"joe", b"password")


def test_a_file_that_changes_counts_from_then_on(book: Book) -> None:
    assert book.users.admits(b"joe", b"secret")
    book.write(f"joe:{PASSWORD}\n", age=50)
    assert not book.users.admits(b"joe", b"secret")
    assert book.users.admits(b"joe", b"password")


def test_a_change_that_shows_in_no_time_stamp_is_seen(book: Book) -> None:
    # Same length, same time: within FRESH of a change the file is read each time.
    now = time.time()
    book.path.write_text(f"joe:{SECRET}\n")
    os.utime(book.path, (now, now))
    assert book.users.admits(b"joe", b"secret")
    book.path.write_text(f"joe:{PASSWORD}\n")
    os.utime(book.path, (now, now))
    assert FRESH > 1
    assert not book.users.admits(b"joe", b"secret")


def test_without_the_file_nobody_is_let_in(book: Book) -> None:
    assert book.users.admits(b"joe", b"secret")
    book.path.unlink()
    assert not book.users.admits(b"joe", b"secret")
    assert "nobody is let in by it" in book.warnings[0]
    book.write(f"joe:{SECRET}\n")
    assert book.users.admits(b"joe", b"secret")


def test_lines_that_let_nobody_in_are_named(tmp_path: Path) -> None:
    book = Book(tmp_path / "users", f"no colon here\njoe:plain\nann:{SECRET}\n")
    assert [line.partition(": ")[2].partition(";")[0] for line in book.warnings] == [
        "there is no colon in it",
        "what is behind the colon is no hash that is known here (bcrypt, {SHA}, apr1, or crypt)",
    ]
    assert "line 2" in book.warnings[1]
    assert not book.users.admits(b"joe", b"plain")
    assert book.users.admits(b"ann", b"secret")


def test_what_is_remembered_is_bounded_and_no_password(book: Book) -> None:
    lines = "".join(f"u{at}:{SECRET}\n" for at in range(REMEMBERED + 10))
    book.write(lines, age=50)
    for at in range(REMEMBERED + 10):
        assert book.users.admits(f"u{at}".encode(), b"secret")
    kept = book.users.users.verified
    assert 0 < len(kept) <= REMEMBERED
    assert all(len(digest) == 16 for digest in kept)


@pytest.mark.skipif(library() is None, reason="needs libcrypt")
def test_a_dear_hash_is_paid_for_once(tmp_path: Path) -> None:
    made = crypt(b"secret", b"$6$rounds=200000$abcdefgh$")
    assert made is not None
    book = Book(tmp_path / "users", f"joe:{made.decode()}\n")

    def cost(user: bytes, password: bytes) -> float:
        start = time.thread_time()
        book.users.admits(user, password)
        return time.thread_time() - start

    first = cost(b"joe", b"secret")
    assert cost(b"joe", b"secret") < first / 20
    # Whether a name is there does not show in the time that a wrong password takes.
    assert cost(b"nobody", b"secret") > first / 5
    assert cost(b"joe", b"wrong") > first / 5
