"""Idle priority for hashing threads, so that the desktop stays usable."""

import os
import sys
from contextlib import suppress


def become_idle() -> str:
    """Give the calling thread the lowest priority the system offers; says which, or "".

    Linux: SCHED_IDLE for this thread alone, so that connections keep theirs. Elsewhere the whole
    process is made nice, where the system knows that.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
            return "idle"
    if sys.platform != "win32":
        with suppress(OSError):
            if os.getpriority(os.PRIO_PROCESS, 0) < 19:
                os.setpriority(os.PRIO_PROCESS, 0, 19)
            return "nice 19"
    return ""
