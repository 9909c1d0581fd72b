"""The lame duck: a server that was told to stop serves on for a while and says that it is not ready.

Runs in the supervisor (``lame-duck``). Whoever sends it requests has that time to hear of it and to send them
elsewhere. It decides only when the stop itself begins; workers die and are followed meanwhile as ever.
"""

from penstock.process.supervisor.supervisor import CLEAN, Supervisor


class LameDuck:
    """Of one supervisor, whose ``postpone`` it is."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.supervisor = supervisor
        self.over = False
        supervisor.postpone = self.begins

    def begins(self, why: str, code: int) -> bool:
        """Whether the stop is put off. Being asked once more changes nothing: ``q`` in the pipe and then TERM
        is one wish, as without this. A stop that is a failure does not wait."""
        supervisor = self.supervisor
        seconds = supervisor.settings.lame_duck
        if self.over or code != CLEAN or supervisor.ending is not None:
            return False
        if supervisor.lame:
            return True
        if not seconds or not supervisor.herd.serving:
            return False
        supervisor.lame = True
        supervisor.diary.info(f"{why}: not ready any more; serving on for {seconds:g} s (lame-duck)")
        supervisor.herd.tell_all({"do": "limp"})
        supervisor.watch.later(seconds, lambda: self.end(why))
        return True

    def end(self, why: str) -> None:
        """The time is over; unless somebody wanted the end at once before."""
        self.over = True
        if self.supervisor.ending is None:
            self.supervisor.stop(why)
