"""A terminal for a command that draws on one: what it writes, keys that are pressed, its end."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time

SIZE = (40, 130)  # rows and columns
LATELY = 20_000  # characters: the last few drawings


class Terminal:
    """``python -m penstock`` with these words on a terminal of its own."""

    def __init__(self, words: list[str], env: dict[str, str]) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
        command = [sys.executable, "-m", "penstock", *words]
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=env)
        os.close(slave)
        self.text = ""

    def read(self, seconds: float) -> bool:
        """What comes within that time; False at the end."""
        if not select.select([self.master], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.master, 1 << 16)
        except OSError:  # EIO: nobody has the other side any more
            return False
        self.text += data.decode(errors="replace")
        return bool(data)

    def wait_for(self, text: str, seconds: float = 20.0) -> None:
        """Until that was written."""
        until = time.monotonic() + seconds
        while text not in self.text:
            assert time.monotonic() < until and self.read(0.1), f"{text!r} was not written:\n{self.text}"

    def plain(self) -> str:
        """What was written last, without what moves the cursor and colours it."""
        self.read(0.1)
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.text[-LATELY:])

    def press(self, keys: bytes) -> None:
        """Keys."""
        if keys:
            os.write(self.master, keys)

    def end(self, seconds: float = 20.0) -> tuple[int, str]:
        """The exit status and all that was written."""
        until = time.monotonic() + seconds
        while self.read(0.1) and time.monotonic() < until:
            if self.process.poll() is not None and not select.select([self.master], [], [], 0)[0]:
                break
        return self.process.wait(5), self.text

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *error: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
