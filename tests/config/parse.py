"""Words to settings, as the command line does it; an application is there where none is named."""

from penstock.config.assemble import assemble
from penstock.config.raw import RawOption
from penstock.config.settings import Settings
from penstock.config.sources.argv import read_argv

APPLICATION = "package.module:callable"


def parse(*words: str, environment: list[RawOption] | None = None) -> Settings:
    """The short form's settings from ``words`` behind what the environment says. Raises ConfigError."""
    return assemble([*(environment or []), *read_argv([APPLICATION, *words])])


def bare(*words: str) -> Settings:
    """The settings from ``words`` alone. Raises ConfigError."""
    return assemble(read_argv(words))
