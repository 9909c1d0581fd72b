"""The program that asks for an address at set times: ``python -m penstock.process.household.asking SECONDS``.

A process of its own, which its supervisor ends after a minute: in uWSGI the master waits for the answer and
does nothing else meanwhile. What is answered goes to standard output, as curl's does, and to the log so.
"""

import sys
from base64 import b64encode
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.error import HTTPError
from urllib.parse import unquote_to_bytes, urlsplit
from urllib.request import HTTPHandler, HTTPSHandler, Request, build_opener

LONGEST = 60.0  # seconds without a byte
CHUNK = 65536
FAILED = 1


class Patient(HTTPConnection):
    """``timeout`` is for the connect; an answer may take longer."""

    def connect(self) -> None:
        """As ever, and then more time."""
        super().connect()
        self.sock.settimeout(LONGEST)


class PatientTLS(HTTPSConnection):
    """The same over TLS."""

    def connect(self) -> None:
        """As ever, and then more time."""
        super().connect()
        self.sock.settimeout(LONGEST)


class Plain(HTTPHandler):
    """http"""

    def http_open(self, request: Request) -> HTTPResponse:
        """One request."""
        return self.do_open(Patient, request)


class Secure(HTTPSHandler):
    """https"""

    def https_open(self, request: Request) -> HTTPResponse:
        """One request."""
        return self.do_open(PatientTLS, request)


def main() -> int:
    """Ask for what standard input names; the exit status: 1 for no answer, and for one of 400 and more, which
    uWSGI does not see."""
    request, place = request_of(sys.stdin.read())
    try:
        with build_opener(Plain, Secure).open(request, timeout=float(sys.argv[1])) as answer:
            while data := answer.read(CHUNK):
                sys.stdout.buffer.write(data)
    except HTTPError as error:
        sys.stdout.buffer.write(error.read(CHUNK))
        sys.stdout.write(f"\n{place}: {error.code} {error.reason}\n")
        return FAILED
    except (OSError, ValueError, HTTPException) as error:
        sys.stdout.write(f"{place}: {' '.join(str(error).split()) or type(error).__name__}\n")
        return FAILED
    return 0


def request_of(url: str) -> tuple[Request, str]:
    """What is asked, and the address for the log; a name and a password before the host are sent as curl
    does (RFC 7617)."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    place = parts._replace(netloc=host, fragment="").geturl()
    request = Request(place, headers={"User-Agent": "penstock-cron", "Accept": "*/*"})
    if at:
        token = b64encode(unquote_to_bytes(user)).decode()
        request.add_unredirected_header("Authorization", f"Basic {token}")
    return request, place


if __name__ == "__main__":
    sys.exit(main())
