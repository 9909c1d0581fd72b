"""Times as HTTP writes them (RFC 9110 §5.6.7): ``Sun, 06 Nov 1994 08:49:37 GMT``.

``email.utils`` writes the same, and brings the half of a mail library into every start.
"""

from time import gmtime

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def http_date(seconds: float) -> str:
    """A time in seconds since the epoch. Raises ValueError, OverflowError and OSError for one that no
    calendar has."""
    year, month, day, hour, minute, second, weekday, *_ = gmtime(seconds)
    return f"{DAYS[weekday]}, {day:02} {MONTHS[month - 1]} {year:04} {hour:02}:{minute:02}:{second:02} GMT"
