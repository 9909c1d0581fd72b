"""Where a server is looked at, and by whom: addresses, paths, headers, by their options' texts.

Pure. Read at boot, by the process that reads the configuration and by those that serve.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from penstock.config.address import Address, parse_address
from penstock.config.settings import Settings
from penstock.config.settings.observing import PATHS
from penstock.config.site.replies import TOKEN
from penstock.config.values import OFF, ON
from penstock.core.errors import ConfigError

USERS = "user:password is expected, or a file as htpasswd writes it"
TAKEN = (
    *("accept", "authorization", "connection", "content-encoding", "content-length", "content-type"),
    *("cookie", "date", "expect", "host", "keep-alive", "location", "range", "server", "set-cookie", "te"),
    *("trailer", "transfer-encoding", "upgrade", "via"),
)
"""Headers that no id of a request can be in, in small letters."""
LOOPBACK = ("localhost", "::1", "[::1]")


class Place(NamedTuple):
    """A place that is one of two: ``address`` of a listener of its own, or ``path`` on the application's."""

    address: Address | None = None
    path: str = ""


def address(text: str) -> Address:
    """An address to listen on. Raises ValueError with what is expected."""
    try:
        return parse_address(text)
    except ConfigError as error:
        raise ValueError(error.message) from error


def listener(text: str) -> Address:
    """``metrics``. Raises ValueError with what is expected."""
    if text in (*OFF, *ON):
        raise ValueError("an address is expected, such as 127.0.0.1:9090")
    return address(text)


def path(text: str) -> str:
    """A path on the application's listeners. Raises ValueError with what is expected."""
    if not text.startswith("/") or not text.isascii() or not text.isprintable() or set(text) & set(" ?#%"):
        raise ValueError("a path is expected, such as /-/metrics")
    return text


def probe(text: str) -> str:
    """A path, or "" for ``off``. Raises ValueError with what is expected."""
    return "" if text in OFF else path(text)


def page(text: str) -> Place:
    """``status-page``: an address, or what begins with ``/`` as a path, so that a UNIX socket is written
    ``unix:/run/page.sock``. Raises ValueError with what is expected."""
    if text.startswith("/"):
        return Place(path=path(text))
    if text in (*OFF, *ON):
        raise ValueError("an address is expected, such as 127.0.0.1:9000, or a path, such as /-/status")
    return Place(address(text))


def users_file(text: str) -> str:
    """The file that a ``status-auth`` names, "" where it is a user and a password itself."""
    return text if "/" in text.partition(":")[0] or ":" not in text else ""


def credentials(text: str) -> dict[str, str]:
    """``status-auth``: the password of its user, or of each user in its file the hash. Raises ValueError with
    what is expected."""
    file = users_file(text)
    pairs = dict(line.partition(":")[::2] for line in (_lines(file) if file else [text]))
    if not pairs or not all((*pairs.keys(), *pairs.values())):
        raise ValueError(USERS)
    return pairs


def _lines(path: str) -> list[str]:
    """Those of a file, without comments and empty ones. Raises ValueError with what is expected."""
    try:
        with open(path, encoding="utf-8") as file:
            return [line.strip() for line in file if line.strip() and not line.startswith("#")]
    except (OSError, UnicodeDecodeError) as error:
        said = getattr(error, "strerror", None) or error
        raise ValueError(f"{USERS}: {said}") from error


def header(text: str) -> str:
    """``request-id``: a header's name, ``auto``, or "" for ``off``. Raises ValueError with what is
    expected."""
    if text in OFF:
        return ""
    if not TOKEN.fullmatch(text):
        raise ValueError("auto, off or the name of a header is expected, such as X-Request-ID")
    if text.lower() in TAKEN:
        raise ValueError(f"{text} means something else; another header is expected, such as X-Request-ID")
    return text


def endpoint(text: str) -> str:
    """``otel``: a URL, or "" where OpenTelemetry's own variables say where traces go, and for ``off``.
    Raises ValueError with what is expected."""
    if text in (*OFF, *ON):
        return ""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("a URL is expected, such as http://127.0.0.1:4318")
    return text


def remarks(values: Mapping[str, Any]) -> Iterator[tuple[str, str, str, bool]]:
    """What places say together: option, value, what is to be said, and whether it is only doubtful."""
    seen: dict[str, str] = {}
    for field in PATHS:
        text = values.get(field, getattr(Settings, field))
        if not text.startswith("/"):
            continue
        if text in seen:
            yield field.replace("_", "-"), text, f"{seen[text]} has this path already", False
        seen[text] = field.replace("_", "-")
    yield from mistaken(values.get("metrics") or "")
    where = values.get("status_page") or ""
    if where and not values.get("status_auth") and not near(where):
        text = "only this machine is answered there: status-auth lets others see it"
        yield "status-page", where, text, True
    if where.startswith("/") and not values.get("status_auth"):
        text = "nobody can see it without status-auth = user:password"
        yield "status-page", where, text, True


def mistaken(text: str) -> Iterator[tuple[str, str, str, bool]]:
    """A path for ``metrics`` that was hardly meant to be a UNIX socket's."""
    if text.startswith("/") and text.endswith("/metrics"):
        said = f"this is a UNIX socket; metrics-path = {text} answers there on the application's addresses"
        yield "metrics", text, said, True


def near(text: str) -> bool:
    """Whether only this machine reaches an address; true as well for a path, and for what cannot be read."""
    try:
        found = page(text).address
    except ValueError:
        return True
    if found is None or found.kind != "tcp":
        return True
    return found.host in LOOPBACK or found.host.startswith("127.")
