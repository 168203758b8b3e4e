"""The files that earlier runs left behind: read at start, settled where they are.

A block stays in its own file until its fate is known, so that whoever is started next finds it,
whatever this run can do for it. A file locked by a running miner is left alone.
"""

import os
import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from miner.files import try_lock
from miner.journal.disk import keep_aside, open_private, read_all, take_lock
from miner.journal.records import Contents, encode, read, settled_record
from miner.work.found import FoundBlock, Verdict

MOST_REFUSED = 1_000  # refused blocks kept for people; waiting ones are never dropped
MOST_REFUSED_BYTES = 16 << 20


class Left(NamedTuple):
    """A block of an earlier run that waits, and the file it is in."""

    block: FoundBlock
    file: Path


@dataclass(slots=True)
class EarlierFile:
    """A file of a dead run in which something waits."""

    path: Path
    waiting: dict[str, FoundBlock]


class Earlier:
    """Every unlocked journal of a folder, `own` excepted. Methods may be called by any thread."""

    def __init__(self) -> None:
        self.notes: list[str] = []  # what was found damaged, for the screen
        self._lock = threading.Lock()
        self._files: list[EarlierFile] = []

    def read(self, folder: Path) -> None:
        """Read the folder's journals; files in which nothing waits are tidied up."""
        for path in sorted(folder.glob("*.journal")):
            try:
                self._read_one(path)
            except OSError as error:
                self.notes.append(f"journal {path}: {error.strerror}; left as it is")
        prune(folder)

    @property
    def left(self) -> tuple[Left, ...]:
        """Every waiting block, oldest first."""
        with self._lock:
            found = [Left(b, file.path) for file in self._files for b in file.waiting.values()]
        return tuple(sorted(found, key=lambda left: left.block.found_at))

    @property
    def count(self) -> int:
        """How many wait."""
        return sum(len(file.waiting) for file in self._files)

    def settle(self, verdict: Verdict) -> bool:
        """Write a final verdict into each file that waits for it. Raises OSError; a lost
        settlement costs one more submit at the next start."""
        with self._lock:
            files = [file for file in self._files if file.waiting.pop(verdict.hash_hex, None)]
            self._files = [file for file in self._files if file.waiting]
        for file in files:
            self._write(file, encode(settled_record(verdict)))
        return bool(files)

    def _read_one(self, path: Path) -> None:
        try:
            fd = open_private(path, create=False)
        except OSError:
            return  # gone, a pipe, a link: nothing of ours
        try:
            if not try_lock(fd, shared=True) or os.fstat(fd).st_nlink == 0:
                return
            contents = read(read_all(fd))
            self.notes += findings(path, contents)
            if contents.waiting:
                self._files.append(EarlierFile(path, contents.waiting))
            elif try_lock(fd):
                put_away(path, contents)
        finally:
            os.close(fd)

    def _write(self, file: EarlierFile, record: bytes) -> None:
        try:
            fd = open_private(file.path, create=False)
        except FileNotFoundError:
            return  # another run has settled it
        try:
            if not take_lock(fd) or os.fstat(fd).st_nlink == 0:
                return  # another run has it now, and asks for itself
            os.write(fd, b"\n" + record)  # whatever was torn ends here
            if not file.waiting and not (contents := read(read_all(fd))).waiting:
                put_away(file.path, contents)
        finally:
            os.close(fd)


def findings(path: Path, contents: Contents) -> list[str]:
    """What is wrong with a file, a line each; the lines in question are kept beside it."""
    aside = path.with_name(path.name + ".damaged")
    notes = []
    with suppress(OSError):
        if contents.damaged or contents.unusable:
            keep_aside(aside, [*contents.damaged, *contents.unusable])
    if contents.damaged:
        notes.append(f"{len(contents.damaged)} damaged records, kept in {aside.name}")
    for why in list(contents.unusable.values())[:3]:
        notes.append(f"a block that cannot be sent: {why[:120]}; kept in {aside.name}")
    if contents.newer:
        notes.append(f"{contents.newer} records of a newer homehash: use that one to send them")
    return [f"journal {path}: {note}" for note in notes]


def put_away(path: Path, contents: Contents) -> None:
    """Nothing waits in the file: delete it, or rename it when it is worth reading again."""
    with suppress(OSError):
        if contents.newer or contents.unusable:
            return  # a later start may read it with other eyes
        if contents.keep or contents.damaged:
            os.replace(path, path.with_suffix(".kept"))
        else:
            os.unlink(path)


def prune(folder: Path) -> None:
    """Delete the oldest files put away beyond what refused blocks may take."""
    blocks = size = 0
    for path in newest_first(folder.glob("*.kept")):
        with suppress(OSError):
            contents = read(path.read_bytes())
            blocks += len(contents.refused)
            size += path.stat().st_size
            beyond = blocks > MOST_REFUSED or size > MOST_REFUSED_BYTES
            if beyond and not (contents.waiting or contents.unusable or contents.newer):
                path.unlink()


def newest_first(paths: Iterable[Path]) -> list[Path]:
    """Files that are still there, by their last change."""
    dated = []
    for path in paths:
        with suppress(OSError):
            dated.append((path.stat().st_mtime_ns, path))
    return [path for _, path in sorted(dated, reverse=True)]
