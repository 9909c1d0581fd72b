"""systemd's notification (sd_notify(3)): that the service is ready, and that it stops (``Type=notify``).

Used on the main thread; without a socket to tell it to, nothing happens.
"""

import socket
from collections.abc import Callable


class Notice:
    """``address`` is NOTIFY_SOCKET, "" for none; ``warn`` is told when it cannot be reached."""

    def __init__(self, address: str, warn: Callable[[str], None]) -> None:
        self.address = address
        self.warn = warn

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
        except OSError as error:
            self.warn(f"NOTIFY_SOCKET {self.address}: {error.strerror}")
            self.address = ""
