"""What the household sees of the supervisor that keeps it: its occasions, and enough to ask it.

Runs nowhere: the form alone. What is needed to run a program, and no more, is ``programs.House``.
"""

from collections.abc import Callable
from typing import Any, Protocol

from penstock.config.settings import Settings
from penstock.process.programs.programs import House

Call = Callable[[], None]


class Keeper(House, Protocol):
    """A supervisor, whose settings may be others after a reload; its occasions are
    ``supervisor.occasions``."""

    on_serving: list[Call]
    on_change: list[Call]
    on_generation: list[Callable[[str], None]]
    on_message: list[Callable[[Any, dict[str, Any]], None]]
    on_gone: list[Callable[[Any], None]]
    on_stop: list[Call]
    on_drained: list[Call]
    on_exec: list[Call]
    on_stay: list[Call]
    on_reopen: list[Callable[[tuple[int, ...], str], None]]
    unfinished: list[Callable[[], bool]]
    elders: set[int]
    carrying: dict[str, Any]
    alarm: Callable[[str, str], None]
    lineage: Any
    herd: Any

    @property
    def settings(self) -> Settings: ...
    @property
    def current(self) -> Any: ...
    @property
    def build(self) -> Any: ...
    @property
    def ending(self) -> Any: ...

    def environ(self) -> dict[str, str]: ...
    def reopen_logs(self) -> None: ...
    def handles(self) -> list[Any]: ...
    def stop(self, why: str, now: bool = False, code: int = 0) -> None: ...
    def look_whether_done(self) -> None: ...
