"""What those who look for causes see of the supervisor: enough to ask it, and no more.

Runs nowhere: the forms alone, for ``touch``, ``autoreload`` and ``evil``.
"""

from typing import Protocol

from penstock.config.settings import Settings
from penstock.logs.setup import Diary
from penstock.process.supervisor.handle import Handle
from penstock.process.supervisor.watch import Watch


class Seen(Protocol):
    """A supervisor, whose settings may be others after a reload."""

    @property
    def settings(self) -> Settings: ...
    @property
    def diary(self) -> Diary: ...
    @property
    def watch(self) -> Watch: ...

    def handles(self) -> list[Handle]: ...
    def reload(self, why: str, how: str = ..., /) -> None: ...
    def replace(self, handle: Handle, why: str) -> None: ...
    def kill(self, handle: Handle, why: str) -> None: ...
