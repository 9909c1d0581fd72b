"""The command line as raw options, by uWSGI's rules and a short form for hands used to gunicorn."""

from collections.abc import Sequence

from penstock.config.option import FLAG, Option
from penstock.config.raw import RawOption
from penstock.config.registry import beginnings, by_short, find, suggest
from penstock.core.errors import ConfigError

ORIGIN = "command line"


def read_argv(words: Sequence[str]) -> list[RawOption]:
    """Options in order; a word that is no option names the application (``module:callable``).

    Raises ConfigError for an unknown option or one without its value.
    """
    raws: list[RawOption] = []
    at = 0
    words = list(words)
    while at < len(words):
        word = words[at]
        at += 1
        if word == "--":
            raws += [positional(rest) for rest in words[at:]]
            break
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            option = find(name)
            if option is None:
                raise ConfigError(unknown(name), ORIGIN)
            at += take(raws, option, value if equals else None, words[at : at + 1])
        elif word.startswith("-") and len(word) > 1:
            at += short(raws, word[1:], words[at : at + 1])
        else:
            raws.append(positional(word))
    return raws


def unknown(name: str) -> str:
    """What to say of a name that is no option, or the beginning of several."""
    candidates = beginnings(name)
    if len(candidates) > 1:
        return f"--{name} may be {', '.join('--' + full for full in candidates)}"
    return f"unknown option --{name}{suggest(name)}"


def take(raws: list[RawOption], option: Option, value: str | None, following: list[str]) -> int:
    """Add an option; how many of the following words were its value."""
    if value is None and option.bare is None:
        if not following:
            raise ConfigError(f"--{option.name} needs a value: {option.metavar}", ORIGIN)
        raws.append(RawOption(option.name, following[0], ORIGIN))
        return 1
    raws.append(RawOption(option.name, value, ORIGIN))
    return 0


def short(raws: list[RawOption], letters: str, following: list[str]) -> int:
    """``-M``, ``-s ADDRESS``, ``-sADDRESS``, and flags together, ``-ML``."""
    while letters:
        option = by_short().get(letters[0])
        if option is None:
            raise ConfigError(f"unknown option -{letters[0]}", ORIGIN)
        rest = letters[1:]
        if option.kind == FLAG:
            raws.append(RawOption(option.name, None, ORIGIN))
            letters = rest
            continue
        return take(raws, option, rest.removeprefix("=") or None, following)
    return 0


def positional(word: str) -> RawOption:
    """The application, or a file that later versions read."""
    path = word.partition(":")[0].lower()
    if path.endswith((".ini", ".xml", ".yaml", ".yml", ".json", ".js", ".toml")):
        raise ConfigError(f"{word}: configuration files are not part of this version", ORIGIN)
    return RawOption("<application>", word, ORIGIN)
