"""Words to settings, as the command line does it; an application is there where none is named."""

from collections.abc import Sequence

from penstock.config.assemble import assemble
from penstock.config.finding import Finding
from penstock.config.raw import RawOption
from penstock.config.settings import Settings
from penstock.config.sources.argv import ORIGIN, walk
from penstock.core.errors import ConfigError

APPLICATION = "package.module:callable"


def read_argv(words: Sequence[str]) -> list[RawOption]:
    """The options of a command line that names no files. Raises ConfigError for the first word that cannot be
    read."""
    raws: list[RawOption] = []
    for found in walk(words):
        if isinstance(found, Finding):
            raise ConfigError(found.message, ORIGIN)
        raws.append(found)
    return raws


def parse(*words: str, environment: list[RawOption] | None = None) -> Settings:
    """The short form's settings from ``words`` behind what the environment says. Raises ConfigError."""
    return assemble([*(environment or []), *read_argv([APPLICATION, *words])])


def bare(*words: str) -> Settings:
    """The settings from ``words`` alone. Raises ConfigError."""
    return assemble(read_argv(words))
