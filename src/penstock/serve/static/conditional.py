"""Conditional requests: what If-Match and its sisters say about the file as it is now (RFC 9110 §13).

Pure functions of header texts, called by pool threads. They do not know what is sent then.
"""

import re
from calendar import timegm
from typing import Any

GO_ON, NOT_MODIFIED, FAILED = 200, 304, 412
"""What the conditions come to: send it, 304, or 412."""

TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH = "|".join(MONTHS)
_TIME = r"(?P<h>\d\d):(?P<m>\d\d):(?P<s>\d\d)"
# RFC 9110 §5.6.7: the one that is written, and the two obsolete ones that are read.
FIXED = re.compile(rf"[A-Z][a-z]{{2}}, (?P<d>\d\d) (?P<mon>{_MONTH}) (?P<y>\d{{4}}) {_TIME} GMT", re.ASCII)
RFC_850 = re.compile(rf"[A-Z][a-z]+day, (?P<d>\d\d)-(?P<mon>{_MONTH})-(?P<y>\d\d) {_TIME} GMT", re.ASCII)
ASCTIME = re.compile(rf"[A-Z][a-z]{{2}} (?P<mon>{_MONTH}) (?P<d>[ \d]\d) {_TIME} (?P<y>\d{{4}})", re.ASCII)
LONGEST = 40  # characters of a date; the longest that is one has 33


def judge(environ: dict[str, Any], etag: str, mtime: int) -> int:
    """GO_ON, NOT_MODIFIED or FAILED, in the order of RFC 9110 §13.2.2, for a GET or HEAD of a file.

    ``etag`` is its entity tag as it is sent, with its quotes; ``mtime`` its Last-Modified in
    seconds. A date that is none counts as not sent (§13.1.3, §13.1.4).
    """
    wanted = environ.get("HTTP_IF_MATCH")
    if wanted is not None:
        if not matches(wanted, etag, weakly=False):
            return FAILED
    else:
        since = seconds_of(environ.get("HTTP_IF_UNMODIFIED_SINCE"))
        if since is not None and mtime > since:
            return FAILED
    unwanted = environ.get("HTTP_IF_NONE_MATCH")
    if unwanted is not None:
        return NOT_MODIFIED if matches(unwanted, etag, weakly=True) else GO_ON
    return NOT_MODIFIED if unmodified(environ, mtime) else GO_ON


def unmodified(environ: dict[str, Any], mtime: int) -> bool:
    """Whether there is an If-Modified-Since, and the file has not been modified since."""
    since = seconds_of(environ.get("HTTP_IF_MODIFIED_SINCE"))
    return since is not None and mtime <= since


def matches(said: str, etag: str, weakly: bool) -> bool:
    """Whether a list of entity tags, or ``*``, has ``etag`` in it; ``weakly``: W/ makes no difference, else
    a weak one on either side is never the same (§8.8.3.2)."""
    said = said.strip(" \t")
    if said == "*":
        return True
    if not weakly and etag.startswith("W/"):
        return False
    if said == etag:
        return True
    opaque = etag.partition('"')[2][:-1]
    return any(tag[2] == opaque and (weakly or not tag[1]) for tag in TAG.finditer(said))


def ranges_apply(environ: dict[str, Any], etag: str, mtime: int, now: float) -> bool:
    """Whether Range is to be heeded as far as If-Range goes (§13.1.5).

    A tag must be the same and strong. A date must be the very same, and is a strong validator only where
    the file was not modified in the second of the reply (§8.8.2.2).
    """
    said = environ.get("HTTP_IF_RANGE")
    if said is None:
        return True
    if etag.startswith("W/"):
        return False
    said = said.strip(" \t")
    if '"' in said:
        return bool(said == etag)
    return seconds_of(said) == mtime and now - mtime >= 1


def seconds_of(text: str | None) -> int | None:
    """An HTTP date in seconds since 1970; None for what is no date (§5.6.7)."""
    if text is None or len(text) > LONGEST:
        return None
    text = text.strip(" \t")
    found = FIXED.fullmatch(text) or ASCTIME.fullmatch(text) or RFC_850.fullmatch(text)
    if found is None:
        return None
    year, month, day = _year(found["y"]), MONTHS.index(found["mon"]) + 1, int(found["d"])
    hour, minute, second = int(found["h"]), int(found["m"]), int(found["s"])
    if not 1 <= day <= 31 or hour > 23 or minute > 59 or second > 60 or not year:
        return None
    return timegm((year, month, day, hour, minute, second))


def _year(digits: str) -> int:
    """Two digits are of the fifty years around the turn of the century, as in C's strptime."""
    year = int(digits)
    if len(digits) == 2:
        year += 1900 if year >= 70 else 2000
    return year
