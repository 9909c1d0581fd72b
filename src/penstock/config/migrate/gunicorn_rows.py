"""gunicorn's settings as lines of a penstock configuration, where one option means the same, and as notes.

Used by what knows the settings with rules of their own; runs in the command alone.
"""

from penstock.config.finding import UNSUPPORTED, WARNING, Finding
from penstock.config.migrate.gunicorn_names import by_name
from penstock.config.migrate.gunicorn_words import Given, Gunicorn
from penstock.config.migrate.known import Known
from penstock.config.migrate.written import Row, comment, literal, spelled

LISTS = ("bind", "raw_env", "pythonpath", "reload_extra_files", "forwarded_allow_ips", "uwsgi_allow_ips")
"""Settings whose option keeps every line that is given."""


def plain(gunicorn: Gunicorn, name: str, given: Given) -> list[Row]:
    """A setting without rules of its own."""
    setting = by_name()[name]
    if not setting.becomes:
        if given.known is not None and given.known.value in (setting.default, None):
            return []
        return [note(gunicorn, name, given, setting.note)]
    return option(gunicorn, name, given, setting.becomes)


def option(gunicorn: Gunicorn, name: str, given: Given, key: str) -> list[Row]:
    """The lines for an option of the same meaning, with the comments that stood above the setting."""
    if given.known is None:
        return [note(gunicorn, name, given, f"its value cannot be told without running it: {given.reason}")]
    rows = valued(given.known, key, name in LISTS)
    return [Row(comments=given.comments), *rows] if given.comments and rows else rows


def valued(known: Known, key: str, listed: bool) -> list[Row]:
    """The lines for a value, or for each of several."""
    several = known.value if isinstance(known.value, list | tuple) else [known.value]
    if len(several) != 1:
        return [Row(key, literal(str(value))) for value in several]
    value = several[0]
    if value is None and not known.spelled:
        return []
    if isinstance(value, bool):
        value = str(value).lower()
    return spelled(key, known._replace(value=value), listed)


def note(gunicorn: Gunicorn, name: str, given: Given, text: str) -> Row:
    """A comment, and a finding for the terminal."""
    said = f"gunicorn: {name}"
    value = given.known.value if given.known is not None else None
    if isinstance(value, str | int | float) and not callable(value):
        said += f" = {value}"
    file, _, line = given.origin.rpartition(":")
    where = (file, int(line)) if line.isdecimal() else ("", 0)
    # What there is nothing to ask for was not lost: no need to say it in the terminal.
    if not text.startswith("nothing to ask for"):
        finding = Finding(WARNING, UNSUPPORTED, text, name, None, given.origin, *where)
        gunicorn.findings.append(finding)
    return Row(comments=(*given.comments, *comment(f"{said}: {text}".replace("\n", " "))))


def of(gunicorn: Gunicorn, name: str, key: str) -> list[Row]:
    """The lines for a setting of the same meaning, where it is given."""
    given = gunicorn.given.get(name)
    return option(gunicorn, name, given, key) if given is not None else []
