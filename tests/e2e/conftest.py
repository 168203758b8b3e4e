"""The real command line as a subprocess, with a home of its own."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


class Command:
    """One running `miner`; its output is collected line by line."""

    def __init__(self, home: Path, *arguments: str, **environment: str) -> None:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("MINER_")}
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "miner", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**inherited, "MINER_HOME": str(home), "MINER_IDLE": "no", **environment},
        )
        self.out: list[str] = []
        self.err: list[str] = []
        self._readers = [
            threading.Thread(target=self._read, args=pair)
            for pair in ((self.process.stdout, self.out), (self.process.stderr, self.err))
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: Any, lines: list[str]) -> None:
        with stream:
            lines.extend(iter(stream.readline, ""))

    def until(self, *words: str, within_s: float = 40.0) -> str:
        """The first line that holds all of the words."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            ended = self.process.poll() is not None
            for line in [*self.out, *self.err]:
                if all(word in line for word in words):
                    return line
            assert not ended, f"ended with {self.process.returncode}:\n{self.text}"
            time.sleep(0.01)
        raise AssertionError(f"no line with {words!r} in {within_s} s:\n{self.text}")

    def end(self, within_s: float = 60.0) -> int:
        """The exit code; no output may be a traceback."""
        code = self.process.wait(within_s)
        for reader in self._readers:
            reader.join(5.0)
        assert "Traceback" not in self.text, self.text
        return code

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.end(10.0)

    @property
    def text(self) -> str:
        return "".join(self.out) + "".join(self.err)

    def objects(self, kind: str | None = None) -> list[dict[str, Any]]:
        """The lines of --json."""
        found = [json.loads(line) for line in list(self.out)]
        return [item for item in found if kind is None or item["type"] == kind]


Start = Callable[..., Command]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def miner(home: Path) -> Iterator[Start]:
    """Starts commands; those still running at the end are killed."""
    started: list[Command] = []

    def start(*arguments: str, **environment: str) -> Command:
        started.append(Command(home, *arguments, **environment))
        return started[-1]

    yield start
    for command in started:
        if command.process.poll() is None:
            command.process.kill()
        command.process.wait(10)
        for reader in command._readers:
            reader.join(5.0)
