"""The command line as raw options, by getopt's rules over uWSGI's names and a short form for hands used to
gunicorn. Read at start, word by word, so that an option can declare the next; it knows no file's content.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from penstock.config.finding import ERROR, SYNTAX, UNKNOWN, Finding
from penstock.config.language import names
from penstock.config.raw import RawOption
from penstock.config.registry import suggest

ORIGIN = "command line"
APPLICATION, FILE = "<application>", "<file>"
"""Keys of words that are no options: ``module:callable``, and a file of configuration."""
UNDECLARED: Mapping[str, str] = MappingProxyType({})
ENDINGS = (".ini", ".xml", ".yaml", ".yml", ".json", ".js", ".toml")

Found = RawOption | Finding


def walk(words: Sequence[str], declared: Mapping[str, str] = UNDECLARED) -> Iterator[Found]:
    """Options in order, then what is none; a finding in the place of each word that cannot be read.

    ``declared``: options that options before declared (``declare-option``), with their arguments; it is
    looked at while walking.
    """
    late: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word == "--":
            late += words[at:]
            break
        if word.startswith("--"):
            found, taken = _long(word[2:], words[at : at + 1], declared)
        elif word.startswith("-") and len(word) > 1:
            found, taken = _letters(word[1:], words[at : at + 1])
        else:
            late.append(word)
            continue
        yield from found
        at += taken
    for word in late:
        yield from positional(word)


def positional(word: str) -> Iterator[Found]:
    """A file of configuration, or the application; nothing for uWSGI's own ``[name]``."""
    if word.startswith("["):
        return
    head, _, section = word.rpartition(":")
    if word.lower().endswith(ENDINGS) or ("/" not in section and head.lower().endswith(ENDINGS)):
        yield RawOption(FILE, word, ORIGIN)
    elif word == "-" or "://" in word:
        said = f"{word}: name its format, with --ini, --yaml, --json, --xml or --toml"
        yield Finding(ERROR, SYNTAX, said, origin=ORIGIN)
    elif not any(letter.isalpha() for letter in word):
        said = (
            f"{word} stands alone; a value that may be left out is written behind =, as in --chmod-socket=660"
        )
        yield Finding(ERROR, SYNTAX, said, origin=ORIGIN)
    else:
        yield RawOption(APPLICATION, word, ORIGIN)


def _long(word: str, following: Sequence[str], declared: Mapping[str, str]) -> tuple[list[Found], int]:
    """``--name``, ``--name=value`` or ``--name value``; how many of the following words were its value."""
    name, equals, value = word.partition("=")
    if name in declared and not names.known(name):
        return _take(name, declared[name], value if equals else None, following)
    if not names.known(name):
        candidates = names.beginning(name)
        if len(candidates) != 1:
            return [_unknown(name, candidates)], 0 if equals else _stray(following)
        name = candidates[0]
    return _take(name, names.argument(name), value if equals else None, following)


def _stray(following: Sequence[str]) -> int:
    """How many of the words behind an unknown option can only be its value: a number or a bare address names
    neither a file nor an application."""
    return sum(word[0:1] != "-" and not any(letter.isalpha() for letter in word) for word in following)


def _unknown(name: str, candidates: list[str]) -> Finding:
    """What to say of a name that is no option, or the beginning of several."""
    if candidates:
        shown = [f"--{full}" for full in candidates[: names.LISTED]]
        more = len(candidates) - len(shown)
        said = f"--{name} may be {', '.join(shown)}{f' and {more} more' if more else ''}"
    else:
        said = f"unknown option --{name}{suggest(name)}"
    return Finding(ERROR, UNKNOWN, said, origin=ORIGIN)


def _take(name: str, argument: str, value: str | None, following: Sequence[str]) -> tuple[list[Found], int]:
    """An option with its value. getopt refuses a value for a flag; here ``--vacuum=false`` means it."""
    if value is None and argument == names.REQUIRED:
        if not following:
            said = f"--{name} needs a value{names.metavar(name)}"
            return [Finding(ERROR, SYNTAX, said, origin=ORIGIN)], 0
        return [RawOption(name, following[0], ORIGIN)], 1
    return [RawOption(name, value, ORIGIN)], 0


def _letters(letters: str, following: Sequence[str]) -> tuple[list[Found], int]:
    """``-M``, ``-s ADDRESS``, ``-sADDRESS``, ``-C660``, and flags together, ``-MLp4``."""
    found: list[Found] = []
    while letters:
        name = names.of_letter(letters[0])
        if not name:
            said = f"unknown option -{letters[0]}"
            return [*found, Finding(ERROR, UNKNOWN, said, origin=ORIGIN)], 0
        letters = letters[1:]
        argument = names.argument(name)
        if argument != names.NONE:
            last, taken = _take(name, argument, letters.removeprefix("=") or None, following)
            return [*found, *last], taken
        found.append(RawOption(name, None, ORIGIN))
    return found, 0
