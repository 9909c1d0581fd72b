"""Hashes of passwords: which kind a text is, and what checks a password against it.

Called by pool threads. SHA and apr1 are computed here; bcrypt and whatever else crypt(3) has are the system's
libcrypt's, which works without the interpreter's lock. Files of users are not known here.
"""

import ctypes
import hmac
import re
from base64 import b64encode
from collections.abc import Callable
from functools import cache
from hashlib import md5, sha1

Check = Callable[[bytes], bool]
"""Whether a password is the one; takes the same time for every wrong one of its length."""

LIBRARIES = ("libcrypt.so.1", "libcrypt.so.2", None)  # the last: this program itself, as with musl
ROOM = 256 << 10  # octets of crypt_r's workspace: 32 KB in libxcrypt, 128 KB in old glibc

BCRYPT = re.compile(rb"\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}")
APR1 = re.compile(rb"\$apr1\$([^$]{1,8})\$[./A-Za-z0-9]{22}")
SHA = re.compile(rb"\{SHA\}[A-Za-z0-9+/]{27}=")
DES = re.compile(rb"[./A-Za-z0-9]{13}")
OTHER = re.compile(rb"\$[a-z0-9]+\$.{10,}")
CHEAP = {
    b"$2": b"$2y$04$abcdefghijklmnopqrstuu",
    b"$1": b"$1$ab$",
    b"$5": b"$5$rounds=1000$ab$",
    b"$6": b"$6$rounds=1000$ab$",
    b"$y": b"$y$j75$abcdefgh$",
}
"""What costs next to nothing to compute, for the beginnings of hashes: whether libcrypt has them is tried."""

ALPHABET = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
TRIPLES = ((0, 6, 12), (1, 7, 13), (2, 8, 14), (3, 9, 15), (4, 10, 5))


def check_of(said: bytes) -> Check | str:
    """What checks a password against this hash, or why nothing can."""
    if SHA.fullmatch(said):
        return against_sha(said)
    apr1 = APR1.fullmatch(said)
    if apr1:
        return against_apr1(said, apr1[1])
    if said.startswith((b"$2a$", b"$2b$", b"$2x$", b"$2y$")) and not BCRYPT.fullmatch(said):
        return "its bcrypt hash is not complete"
    if not (BCRYPT.fullmatch(said) or DES.fullmatch(said) or OTHER.fullmatch(said)):
        return "what is behind the colon is no hash that is known here (bcrypt, {SHA}, apr1, or crypt)"
    if not has(said):
        return "the system's libcrypt is missing or has no such hash; htpasswd -s and -m need none"
    return against_crypt(said)


def against_sha(said: bytes) -> Check:
    """``{SHA}``: unsalted, and as htpasswd's page says, insecure by today's standards."""

    def check(password: bytes) -> bool:
        made = b"{SHA}" + b64encode(sha1(password, usedforsecurity=False).digest())
        return hmac.compare_digest(made, said)

    return check


def against_apr1(said: bytes, salt: bytes) -> Check:
    """``$apr1$``: Apache's MD5, a thousand rounds."""

    def check(password: bytes) -> bool:
        return hmac.compare_digest(apr1(password, salt), said)

    return check


def against_crypt(said: bytes) -> Check:
    """What crypt(3) makes of the password with the hash for its salt is the hash itself."""

    def check(password: bytes) -> bool:
        made = crypt(password, said)
        return made is not None and hmac.compare_digest(made, said)

    return check


# ---- crypt(3) -----------------------------------------------------------------------------------------


@cache
def library() -> Callable[..., bytes | None] | None:
    """libcrypt's ``crypt_r``, which threads may call at once; None without one."""
    for name in LIBRARIES:
        try:
            found = ctypes.CDLL(name).crypt_r
        except (OSError, AttributeError):
            continue
        found.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p)
        found.restype = ctypes.c_char_p
        made: Callable[..., bytes | None] = found
        return made
    return None


def crypt(password: bytes, setting: bytes) -> bytes | None:
    """crypt(3); None where the system has no such hash, or refuses the setting."""
    crypt_r = library()
    if crypt_r is None:
        return None
    made = crypt_r(password, setting, ctypes.create_string_buffer(ROOM))
    return None if made is None or made.startswith(b"*") else made


def has(said: bytes) -> bool:
    """Whether the system's crypt(3) has the kind of a hash; of a kind that is not known here it is believed,
    and nobody is let in by it where that is wrong."""
    setting = CHEAP.get(said[:2]) if said.startswith(b"$") else said[:2]
    return library() is not None if setting is None else offered(setting)


@cache
def offered(setting: bytes) -> bool:
    """Whether crypt(3) makes anything of a setting."""
    return crypt(b"", setting) is not None


# ---- apr1 ---------------------------------------------------------------------------------------------


def apr1(password: bytes, salt: bytes) -> bytes:
    """Apache's variant of the MD5 crypt: ``$apr1$salt$`` and 22 letters."""
    inner = digest(password + salt + password)
    length = len(password)
    text = password + b"$apr1$" + salt + (inner * (length // 16 + 1))[:length]
    while length:  # a NUL for each bit that is set, from the lowest, and else the password's first octet
        text += b"\0" if length & 1 else password[:1]
        length >>= 1
    made = digest(text)
    for turn in range(1000):
        parts = [password if turn & 1 else made]
        parts += [salt] if turn % 3 else []
        parts += [password] if turn % 7 else []
        parts.append(made if turn & 1 else password)
        made = digest(b"".join(parts))
    return b"$apr1$" + salt + b"$" + letters(made)


def digest(text: bytes) -> bytes:
    """MD5, which some systems allow only when it is said that it is not for security."""
    return md5(text, usedforsecurity=False).digest()


def letters(made: bytes) -> bytes:
    """Sixteen octets as 22 letters, in the order of the MD5 crypt."""
    said = bytearray()
    for first, second, third in TRIPLES:
        number = made[first] << 16 | made[second] << 8 | made[third]
        said += bytes(ALPHABET[number >> shift & 63] for shift in (0, 6, 12, 18))
    said += bytes((ALPHABET[made[11] & 63], ALPHABET[made[11] >> 6]))
    return bytes(said)
