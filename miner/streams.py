"""The standard streams when they are closed, full, or made for less than Unicode."""

import io
import os
import sys
import threading
from contextlib import suppress
from typing import TextIO, cast

NO_MEMORY = b"miner: a thread ended, out of memory: raise the limits on threads and memory\n"


def prepare() -> None:
    """Before anything is opened or printed.

    A closed stream becomes the null device: else the next file opened, a journal or a connection,
    gets its number, and whatever prints there writes into it. A character the terminal's encoding
    lacks is written as its escape.
    """
    with suppress(OSError):
        while (spare := os.open(os.devnull, os.O_RDWR)) <= 2:
            pass
        os.close(spare)
    sys.stdin, sys.stdout = sys.stdin or null("r"), sys.stdout or null("w")
    sys.stderr = sys.stderr or null("w")
    threading.excepthook = thread_ended
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def thread_ended(failure: threading.ExceptHookArgs) -> None:
    """For threading.excepthook: one line where memory ran out, as little as it takes. A bug keeps
    its traceback."""
    if not issubclass(failure.exc_type, MemoryError):
        threading.__excepthook__(failure)
        return
    with suppress(OSError, MemoryError):
        os.write(2, NO_MEMORY)


def null(mode: str) -> TextIO:
    """The null device, to stay open."""
    return cast(TextIO, open(os.devnull, mode, encoding="utf-8"))


def let_go() -> str:
    """Drop what a full disk or a reader that left did not take, or Python fails on it at exit.

    Why, in words; "" when all was written.
    """
    why = ""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return why
