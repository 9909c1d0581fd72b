"""uWSGI's ini dialect, which is nobody else's: no quotes, no inline comments, no continuation lines.

Run wherever a configuration is read, in the starting process itself: it needs no parser of others. It does
not know what ``%c``, ``%(x)`` or any option means.
"""

from penstock.config.sources.lines import MARK, UNREADABLE, Parsed, Sheet, blame, plain

BLANK = " \t\r"


def parse(text: str, section: str) -> Parsed:
    """The options of ``section`` ("" is ``uwsgi``), wherever in the text it is begun or resumed.

    Values are never None: to uWSGI a key without ``=`` has the empty value. Raises SyntaxFault.
    """
    sheet = Sheet()
    wanted = section or "uwsgi"
    if text.startswith(MARK):
        sheet.warn(1, "the file begins with a byte order mark, behind which uWSGI does not see a header")
    here = ""
    for number, raw in enumerate(plain(text, octets=True).split("\n"), 1):
        line = raw.strip(BLANK)
        if line[:1] == "[":
            here = header(line, number, sheet)
        elif line and line[0] not in ";#" and here == wanted:
            key, _, value = line.partition("=")
            sheet.add(key.rstrip(BLANK), value.strip(BLANK), number)
        elif found := UNREADABLE.search(line):
            sheet.warn(number, f"{blame(found[0])}; nothing is read from this line")
    if not sheet.lines:
        sheet.warn(0, f"no section [{wanted}], or nothing in it")
    return sheet.parsed()


def header(line: str, number: int, sheet: Sheet) -> str:
    """The section's name: uWSGI drops the line's last character without looking at it."""
    name = line[1:-1]
    if line[-1] != "]":
        sheet.warn(number, f'"{line}" does not end with "]": its last character is lost, [{name}] begins')
    return name
