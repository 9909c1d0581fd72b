"""The program that sends an alarm's message: ``python -m penstock.process.alarms.webhook``.

A process of its own for each message, so that a server which hangs keeps nobody waiting. It reads where to
send it and what from its standard input, says what went wrong on its standard output, and knows no alarms.
"""

import json
import signal
import ssl
import sys
from base64 import b64encode
from typing import NoReturn
from urllib.parse import unquote, urlsplit

from penstock.config.household.alarms import MAIL, Post

FAILED = 1
LONGEST = 300.0  # seconds


def main() -> int:
    """Send it; the exit status."""
    head, _, message = sys.stdin.buffer.read().partition(b"\n")
    post = Post(**json.loads(head))
    signal.signal(signal.SIGALRM, too_long)
    signal.setitimer(signal.ITIMER_REAL, min(post.timeout or LONGEST, LONGEST))
    try:
        if urlsplit(post.url).scheme in MAIL:
            send_mail(post, message)
        else:
            send_by_http(post, message)
    except (OSError, ValueError, EOFError) as error:
        sys.stdout.write(f"{place(post)}: {' '.join(str(error).split()) or type(error).__name__}\n")
        return FAILED
    return 0


def too_long(number: int, frame: object) -> NoReturn:
    """The whole has taken longer than it may."""
    raise TimeoutError("it takes too long")


def place(post: Post) -> str:
    """Where it goes to, for the log: the path is often a secret of its own."""
    parts = urlsplit(post.url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}"


def context(post: Post) -> ssl.SSLContext:
    """Who is believed to be the server."""
    known = ssl.create_default_context()
    if post.insecure:
        known.check_hostname = False
        known.verify_mode = ssl.CERT_NONE
    return known


def subject(post: Post, message: bytes) -> bytes:
    """The message with the lines that uWSGI's curl puts before it."""
    lines = [f"To: {post.to}"] * bool(post.to) + [f"Subject: {post.subject}"] * bool(post.subject)
    return "".join(f"{line}\r\n" for line in [*lines, *[""] * bool(lines)]).encode() + message


def send_by_http(post: Post, message: bytes) -> None:
    """One request; an answer of 300 and more is a failure, and nobody is followed elsewhere. Raises OSError
    and ValueError."""
    from http.client import HTTPException
    from urllib.request import HTTPHandler, HTTPRedirectHandler, HTTPSHandler, Request, build_opener

    class Staying(HTTPRedirectHandler):
        """Who is told to go elsewhere does not, as curl."""

        def redirect_request(self, *told: object) -> None:
            return None

    parts = urlsplit(post.url)
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2])
    kind = "text/plain; charset=utf-8"
    request = Request(bare.geturl(), subject(post, message), {"Content-Type": kind}, method=post.method)
    user = post.user or unquote(parts.username or "")  # as curl reads them
    password = post.password or unquote(parts.password or "")
    if user:
        request.add_header("Authorization", f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}")
    opener = build_opener(HTTPHandler, HTTPSHandler(context=context(post)), Staying)
    try:
        with opener.open(request, timeout=post.connect or LONGEST) as answer:
            answer.read(1 << 16)
    except HTTPException as error:
        raise OSError(f"the answer is none: {error!r}") from error


def send_mail(post: Post, message: bytes) -> None:
    """One mail. Raises OSError and ValueError."""
    import smtplib

    parts = urlsplit(post.url)
    patience = post.connect or LONGEST
    host, port = parts.hostname or "", parts.port or 0
    server: smtplib.SMTP
    if parts.scheme == "smtps":
        server = smtplib.SMTP_SSL(host, port, timeout=patience, context=context(post))
    else:
        server = smtplib.SMTP(host, port, timeout=patience)
    with server:
        if post.secure and parts.scheme == "smtp":
            server.starttls(context=context(post))
        if post.user:
            server.login(post.user, post.password)
        body = subject(post, message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
        server.sendmail(post.sender, post.to.split(","), body)


if __name__ == "__main__":
    sys.exit(main())
