"""The phases of a life, and what is asked for at each: ``hook-PHASE``, ``mount-``, ``umount-``, ``exec-``.

Called on the main thread of the process whose phase it is, one that may wait. In uWSGI's order: the hooks,
then the mounts, then the commands.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from penstock.config.household import hooks
from penstock.config.household.hooks import Hook
from penstock.config.settings import Settings
from penstock.config.sources.env import export
from penstock.core.errors import StartError
from penstock.process.hooks.actions import Exit, HookError, Own, Place, perform

PHASES = (
    *("asap", "pre-jail", "post-jail", "in-jail", "as-root", "as-user", "pre-app", "post-app", "post-fork"),
    *("accepting", "accepting-once", "accepting1", "accepting1-once", "master-start", "touch", "as-mule"),
    *("as-user-atexit", "emperor-start", "emperor-stop", "emperor-reload", "emperor-lost"),
    *("as-emperor-before-vassal", "as-vassal-before-drop", "as-vassal", "as-emperor"),
    *("as-on-demand-vassal", "as-on-config-vassal"),
)
"""All there are."""
FORGIVING = frozenset(
    (
        *("touch", "as-user-atexit", "emperor-stop", "emperor-reload", "emperor-lost", "as-emperor"),
        *("as-emperor-before-vassal", "as-on-demand-vassal", "as-on-config-vassal"),
    )
)
"""Those at which a failure is told and the next hook is tried."""
FAMILIES = ("hook", "mount", "umount", "exec")
OF_PROCESS = ("cd", "chdir", "putenv")
"""Actions whose effect another process does not have."""
CONTEXT = "UWSGI_HOOK_CONTEXT"
NOTHING: Mapping[str, Callable[[str], None]] = {}


@dataclass(frozen=True, slots=True)
class Job:
    """A hook of a phase; ``option`` is where it was asked for."""

    option: str
    hook: Hook

    @property
    def shown(self) -> str:
        """For the log."""
        return f"{self.option}: {self.hook.shown}"


def jobs(settings: Settings, phase: str) -> list[Job]:
    """What is to be done at a phase, in this order."""
    return list(_jobs(settings, phase))


def _jobs(settings: Settings, phase: str) -> Iterator[Job]:
    for family in FAMILIES:
        option = f"{family}-{phase}"
        for text in getattr(settings, option.replace("-", "_"), ()):
            yield Job(option, hooks.parse(text) if family == "hook" else Hook(family, text))


def run(
    settings: Settings, phase: str, say: Callable[[str], None], context: str = "", own: Own = NOTHING
) -> bool:
    """Do all that is asked for at ``phase``, one after the other, and wait for each.

    ``say`` takes lines for the log; ``context`` is what the commands find in UWSGI_HOOK_CONTEXT; ``own`` are
    actions that this process carries out in its own way. True when all went well; at the phases of
    ``FORGIVING`` failures are told to ``say``, at all others the first one raises StartError.
    """
    wanted = jobs(settings, phase)
    if not wanted:
        return True
    place = Place(settings, say, own)
    if context:
        export([(CONTEXT, context)])
    try:
        outcomes = [tried(job, place, phase in FORGIVING) for job in wanted]
        return all(outcomes)
    finally:
        if context:
            export([(CONTEXT, None)])


def remember(settings: Settings, phase: str, say: Callable[[str], None]) -> None:
    """Do of a phase what a process has for itself. Raises StartError."""
    place = Place(settings, say)
    for job in jobs(settings, phase):
        if job.hook.action in OF_PROCESS:
            tried(job, place, False)


def tried(job: Job, place: Place, forgiving: bool) -> bool:
    """One of them."""
    place.say(f"penstock: {job.shown}")
    try:
        perform(job.hook, place)
    except Exit as error:
        raise Exit(f"{job.shown}: the process ends with {error.exit_code}", error.exit_code) from None
    except (OSError, HookError, StartError) as error:
        text = f"{job.shown}: {error}"
        if not forgiving:
            raise StartError(text) from None
        place.say(f"penstock: {text}")
        return False
    return True
