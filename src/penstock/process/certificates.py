"""Certificates and keys of listeners that speak TLS: read while the rights for that are there, then contexts.

Read in whichever process starts and, at a reload, in the supervisor, as the contents of files; a context is
made of them where they are served, or only tried. Prototypes are fresh interpreters that may read no key any
more, so the contents come to them with all else (``boot``); their workers share the contexts, and so the keys
of TLS sessions. OpenSSL is imported only where something listens for TLS.
"""

import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from penstock.config.settings import ListenerSpec, Settings
from penstock.config.site.listeners import Secured, secured
from penstock.core.errors import StartError
from penstock.process.isolation.rights import OURS

if TYPE_CHECKING:
    from ssl import SSLContext

Contents = dict[str, bytes]
"""Of files, by their names as the operator wrote them."""
Contexts = Mapping[str, "SSLContext"]
"""By the texts of the options."""

LARGEST = 4 << 20  # bytes of a file; all the authorities of a system have a twentieth of it
PROTOCOLS = ["http/1.1"]
CERTIFICATE, KEY = b"-----BEGIN CERTIFICATE-----", b"PRIVATE KEY-----"
ENCRYPTED = (b"BEGIN ENCRYPTED PRIVATE KEY", b"Proc-Type: 4,ENCRYPTED")

DESCRIPTORS = "/proc/self/fd"
"""Where the system shows a process what it has open; not in every jail."""

known: Contexts = {}  # of a prototype and those that it forks, filled in by ``prepare``


class Unusable(Exception):
    """A certificate, a key or a list of ciphers that nobody can use."""


def asked(settings: Settings) -> Iterator[tuple[ListenerSpec, Secured]]:
    """The listeners that speak TLS, and what was said of each."""
    for spec in settings.listeners:
        if spec.protocol == "https":
            yield spec, secured(spec.address)


# ---- Reading --------------------------------------------------------------------------------------------


def read(settings: Settings, folder: str = "") -> Contents:
    """What all files have in them, once it is sure that they can be used; relative paths are ``folder``'s.
    Raises StartError."""
    found: Contents = {}
    for spec, said in asked(settings):
        try:
            taken = contents(said, folder)
            made(said, taken)
        except Unusable as error:
            raise StartError(blamed(spec, str(error))) from error
        found |= taken
    return found


def renewed(settings: Settings, folder: str, old: Contents, warn: Callable[[str], None]) -> Contents:
    """The same at a reload, with the rights of the start where they were kept. What cannot be read any more,
    since they were dropped or it is outside of the jail, stays as it is in ``old``, with a warning. Raises
    StartError and OSError."""
    found: Contents = {}
    listening = list(asked(settings))
    if not listening:
        return found
    with OURS.whole():
        for spec, said in listening:
            found |= anew(spec, said, (settings, folder), old, warn)
    return found


def anew(
    spec: ListenerSpec, said: Secured, place: tuple[Settings, str], old: Contents, warn: Callable[[str], None]
) -> Contents:
    """One listener's; ``place`` are the settings and the folder. Raises StartError."""
    settings, folder = place
    try:
        taken = contents(said, folder)
        made(said, taken)
    except Unusable as error:
        if not (hidden(error, settings) and all(name in old for name in said.files)):
            raise StartError(blamed(spec, str(error))) from error
        warn(blamed(spec, f"{error}; what was read before stays, so a new certificate needs a restart"))
        return {name: old[name] for name in said.files}
    return taken


def hidden(error: Unusable, settings: Settings) -> bool:
    """Whether a file may well be as it should, and only we are not who we were at the start."""
    jail = settings.chroot or settings.pivot_root
    return isinstance(error.__cause__, (PermissionError, FileNotFoundError) if jail else PermissionError)


def problems(settings: Settings) -> Iterator[tuple[ListenerSpec, str, bool]]:
    """What is wrong, for ``penstock check``; with whether it is only that the one who checks may not look."""
    for spec, said in asked(settings):
        try:
            made(said, contents(said, ""))
        except Unusable as error:
            yield spec, str(error), isinstance(error.__cause__, PermissionError)


def blamed(spec: ListenerSpec, text: str) -> str:
    """With the option that is to blame."""
    where = f" ({spec.origin})" if spec.origin else ""
    return f"{spec.option} = {spec.address}{where}: {text}"


def contents(said: Secured, folder: str) -> Contents:
    """What one listener's files have in them. Raises Unusable."""
    names = {said.certificate: "certificate", said.key: "key", said.authorities: "client CA"}
    return {name: content(name, folder, what) for name, what in names.items() if name}


