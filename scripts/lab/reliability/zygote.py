"""Makes fresh `miner` processes by fork, so that each of hundreds of deaths costs no start.

Started as a program of its own, single-threaded: it imports the command line once, then forks for
each order on stdin (one JSON object a line) and answers the child's pid, then its wait status.
What runs in the child is the real command line; only the interpreter's start is saved.
"""

import importlib
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from lab.reliability.measure import ROOT, SCRIPTS

LOADED = ("miner.cli.main", "miner.cli.mine", "miner.cli.session", "miner.backends.hashlib")


class Zygote:
    """The parent's side: one child at a time."""

    def __init__(self) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MINER_")}
        # The tests last on the path: `miner` is the installed one where there is one.
        code = f"import sys; sys.path = [*sys.path[1:], {str(ROOT)!r}, {str(SCRIPTS)!r}]\n"
        code += "from lab.reliability.zygote import serve; serve()"
        self._process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self._ended = threading.Event()
        self.pid = 0
        self.status = 0

    def start(self, *arguments: str, home: Path, out: Path, crash_at: str = "") -> int:
        """The pid of a new `miner`; its output goes to the file `out`."""
        order = {"argv": arguments, "home": str(home), "out": str(out), "crash_at": crash_at}
        assert self._process.stdin is not None
        self._ended.clear()
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        self.pid = self._read()
        threading.Thread(target=self._reap, daemon=True).start()
        return self.pid

    def wait(self, within_s: float) -> int | None:
        """The wait status, or None while it runs."""
        return self.status if self._ended.wait(within_s) else None

    def kill(self, number: int) -> None:
        """Signal the child, unless it has ended."""
        if not self._ended.is_set():
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return

    def close(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(10)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _reap(self) -> None:
        self.status = self._read()
        self._ended.set()

    def _read(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())


def serve() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a child that is not ready yet just dies
    for name in LOADED:
        importlib.import_module(name)
    replies = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            replies.close()
            live(order)
        replies.write(f"{pid}\n")
        replies.flush()
        _, status = os.waitpid(pid, 0)
        replies.write(f"{status}\n")
        replies.flush()


def live(order: dict[str, Any]) -> None:
    """Be a `miner` until the end."""
    from miner import crash
    from miner.cli.main import main

    os.setsid()  # children of its own are told from ours
    nowhere, out = os.open(os.devnull, os.O_RDONLY), os.open(order["out"], os.O_WRONLY | os.O_CREAT)
    for fd, place in ((nowhere, 0), (out, 1), (out, 2)):
        os.dup2(fd, place)
    os.environ |= {"MINER_HOME": order["home"], "MINER_IDLE": "no"}
    crash._NAME, _, crash._VISIT = order["crash_at"].partition(":")
    crash._VISITS = itertools.count(1)
    sys.argv = ["miner", *order["argv"]]
    code = 0
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        main()
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    except BaseException:  # noqa: BLE001 - as the interpreter would
        sys.excepthook(*sys.exc_info())
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
