"""Passwords given as arguments: other users of the machine could read them in `ps`."""

import ctypes
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

ARG_START, ARG_END = 47, 48  # fields 48 and 49 of /proc/self/stat, counted from 0 (proc(5))


def hide_arguments(secrets: Sequence[str]) -> bool:
    """Overwrite each secret in this process's argument list with x; True where that worked.

    Linux alone: the kernel shows /proc/self/cmdline out of the process's own memory.
    """
    if not sys.platform.startswith("linux") or not any(secrets):
        return False
    with suppress(OSError, ValueError, IndexError):
        stat = Path("/proc/self/stat").read_text(encoding="ascii", errors="replace")
        fields = stat.rpartition(")")[2].split()  # the name in brackets may hold blanks
        start, end = int(fields[ARG_START - 2]), int(fields[ARG_END - 2])
        shown = bytes(Path("/proc/self/cmdline").read_bytes())
        if not 0 < end - start == len(shown):
            return False
        hidden = shown
        for secret in secrets:
            raw = secret.encode("utf-8", "surrogateescape")
            if raw:
                hidden = hidden.replace(raw, b"x" * len(raw))
        ctypes.memmove(start, hidden, len(hidden))
        return True
    return False
