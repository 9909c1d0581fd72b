"""Command lines as their repositories write them, made into the words that a shell would give.

``CMD [...]``, ``ExecStart=``, ``command:``, Procfile and plain shell lines; what stands before the program
and behind it (pipes, redirections, the next command) is not ours to run.
"""

import json
import re
import shlex
from collections.abc import Iterator
from functools import cache

from penstock.config.catalogue import Entry, by_name, entries
from tests.compat.corpus.reading import Pair, Reader

PROGRAM = re.compile(r"(^|/)uwsgi$")
STOPS = re.compile(r"[|;&<>]+|\d?>+&?\d?")
VARIABLE = re.compile(r"\$\{?(\w+|@)\}?|~")


def words_of(line: str, environ: dict[str, str]) -> list[str]:
    """The words after ``uwsgi``; none where the line does not start it."""
    found = re.search(r"\[.*\]", line)
    if found and re.search(r"\"(/\S*/)?uwsgi|-c\"|\"-c", found[0]):
        words = json.loads(found[0])
        if words[:2] == ["sh", "-c"]:
            return words_of(words[2], environ)
        return after(words)
    inner = re.search(r"-c ['\"](.*)['\"]", line)
    text = inner[1] if inner else line
    text = re.sub(r"^[\w ]*(command|CMD|ENTRYPOINT|web|ExecStart)\s*[:=]?\s*", "", text)
    text = re.sub(r'"\$\(realpath (\S+)\)"', r"\1", text)
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    return [given for word in after(list(lexer)) if (given := expanded(word, environ))]


def after(words: list[str]) -> list[str]:
    """What follows the program, up to the next command."""
    start = next((n for n, word in enumerate(words) if PROGRAM.search(word)), len(words))
    rest = words[start + 1 :]
    end = next((n for n, word in enumerate(rest) if STOPS.fullmatch(word)), len(rest))
    return rest[:end]


def expanded(word: str, environ: dict[str, str]) -> str:
    """A shell's variables and its home."""
    return VARIABLE.sub(lambda found: environ.get(found[1] or "HOME", found[0]), word)


def options(words: list[str]) -> Iterator[Pair]:
    """The words as getopt takes them; files that stand alone come last, as key ``ini``."""
    left, late = iter(words), []
    for word in left:
        if word.startswith("--"):
            yield long(word[2:], left)
        elif word.startswith("-") and word[1:2] in shorts():
            yield short(word, left)
        elif not word.startswith("["):
            late.append(word)
    for word in late:
        yield ("wsgi-file" if word.endswith(".py") else "ini"), word


def long(word: str, left: Iterator[str]) -> Pair:
    name, equals, value = word.partition("=")
    takes = "required" in {entry.arg for entry in meant(name)} and not equals
    return name, next(left, "") if takes else value


def short(word: str, left: Iterator[str]) -> Pair:
    entry = shorts()[word[1]]
    return entry.name, word[2:] or (next(left, "") if entry.arg == "required" else "")


@cache
def shorts() -> dict[str, Entry]:
    """Options by their letter."""
    return {entry.short: entry for entry in entries() if entry.short}


def meant(name: str) -> list[Entry]:
    """What a name, or the beginning of one, stands for."""
    table = by_name()
    return [table[name]] if name in table else [table[one] for one in table if one.startswith(name)]


def read(reader: Reader, words: list[str]) -> list[Pair]:
    """Every option that the environment and the words give, in uWSGI's order."""
    for name, value in reader.environ.items():
        if name.startswith("UWSGI_"):
            reader.take(name[6:].lower().replace("_", "-"), value)
    for key, value in options(words):
        reader.take(key, value)
    return reader.all()
