"""An error's traceback as text, whatever the error is.

What an application raises may be anything, and what is told of it stands between it and the reply that its
client is to have: this never raises.
"""

import traceback
from types import TracebackType


def traceback_of(error: BaseException) -> str:
    """The traceback of ``error`` for the log, without a line end behind it.

    Where Python cannot write it, with the places alone: an exception may answer what it is asked by another
    one, and CPython has parsed lines, to underline them, and failed with SystemError where an application has
    threads (python/cpython#106905).
    """
    try:
        return "".join(traceback.format_exception(error)).rstrip()
    except Exception as fault:
        places = "\n".join(frames(error.__traceback__))
        last = f"{type(error).__qualname__} (its text: {type(fault).__qualname__})"
        return f"Traceback (most recent call last):\n{places}\n{last}"


def frames(trace: TracebackType | None) -> list[str]:
    """File, line and function of each frame, from the outermost in."""
    found = []
    while trace is not None:
        code = trace.tb_frame.f_code
        found.append(f'  File "{code.co_filename}", line {trace.tb_lineno}, in {code.co_name}')
        trace = trace.tb_next
    return found
