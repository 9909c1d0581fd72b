"""Opens files that root writes where others may write too: logs and pidfiles.

Run on the main thread at start, and when logs are opened anew. It does not know what is written.
"""

import errno
import os


def open_unled(path: str, flags: int, mode: int) -> int:
    """A descriptor of ``path``, as os.open gives it, which does not wait for the reader of a pipe.

    A last link that is neither root's nor ours is not followed: whoever may write in the folder, as the
    application's user often does, could lead root to any file. Raises OSError.
    """
    flags |= os.O_CLOEXEC | os.O_NONBLOCK
    try:
        fd = os.open(path, flags | os.O_NOFOLLOW, mode)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        owner = os.lstat(path).st_uid
        if owner not in (0, os.geteuid()):
            raise OSError(errno.ELOOP, f"it is a link of user {owner}'s, which is not followed") from error
        fd = os.open(path, flags, mode)
    os.set_blocking(fd, True)
    return fd
