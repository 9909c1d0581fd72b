"""A lock in shared memory, for threads of several processes; when its holder dies the next one has it.

A robust mutex of the C library (POSIX ``pthread_mutexattr_setrobust``), used by ctypes: half a microsecond,
no system call where nobody contends. It does not know what it protects.
"""

import ctypes
import errno
import mmap
from collections.abc import Callable
from time import monotonic, time

SIZE = 128  # bytes; the largest pthread_mutex_t there is has 48
PATIENCE = 1.0  # seconds: a holder that was stopped (SIGSTOP, a debugger) does not stop everybody
SLICE = 0.05  # seconds of sleep before the lock is looked at again
SHARED, ROBUST, CHECKED = 1, 1, 2  # PTHREAD_PROCESS_SHARED, PTHREAD_MUTEX_ROBUST, …_ERRORCHECK: Linux's ABI

Call = Callable[..., int]

_held = ctypes.PyDLL(None)  # keeps the interpreter's lock: for calls that do not wait
_free = ctypes.CDLL(None)  # lets go of it


class _Until(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]


class Lock:
    """The lock at the beginning of ``memory``.

    Whoever wants it asks ``attempt(address)``, which never waits: 0 when it is held now; with anything else
    ``settle`` is asked. All of it stands in a ``try`` whose ``finally`` begins with ``release(address)``: an
    exception from outside (a deadline) may come at any step, also between having the lock and knowing it.
    ``release`` is a function of C, before which no such step is, and does nothing for who does not hold it.
    Who was refused releases ``nobodys`` instead: it may be that the same thread, further up, holds the lock.
    """

    def __init__(self, memory: mmap.mmap, make: bool) -> None:
        """``make``: nobody else has the memory yet. Raises OSError where the system has no such locks."""
        self.anchor: ctypes.c_char | None = ctypes.c_char.from_buffer(memory)
        self.address = ctypes.c_void_p(ctypes.addressof(self.anchor))
        # By item: an attribute's function, and types set on it, would be shared with the application.
        self.attempt: Call = _held["pthread_mutex_trylock"]
        self.release: Call = _held["pthread_mutex_unlock"]
        self.mend: Call = _held["pthread_mutex_consistent"]
        self.wait: Call = _free["pthread_mutex_timedlock"]
        if make:
            self.make(self.address)
        self.patience = PATIENCE
        self.spare = ctypes.create_string_buffer(SIZE)
        self.nobodys = ctypes.c_void_p(ctypes.addressof(self.spare))
        self.make(self.nobodys)

    def make(self, address: ctypes.c_void_p) -> None:
        """Make one, free. Raises OSError where the system has no such locks."""
        kind = ctypes.create_string_buffer(64)  # a pthread_mutexattr_t, with room to spare
        steps = [
            _held["pthread_mutexattr_init"](kind),
            _held["pthread_mutexattr_setpshared"](kind, SHARED),
            _held["pthread_mutexattr_setrobust"](kind, ROBUST),
            _held["pthread_mutexattr_settype"](kind, CHECKED),
            _held["pthread_mutex_init"](address, kind),
        ]
        for failed in filter(None, steps):
            raise OSError(failed, "no lock that processes share")

    def settle(self, result: int) -> bool:
        """What follows an ``attempt`` that said ``result``, not 0: have the lock, after ``patience`` at most;
        False when it cannot be had, by its holder either (a finalizer, a signal's function).

        It sleeps in slices, because nobody may wake it: where the one who was woken is killed before it has
        said that others sleep, and after that the holder is, the system knows of no sleeper.
        """
        until = monotonic() + self.patience
        while result == errno.EBUSY and (left := until - monotonic()) > 0:
            result = self._sleep(min(left, SLICE))
        if result == errno.EOWNERDEAD:
            result = self.mend(self.address)
        return result == 0

    def _sleep(self, seconds: float) -> int:
        """Until the lock is had, for so long at most; what ``attempt`` says then. The wall clock is what the
        system's function measures by: setting it costs a wait, no more."""
        then = time() + seconds
        result = self.wait(self.address, ctypes.byref(_Until(int(then), int(then % 1 * 1e9))))
        return self.attempt(self.address) if result == errno.ETIMEDOUT else result

    def close(self) -> None:
        """Let go of the memory; from now on nobody can have it."""
        self.attempt = self.release = self.wait = _gone
        self.anchor = None


def _gone(*arguments: object) -> int:
    return errno.EINVAL
