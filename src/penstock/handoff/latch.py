"""A thing that has happened or not, and that other threads may wait for."""

from _thread import allocate_lock


class Latch:
    """Starts shut; ``open`` once lets everybody through who waits or will; ``shut`` starts it anew."""

    def __init__(self) -> None:
        self.lock = allocate_lock()
        self.lock.acquire()

    def open(self) -> None:
        """It has happened; again does no harm."""
        if self.lock.locked():
            try:
                self.lock.release()
            except RuntimeError:  # another thread opened it in this instant
                pass

    def shut(self) -> None:
        """Start anew."""
        self.lock.acquire(blocking=False)

    def wait(self, timeout: float = -1) -> bool:
        """Wait, at most ``timeout`` seconds (-1: for ever); whether it has happened."""
        if not self.lock.acquire(timeout=timeout):
            return False
        self.lock.release()  # for the next one who waits
        return True
