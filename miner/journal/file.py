"""The journal of one run: a locked file, appended to and synced before a block is sent."""

import errno
import hashlib
import os
import re
import secrets
import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from miner.crash import crash_point
from miner.errors import ConfigError, JournalError
from miner.files import private_dir, try_lock
from miner.journal import disk
from miner.journal.earlier import MOST_REFUSED, MOST_REFUSED_BYTES, Earlier, Left, findings
from miner.journal.records import (
    Contents,
    encode,
    found_record,
    is_journal,
    read,
    settled_record,
    trimmed,
)
from miner.work.found import Answer, FoundBlock, Verdict

RETIRE_BYTES = 4 << 20  # a file with nothing waiting starts again at this size
NAME_ONE = "name another file with --journal"
SLACK = 3 / 4  # of what refused blocks may take is kept when there are too many


@dataclass(slots=True)
class Refused:
    """What the file holds beside waiting blocks; `disk` guards it, as it does the file."""

    blocks: int
    size: int  # bytes of their records
    rewrite_at: int  # bytes of the file at which accepted blocks are left out

    @property
    def too_many(self) -> bool:
        """Must the oldest of them go?"""
        return self.blocks > MOST_REFUSED or self.size > MOST_REFUSED_BYTES


class Journal:
    """One open, locked journal file, and what earlier runs left in others.

    Every method may be called from any thread.
    """

    def __init__(self, path: Path, key: str) -> None:
        """Open or create the file that a user named. Raises JournalError when it is in use or
        cannot be opened, ConfigError when it is not a journal."""
        self.path, self.key = path, key
        self.earlier = Earlier()
        self._notes: list[str] = []
        self._io = threading.Lock()  # held while the disk works; never taken inside `_lock`
        self._lock = threading.Lock()  # guards the two tables, briefly
        self._unwritten: dict[str, bytes] = {}  # found while the disk failed
        self._torn = False  # the file may end in half a record
        self._fd = -1
        try:
            self._fd = disk.open_private(path)
            if not disk.take_lock(self._fd):
                raise JournalError(f"journal {path} is in use by another miner: choose another")
            disk.sync_folder(path.parent)
            crash_point("folder")
            contents = self._load()
        except (OSError, JournalError, ConfigError) as error:
            if self._fd >= 0:
                os.close(self._fd)
            if isinstance(error, JournalError | ConfigError):
                raise
            raise JournalError(f"journal {path}: {error.strerror}; {NAME_ONE}") from None
        self._waiting, self._keep = contents.waiting, contents.keep
        size = sum(contents.refused.values())
        self._refused = Refused(len(contents.refused), size, RETIRE_BYTES)

    @classmethod
    def open_own(cls, folder: Path, key: str) -> "Journal":
        """A fresh file in `folder`; `earlier` reads the others. Raises JournalError."""
        name = f"{slug(key)}-{os.getpid()}-{secrets.token_hex(3)}.journal"
        try:
            private_dir(folder)
        except OSError as error:
            raise JournalError(f"journals {folder}: {error.strerror}; {NAME_ONE}") from None
        return cls(folder / name, key)

    @property
    def notes(self) -> list[str]:
        """What was found damaged or unknown, for the screen."""
        return self._notes + self.earlier.notes

    @property
    def left(self) -> tuple[Left, ...]:
        """What waits, and where: at start these are the blocks of earlier runs."""
        with self._lock:
            own = tuple(Left(block, self.path) for block in self._waiting.values())
        return self.earlier.left + own

    @property
    def waiting(self) -> tuple[FoundBlock, ...]:
        """Blocks whose fate is not known, earlier runs' first; those the disk refused included.

        Never waits for the disk.
        """
        return tuple(block for block, _ in self.left)

    @property
    def waiting_count(self) -> int:
        """How many they are, without listing them."""
        return self.earlier.count + len(self._waiting)

    def append(self, *blocks: FoundBlock) -> None:
        """Make blocks durable: write, one fsync. Raises OSError; `waiting` holds them even then."""
        self._append(blocks)

    def catch_up(self) -> int:
        """Write the blocks the disk refused before; how many there were. Raises OSError."""
        with self._lock:
            count = len(self._unwritten)
        if count:
            self._append(())
        return count

    def _append(self, blocks: Iterable[FoundBlock]) -> None:
        """Any number of blocks, one fsync."""
        with self._lock:
            for block in blocks:
                self._waiting[block.hash_hex] = block
                self._unwritten[block.hash_hex] = encode(found_record(self.key, block))
            batch = dict(self._unwritten)
        with self._io:
            if not self._in_place():
                batch = self._begin_again() | batch
            self._write(b"".join(batch.values()))
            crash_point("write")
            os.fsync(self._fd)
        with self._lock:
            for name in batch:
                self._unwritten.pop(name, None)
        crash_point("fsync")

    def settle(self, verdict: Verdict) -> bool:
        """Let a block go on a final verdict; True when it was waiting. Raises OSError.

        Not fsynced: a lost settlement costs one more submit, answered "duplicate".
        """
        if not verdict.final:
            return False
        crash_point("settle")
        earlier = self.earlier.settle(verdict)
        with self._lock:
            block = self._waiting.pop(verdict.hash_hex, None)
            if block is None:
                return earlier
            self._unwritten.pop(verdict.hash_hex, None)
            nothing_waits = not self._waiting
        record = encode(settled_record(verdict))
        with self._io:
            if verdict.answer is not Answer.ACCEPTED:
                self._keep = True
                self._refused.blocks += 1
                self._refused.size += len(encode(found_record(self.key, block))) + len(record)
            self._write(record)
            size = os.fstat(self._fd).st_size
            if nothing_waits and not self._keep and size > RETIRE_BYTES:
                os.ftruncate(self._fd, 0)
            elif self._refused.too_many or (self._keep and size > self._refused.rewrite_at):
                self._make_room(size)
        return True

    def close(self) -> None:
        """Unlock; delete a file of our own naming in which every block was accepted."""
        with self._io:
            if self._fd < 0:
                return
            done = not self._waiting and self.path.suffix == ".journal" and self._in_place()
            if done and not self._keep:
                with suppress(OSError):
                    os.unlink(self.path)
            elif done:
                with suppress(OSError):
                    os.replace(self.path, self.path.with_suffix(".kept"))
            os.close(self._fd)
            self._fd = -1

    def _in_place(self) -> bool:
        """Would the next start find our file?"""
        try:
            return os.path.samestat(os.fstat(self._fd), os.lstat(self.path))
        except FileNotFoundError:
            return False
        except OSError:
            return True  # nobody can say: the file we have is as good as any

    def _begin_again(self) -> dict[str, bytes]:
        """Deleted or replaced under us: a new file, and all that belongs into it."""
        private_dir(self.path.parent)
        fd = disk.open_private(self.path)
        try:
            if not disk.take_lock(fd):
                raise OSError(errno.EBUSY, "the file was replaced and is in use by another miner")
            if not is_journal(disk.read_start(fd)):  # a stranger's: not ours to write into
                aside = self.path.with_name(f"{self.path.name}.aside-{secrets.token_hex(3)}")
                os.replace(self.path, aside)
                stranger, fd = fd, disk.open_private(self.path)
                os.close(stranger)
                try_lock(fd)
        except OSError:
            os.close(fd)
            raise
        os.close(self._fd)
        self._fd, self._torn = fd, True  # whatever is in it ends where we begin
        disk.sync_folder(self.path.parent)
        with self._lock:
            blocks = list(self._waiting.values())
        return {block.hash_hex: encode(found_record(self.key, block)) for block in blocks}

    def _write(self, data: bytes) -> None:
        start = os.fstat(self._fd).st_size
        view = memoryview(b"\n" + data if self._torn else data)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
            self._torn = False
        except OSError:
            self._torn = True  # the next record starts on a line of its own
            with suppress(OSError):
                os.ftruncate(self._fd, start)
            raise

    def _make_room(self, size: int) -> None:
        """Rewrite; where that fails, try again when the file has grown as much again."""
        try:
            self._rewrite()
        except OSError:
            self._refused = Refused(0, 0, 2 * size)

    def _rewrite(self) -> None:
        """Leave out accepted blocks and the oldest refused ones beyond the limits: a new file in
        the old one's place, in one step. Raises OSError; the old file is as it was then."""
        data = trimmed(
            disk.read_all(self._fd), int(MOST_REFUSED * SLACK), int(MOST_REFUSED_BYTES * SLACK)
        )
        fresh = self.path.with_name(self.path.name + ".new")
        fresh.unlink(missing_ok=True)
        fd = disk.open_private(fresh)
        try:
            try_lock(fd)
            view = memoryview(data)
            while view:
                view = view[os.write(fd, view) :]
            os.fsync(fd)
            os.replace(fresh, self.path)
        except OSError:
            os.close(fd)
            raise
        os.close(self._fd)
        self._fd, self._torn = fd, False
        disk.sync_folder(self.path.parent)
        refused = read(data).refused
        rewrite_at = max(RETIRE_BYTES, 2 * len(data))
        self._refused = Refused(len(refused), sum(refused.values()), rewrite_at)

    def _load(self) -> Contents:
        start = disk.read_start(self._fd)
        if not is_journal(start):
            raise ConfigError(
                f"--journal {self.path}: not a journal, it begins with {start[:16]!r}: name a new "
                "or an empty file"
            )
        data = disk.read_all(self._fd)
        self._torn = data[-1:] not in (b"", b"\n")
        contents = read(data)
        self._notes += findings(self.path, contents)
        return contents


def slug(key: str) -> str:
    """A file name for a source: readable, then 8 hex digits of its hash."""
    readable = re.sub(r"[^A-Za-z0-9.]+", "-", key).strip("-")[:40]
    return f"{readable}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"
