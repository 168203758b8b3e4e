"""Runs a learner's file on the cases of an exercise, in a process of its own.

It may take so many seconds, and so much memory where the system can limit that. Whatever it does,
the judge gets an `Attempt` that says how far it came. It guards against accidents; it is no
sandbox.
"""

import json
import os
import queue
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from miner import files
from miner.errors import ConfigError, MinerError
from miner.learn.candidate import decode, encode
from miner.signals import kill

SECONDS = 10.0  # for loading the file and all cases
MEMORY_BYTES = 1024**3
STARTING_S = 60.0  # for Python itself to start, on a machine that is busy
ENDING_S = 2.0  # for a process that was ended to be gone
MOST_SOURCE_BYTES = 256 * 1024
MOST_PRINTED = 2_000  # characters of what the program prints that are kept
MOST_LINE_BYTES = 16 * 1024**2  # of one answer
COMMAND = (sys.executable, "-P", "-B", "-X", "utf8", "-m", "miner.learn.candidate")


@dataclass(frozen=True, slots=True)
class Trouble:
    """An exception of the program."""

    error: str  # its type
    said: str
    line: int | None  # of the program
    code: str  # that line
    syntax: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one case gave: a value, or the exception that came instead."""

    value: Any = None
    trouble: Trouble | None = None
    calls: int = 0  # of `compress`, where they are counted


@dataclass(frozen=True, slots=True)
class Attempt:
    """How far the program came."""

    outcomes: tuple[Outcome, ...]
    printed: str = ""
    unloaded: Trouble | None = None  # the file cannot be run at all
    missing: tuple[str, ...] | None = None  # functions there are, where ours is not
    end: str = ""  # "time", "exit" or "signal", when it did not come to its end
    code: int = 0  # the exit code, or the signal's number
    loaded: bool = False


def source_of(path: Path) -> bytes:
    """The learner's file. Raises ConfigError: missing, no file, unreadable or far too long."""
    try:
        return files.read(path, MOST_SOURCE_BYTES)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from error


@dataclass(slots=True)
class _Read:
    """What a thread reads from a pipe, as far as anybody wants it."""

    pipe: IO[bytes]
    kept: bytearray = field(default_factory=bytearray)

    def keep(self) -> None:
        """Everything is read, so that nobody waits to write; only the beginning is kept."""
        while piece := os.read(self.pipe.fileno(), 65536):
            self.kept += piece[: max(MOST_PRINTED - len(self.kept), 0)]

    def pass_on(self, token: bytes, told: "queue.Queue[dict[str, Any] | None]") -> None:
        """The lines that begin with the token, until there are no more."""
        while line := self.pipe.readline(MOST_LINE_BYTES):
            if line.startswith(token) and line.endswith(b"\n"):
                with suppress(ValueError):
                    told.put(json.loads(line[len(token) :]))
        told.put(None)


@dataclass(slots=True)
class _Story:
    """What the process has told so far."""

    outcomes: list[Outcome] = field(default_factory=list)
    unloaded: Trouble | None = None
    missing: tuple[str, ...] | None = None
    loaded: bool = False
    done: bool = False

    def hear(self, word: dict[str, Any]) -> None:
        match word["kind"]:
            case "loaded":
                self.loaded = True
            case "unloaded":
                self.unloaded = _trouble(word)
            case "missing":
                self.missing = tuple(word["names"])
            case "raised":
                self.outcomes.append(Outcome(trouble=_trouble(word)))
            case "returned":
                self.outcomes.append(Outcome(decode(word["value"]), None, word["calls"]))
            case "done":
                self.done = True


def _trouble(word: dict[str, Any]) -> Trouble:
    return Trouble(word["error"], word["said"], word["line"], word["code"], word["syntax"])


def run(
    path: Path,
    source: bytes,
    function: str,
    cases: Sequence[tuple[Any, ...]],
    counted: bool = False,
    seconds: float = SECONDS,
) -> Attempt:
    """Call `function` of the program with each case, until all are done or the time is up."""
    token = secrets.token_hex(16)
    order = {
        "token": token, "path": str(path.resolve()), "source": source.hex(), "function": function,
        "cases": [encode(list(one)) for one in cases], "counted": counted, "memory": MEMORY_BYTES,
    }  # fmt: skip
    story, told = _Story(), queue.Queue[dict[str, Any] | None]()
    with _started(path) as process:
        assert process.stdin and process.stdout and process.stderr
        answers, prints = _Read(process.stdout), _Read(process.stderr)
        readers = [_in_thread(prints.keep)]
        readers.append(_in_thread(lambda: answers.pass_on(token.encode(), told)))
        with suppress(OSError), process.stdin:  # it ended at once: it tells nothing
            process.stdin.write(json.dumps(order).encode() + b"\n")
        late = _listen(story, told, seconds)
        if not late:
            with suppress(subprocess.TimeoutExpired):
                process.wait(ENDING_S)
        code = process.poll()
    _finish(process, readers)
    end = "" if story.done else "time" if late else "exit" if (code or 0) >= 0 else "signal"
    return Attempt(
        tuple(story.outcomes), prints.kept.decode("utf-8", "replace"), story.unloaded,
        story.missing, end, abs(code or 0), story.loaded,
    )  # fmt: skip


def _listen(story: _Story, told: "queue.Queue[dict[str, Any] | None]", seconds: float) -> bool:
    """Hear what the process tells until it is done or gone; True when the time is up."""
    until = time.monotonic() + STARTING_S
    while not story.done:
        try:
            word = told.get(timeout=max(until - time.monotonic(), 0))
        except queue.Empty:
            return True
        if word is None:
            return False
        if word["kind"] == "ready":
            until = time.monotonic() + seconds
        story.hear(word)
    return False


@contextmanager
def _started(path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """The process, which is gone afterwards with all that belongs to it."""
    folder = path.resolve().parent
    try:
        process = subprocess.Popen(
            COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            cwd=folder, start_new_session=True,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # numpy's threads reserve memory each
        )  # fmt: skip
    except OSError as error:
        raise MinerError(f"{path} cannot be tried: Python does not start: {error}") from error
    try:
        yield process
    finally:
        kill(process, ENDING_S)


def _in_thread(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, name="attempt", daemon=True)
    thread.start()
    return thread


def _finish(process: "subprocess.Popen[bytes]", readers: list[threading.Thread]) -> None:
    """Let the readers come to the end of their pipes; one whose writer lives on is left alone."""
    for reader in readers:
        reader.join(ENDING_S)
    if not any(reader.is_alive() for reader in readers):
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
