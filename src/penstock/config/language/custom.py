"""Options that a configuration declares itself: ``declare-option = name=a=$1;b=$2``.

Used at start while a configuration is read; it knows texts, not what the options do.
"""

from collections.abc import Iterator

from penstock.config.language.limits import Endless
from penstock.config.language.names import NONE, REQUIRED

HOLES = ("$1", "$2", "$3")
"""uWSGI looks for no more than three to see whether an argument is expected on the command line."""
MOST_WORDS = 100
"""Arguments of one option."""
LARGEST = 1 << 20
"""Characters of one option that another stands for."""


def argument(template: str) -> str:
    """Whether an option of this template has an argument on the command line."""
    return REQUIRED if any(hole in template for hole in HOLES) else NONE


def options(template: str, value: str) -> Iterator[tuple[str, str]]:
    """The keys and values that ``template`` gives for ``value``, whose words are ``$1``, ``$2`` and so on.

    What has no word for it stays as it stands; what follows a part without ``=`` is left out, as in uWSGI.
    Raises Endless where it grows beyond LARGEST.
    """
    # A value with n spaces has n + 1 words, some of them missing where spaces follow each other.
    words = value.split()[:MOST_WORDS] or [""]
    for part in template.split(";"):
        key, equals, text = part.partition("=")
        if part and not equals:
            return
        for number, word in enumerate(words, 1):
            key, text = filled(key, f"${number}", word), filled(text, f"${number}", word)
        if part:
            yield key, text


def filled(text: str, hole: str, word: str) -> str:
    """``text`` with ``word`` in the place of ``hole``. Raises Endless where that is too large: a word may
    hold the next one's place twice, and so double a hundred times."""
    if len(text) + text.count(hole) * len(word) > LARGEST:
        raise Endless("what the declared option stands for grows without end")
    return text.replace(hole, word)
