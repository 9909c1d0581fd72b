"""Hashes of passwords against what others have published or made."""

import shutil
import subprocess

import pytest

from penstock.serve.routing.hashes import apr1, check_of, crypt, library, offered

needs_crypt = pytest.mark.skipif(library() is None, reason="needs libcrypt")
has_bcrypt = pytest.mark.skipif(
    library() is None or not offered(b"$2y$04$abcdefghijklmnopqrstuu"), reason="needs a libcrypt with bcrypt"
)

# Openwall's own test vectors for bcrypt (crypt_blowfish, wrapper.c).
BCRYPT = (
    (b"$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", b"U*U"),
    (b"$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK", b"U*U*"),
    (b"$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a", b"U*U*U"),
    (b"$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy", b""),
    (b"$2y$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e", b"\xff\xff\xa3"),
)
# Apache's htpasswd; those of apr1 are what `openssl passwd -apr1` gives.
OTHERS = (
    (b"{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", b"password"),
    (b"$apr1$abcdefgh$G8IsPsylW5ROvIKsQMRG61", b"a"),
    (b"$apr1$abcdefgh$L.PT565ESX4Tp2bqNs7Ie.", b""),
    (b"$apr1$abcdefgh$VOFUvrWVv9.yH3F0yfdiW0", b"p" * 64),
)


def checked(said: bytes, password: bytes) -> bool:
    check = check_of(said)
    assert not isinstance(check, str), check
    return check(password)


@has_bcrypt
@pytest.mark.parametrize(("said", "password"), BCRYPT)
def test_bcrypt(said: bytes, password: bytes) -> None:
    assert checked(said, password)
    assert not checked(said, password + b"x")


@pytest.mark.parametrize(("said", "password"), OTHERS)
def test_those_that_need_no_library(said: bytes, password: bytes) -> None:
    assert checked(said, password)
    assert not checked(said, password + b"x")


@needs_crypt
def test_crypt() -> None:
    said = crypt(b"secret", b"ab")
    assert said is not None
    assert checked(said, b"secret")
    assert not checked(said, b"Secret")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
@pytest.mark.parametrize(
    "password", ["x", "secret", "a longer one than sixteen", "\u00fcml\u00e4ut", "p" * 200]
)
@pytest.mark.parametrize("salt", ["a", "12345678"])
def test_apr1_is_openssls(password: str, salt: str) -> None:
    words = ["openssl", "passwd", "-apr1", "-salt", salt, "-stdin"]
    said = subprocess.run(words, input=password.encode() + b"\n", capture_output=True, check=True, timeout=20)
    assert apr1(password.encode(), salt.encode()) == said.stdout.strip()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"", "no hash that is known here"),
        (b"secret", "no hash that is known here"),
        (b"{SSHA}abc", "no hash that is known here"),
        (b"{SHA}short", "no hash that is known here"),
        (b"$2y$05$short", "its bcrypt hash is not complete"),
        (b"*0", "no hash that is known here"),
    ],
)
def test_what_nobody_can_be_checked_by(said: bytes, why: str) -> None:
    check = check_of(said)
    assert isinstance(check, str)
    assert why in check


@needs_crypt
def test_a_kind_that_libcrypt_has_not_lets_nobody_in() -> None:
    check = check_of(b"$zz$abcdefghijklmnop")
    assert isinstance(check, str) or not check(b"")