def content(name: str, folder: str, what: str) -> bytes:
    """A file's; of nothing that one would have to wait for. Raises Unusable."""
    try:
        fd = os.open(os.path.join(folder, name), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(fd, "rb") as file:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise Unusable(f"the {what} {name} is no file")
            data = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "that is no path"
        raise Unusable(f"the {what} {name} cannot be read: {reason}") from error
    if len(data) > LARGEST:
        raise Unusable(f"the {what} {name} is too large to be one")
    return data


# ---- Contexts -------------------------------------------------------------------------------------------


def contexts(settings: Settings, read: Contents) -> Contexts:
    """A context for each listener that speaks TLS. Raises StartError."""
    found = {}
    for spec, said in asked(settings):
        try:
            found[spec.address] = made(said, read)
        except (Unusable, KeyError) as error:
            raise StartError(blamed(spec, str(error))) from error
    return found


def prepare(settings: Settings, read: Contents) -> None:
    """In a prototype, for all that it forks. Raises StartError."""
    global known
    known = contexts(settings, read)


def made(said: Secured, read: Contents) -> "SSLContext":
    """A server's context, by Python's own defaults. Raises Unusable."""
    import ssl

    from penstock.handoff.tls import TlsSocket, reason_of

    certificate, key = read[said.certificate], read[said.key]
    look(said, certificate, key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # HTTP has ends of its own; with this a client that has only sent all still gets its reply.
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_IGNORE_UNEXPECTED_EOF
    context.set_alpn_protocols(PROTOCOLS)
    context.sslsocket_class = TlsSocket
    if said.ciphers:
        try:
            context.set_ciphers(said.ciphers)
        except ssl.SSLError as error:
            raise Unusable(f"OpenSSL knows no such ciphers: {said.ciphers}") from error
    try:
        with in_file(certificate) as first, in_file(key) as second:
            context.load_cert_chain(first, second, password=refuse)
    except ssl.SSLError as error:
        raise Unusable(mismatch(said, error.reason or "", reason_of(error))) from error
    except (OSError, ValueError) as error:
        raise Unusable(f"the certificate {said.certificate} cannot be used: {error}") from error
    if said.authorities:
        vouch(context, said, read[said.authorities])
    return context


def look(said: Secured, certificate: bytes, key: bytes) -> None:
    """What OpenSSL would say so that nobody understands it. Raises Unusable."""
    if CERTIFICATE not in certificate:
        raise Unusable(f"there is no certificate in {said.certificate} (PEM is expected)")
    if KEY not in key:
        raise Unusable(f"there is no private key in {said.key} (PEM is expected)")
    if any(mark in key for mark in ENCRYPTED):
        raise Unusable(encrypted(said))


def encrypted(said: Secured) -> str:
    """Nobody is there who could be asked for the password."""
    return f"the key {said.key} is encrypted; remove its password (openssl pkey), its mode protects it"


def mismatch(said: Secured, reason: str, words: str) -> str:
    """Why OpenSSL does not take a certificate and a key."""
    if "MISMATCH" in reason:
        return f"the key {said.key} is not that of the certificate {said.certificate}"
    return f"the certificate {said.certificate} or the key {said.key} cannot be used: {words}"


def refuse() -> NoReturn:
    """OpenSSL asks for a password; it would ask the terminal otherwise."""
    raise ValueError("a password is wanted")


def vouch(context: "SSLContext", said: Secured, authorities: bytes) -> None:
    """Have clients show certificates that these have signed. Raises Unusable."""
    import ssl

    try:
        context.load_verify_locations(cadata=authorities.decode("ascii", "replace"))
    except (ssl.SSLError, ValueError) as error:
        raise Unusable(f"there is no certificate in {said.authorities} (PEM is expected)") from error
    context.verify_mode = ssl.CERT_REQUIRED if said.required else ssl.CERT_OPTIONAL


@contextmanager
def in_file(data: bytes, shown: str = DESCRIPTORS) -> Iterator[str]:
    """A path under which OpenSSL finds ``data``: it reads files alone. In memory, where the system has such
    files and shows them (``shown``); else a file that only we may read, for as long as it takes. Raises
    OSError."""
    if hasattr(os, "memfd_create") and os.path.isdir(shown):
        with open(os.memfd_create("penstock-tls"), "wb") as file:
            file.write(data)
            file.flush()
            yield f"{shown}/{file.fileno()}"
        return
    with tempfile.NamedTemporaryFile("wb", prefix="penstock-") as file:
        file.write(data)
        file.flush()
        yield file.name
