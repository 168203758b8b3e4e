"""Tries mutants by fork, so that none of hundreds pays for starting Python and pytest.

Started as a program of its own, single-threaded: it imports the tests and the code once, then
forks for each order on stdin. The child exchanges the code of the module's functions for that of
the mutant and runs the module's tests. Orders and answers are JSON, one a line.
"""

import gc
import json
import os
import signal
import subprocess
import sys
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from types import CodeType, FunctionType

from lab.reliability.measure import ROOT, SCRIPTS
from lab.reliability.mutants import TESTS, mutated, source_of

CPU_S = 12  # a mutant that runs for ever is noticed, by time on the processor: the same on every
WALL_S = 90  # machine, or by the clock when it sleeps
MEMORY = 6 << 30  # bytes of address space
BROKEN = 99  # exit code of a child that did not come to run the tests
Key = tuple[str, int]  # qualified name and first line


class Server:
    """The parent's side."""

    def __init__(self, modules: list[str], folder: Path) -> None:
        code = f"import sys; sys.path = [*sys.path[1:], {str(ROOT)!r}, {str(SCRIPTS)!r}]\n"
        code += "from lab.reliability.mutant_server import serve; serve()"
        self._process = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            cwd=ROOT,
        )  # fmt: skip
        self._send({"modules": modules, "folder": str(folder)})

    def noticed(self, module: str, index: int) -> bool:
        """Do the module's tests fail with this mutant? -1: with the module as it is."""
        self._send({"module": module, "index": index})
        assert self._process.stdout is not None
        answer: bool | None = json.loads(self._process.stdout.readline())
        if answer is None:  # that would count as noticed
            raise RuntimeError(f"mutant {index} of {module} could not be tried")
        return answer

    def _send(self, order: dict[str, object]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(WALL_S + 10)
        self._process.stdout.close()


def serve() -> None:
    order = json.loads(sys.stdin.readline())
    answers = os.fdopen(os.dup(1), "w")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for fd in (1, 2):
        os.dup2(nowhere, fd)
    paths = sorted({path for module in order["modules"] for path in TESTS[module]})
    run_tests(paths, order["folder"], "--collect-only")
    table = functions(order["modules"])
    gc.freeze()
    for line in sys.stdin:
        order |= json.loads(line)
        pid = os.fork()
        if pid == 0:
            with suppress(BaseException):
                live(order, table)
            os._exit(BROKEN)
        _, status = os.waitpid(pid, 0)
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        broken = os.waitstatus_to_exitcode(status) == BROKEN
        answers.write(json.dumps(None if broken else status != 0) + "\n")
        answers.flush()


def live(order: dict[str, str], table: dict[str, dict[Key, list[FunctionType]]]) -> None:
    """Be the mutant until its tests have ended."""
    import resource  # not on every system

    os.setsid()
    signal.alarm(WALL_S)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    exchange(order["module"], int(order["index"]), table[order["module"]])
    os._exit(run_tests(TESTS[order["module"]], order["folder"], "-x"))


def run_tests(paths: list[str] | tuple[str, ...], folder: str, *options: str) -> int:
    import pytest
    from hypothesis import settings

    # The same examples each time, no search for the shortest, and nothing kept for the real suite.
    settings.register_profile("mutants", deadline=None, derandomize=True, database=None)
    again = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"
    quiet = ("-q", "-W", again, "-p", "no:cacheprovider", "--hypothesis-profile=mutants")
    return int(pytest.main([*quiet, f"--basetemp={folder}", *options, *paths]))


def functions(modules: list[str]) -> dict[str, dict[Key, list[FunctionType]]]:
    """Every living function of these modules."""
    table: dict[str, dict[Key, list[FunctionType]]] = {}
    by_file = {str(source_of(module)): table.setdefault(module, defaultdict(list))
               for module in modules}  # fmt: skip
    for one in gc.get_objects():
        if isinstance(one, FunctionType) and one.__code__.co_filename in by_file:
            by_file[one.__code__.co_filename][key_of(one.__code__)].append(one)
    return table


def exchange(module: str, index: int, living: dict[Key, list[FunctionType]]) -> None:
    """Give each living function the code it has in the mutant."""
    pending, changed = [compile(mutated(module, index), str(source_of(module)), "exec")], index < 0
    while pending:
        code = pending.pop()
        pending += [const for const in code.co_consts if isinstance(const, CodeType)]
        for function in living.get(key_of(code), ()):
            changed |= function.__code__ != code
            function.__code__ = code
    assert changed, "no function is another one now"


def key_of(code: CodeType) -> Key:
    return code.co_qualname, code.co_firstlineno
