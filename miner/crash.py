"""Crash points: for tests alone, the process dies at a named step when MINER_CRASH_AT says so.

`MINER_CRASH_AT=fsync` kills at the first visit of that point, `fsync:3` at the third. Points, in
the order a run meets them: folder (a new journal file is durable), then for each found block
found, write, fsync, send, reply, settle.
"""

import itertools
import os
import signal

_NAME, _, _VISIT = os.environ.get("MINER_CRASH_AT", "").partition(":")
_VISITS = itertools.count(1)


def crash_point(name: str) -> None:
    """Die as by `kill -9` when this point was asked for; else do nothing."""
    if name == _NAME and next(_VISITS) == int(_VISIT or 1):
        if hasattr(signal, "SIGKILL"):
            os.kill(os.getpid(), signal.SIGKILL)
        os._exit(137)  # a system without SIGKILL: as near as it gets
