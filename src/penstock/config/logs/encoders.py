"""Encoders as they are written: what is made of each line on its way to a logger, and in which order.

Pure, for whoever reads the configuration and for the process that writes the lines. It knows the templates'
form and not what is put into them.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

PREFIX, SUFFIX, NL, FORMAT, JSON = "prefix", "suffix", "nl", "format", "json"
GZIP, COMPRESS, BASE64, HEX = "gzip", "compress", "base64", "hex"
NAMES = (PREFIX, SUFFIX, NL, FORMAT, JSON, GZIP, COMPRESS, BASE64, HEX)
TEMPLATES = (FORMAT, JSON)
ABSENT = {
    "msgpack": "format and json make a line of the same",
    "crypto": "nothing is encrypted here; a pipe: logger can run a program that does",
}
VARIABLES = ("msg", "msgnl", "unix", "micros", "millis")
STRFTIME = "strftime:"
EMPTY = '{} writes nothing without a template, such as json {{"at":${{unix}},"message":"${{msg}}"}}'
VARIABLE = re.compile(r"\$\{([^}]*)\}")


@dataclass(frozen=True, slots=True)
class Encoder:
    """``name`` as above with its ``argument``; ``logger`` the id of the one that it is for, "" for all.

    ``parts`` of a template: text, and a variable, in turn, beginning and ending with text.
    """

    name: str
    argument: str = ""
    logger: str = ""
    parts: tuple[str, ...] = ()

    @property
    def doubtful(self) -> tuple[str, ...]:
        """What whoever wrote it should know."""
        return (EMPTY.format(self.name),) if self.name in TEMPLATES and not self.argument.strip() else ()


def parse_encoder(text: str) -> Encoder:
    """``log-encoder`` and ``log-req-encoder``: ``NAME[:ID][ ARGUMENT]``. Raises ValueError."""
    head, _, argument = text.partition(" ")
    name, _, logger = head.partition(":")
    if name in ABSENT:
        raise ValueError(f"there is no encoder {name}: {ABSENT[name]}")
    if name not in NAMES:
        raise ValueError(f"there is no encoder {name!r}: {', '.join(NAMES)} are known")
    parts = parts_of(argument) if name in TEMPLATES else ()
    return Encoder(name, argument, logger, parts)


def parts_of(template: str) -> tuple[str, ...]:
    """A template taken apart. Raises ValueError for a variable that there is not."""
    parts = tuple(VARIABLE.split(template))
    for variable in parts[1::2]:
        if variable not in VARIABLES and not variable.startswith(STRFTIME):
            known = ", ".join([*VARIABLES, f"{STRFTIME}FORMAT"])
            raise ValueError(f"there is no variable ${{{variable}}}: {known} are known")
    return parts


def parsed_encoders(texts: Iterable[str]) -> tuple[Encoder, ...]:
    """Each as it is written, in the order in which they follow each other. Raises ValueError."""
    return tuple(parse_encoder(text) for text in texts)
