"""systemd's notification (sd_notify(3)): the service is ready, reloads, lives, stops (``Type=notify``).

Used on the main thread; without a socket to tell it to, nothing happens.
"""

import errno
import socket
import time
from collections.abc import Callable


class Notice:
    """``address`` is NOTIFY_SOCKET, "" for none; ``warn`` is told when it cannot be reached."""

    def __init__(self, address: str, warn: Callable[[str], None]) -> None:
        self.address = address
        self.warn = warn

    def reloading(self) -> None:
        """A reload has begun (``Type=notify-reload`` compares the clock)."""
        self.tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}", "STATUS=reloading")

    def tell(self, *lines: str) -> None:
        """Send one message, a line for each state: ``READY=1``, ``STATUS=…``. Raises nothing."""
        if not self.address:
            return
        where = self.address
        if where.startswith("@"):
            where = "\0" + where[1:]
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
                sock.setblocking(False)
                sock.sendto("\n".join(lines).encode(), where)
        except (BlockingIOError, InterruptedError):
            pass  # it is busy; what matters is said again
        except OSError as error:
            if error.errno == errno.ENOBUFS:
                return
            self.warn(f"NOTIFY_SOCKET {self.address}: {error.strerror}")
            self.address = ""
