"""Which kind of start an emperor makes: whether it is all there is, or governs beside a server.

Called by ``serve`` at each start, so it loads nothing of an emperor.
"""

from penstock.config.settings import Settings
from penstock.config.settings.household import CRONS, DAEMONS
from penstock.process.emperor.bond import bond

BESIDE = (
    *(*DAEMONS, *CRONS, "mule", "mules", "spooler"),
    *("touch_exec", "hook_touch", "check_mountpoint", "setns_socket", "hook_master_start"),
)
"""Fields of what a supervisor does without a socket."""


def alone(settings: Settings) -> bool:
    """Whether there is an emperor and nothing else to do: then no supervisor is needed for it, also where
    ``master`` asks for one (uWSGI's would look after a worker that nobody can reach)."""
    return bool(settings.emperor) and not settings.listeners and not settings.any_of(BESIDE)


def unprivileged(settings: Settings) -> Settings:
    """Settings as an emperor alone has them: one that starts before rights are dropped (``early-emperor``)
    keeps them for good, as in uWSGI."""
    if settings.early_emperor and alone(settings):
        return settings.but(uid="", gid="", add_gid=())
    return settings


def supervised(settings: Settings) -> bool:
    """Whether a supervisor is needed: what asks for one, an emperor beside a server, and, as in uWSGI, every
    vassal has one."""
    if alone(settings):
        return False
    return settings.supervised or bool(settings.emperor) or bond.number >= 0
