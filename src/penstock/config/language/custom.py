"""Options that a configuration declares itself: ``declare-option = name=a=$1;b=$2``.

Used at start while a configuration is read; it knows texts, not what the options do.
"""

from collections.abc import Iterator

from penstock.config.language.names import NONE, REQUIRED

HOLES = ("$1", "$2", "$3")
"""uWSGI looks for no more than three to see whether an argument is expected on the command line."""
MOST_WORDS = 100
"""Arguments of one option."""


def argument(template: str) -> str:
    """Whether an option of this template has an argument on the command line."""
    return REQUIRED if any(hole in template for hole in HOLES) else NONE


def options(template: str, value: str) -> Iterator[tuple[str, str]]:
    """The keys and values that ``template`` gives for ``value``, whose words are ``$1``, ``$2`` and so on.

    What has no word for it stays as it stands; what follows a part without ``=`` is left out, as in uWSGI.
    """
    # A value with n spaces has n + 1 words, some of them missing where spaces follow each other.
    words = value.split()[:MOST_WORDS] or [""]
    for part in template.split(";"):
        key, equals, text = part.partition("=")
        if part and not equals:
            return
        for number, word in enumerate(words, 1):
            key, text = key.replace(f"${number}", word), text.replace(f"${number}", word)
        if part:
            yield key, text
