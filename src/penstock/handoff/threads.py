"""The names of a process's threads, for whoever shows their stacks.

Runs on any thread. It knows nothing else of them.
"""

import threading


def names() -> dict[int, str]:
    """By identifier, those that were started by ``threading`` or have used it."""
    return {thread.ident: thread.name for thread in threading.enumerate() if thread.ident is not None}
