"""The journal: an append-only file that holds every found block until its fate is known.

One record a line: `HHJ1 <length> <crc32> <json>\\n`, both numbers 8 hex digits, over the JSON
bytes. A record is `found` (the whole block) or `settled` (hash and verdict). Lines that do not
check are skipped and copied to `<file>.damaged`; a torn tail is one of them. Each file is locked
while in use; at start the files of the same key whose lock is free are taken over.
"""

import binascii
import errno
import hashlib
import json
import os
import re
import secrets
import stat
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from miner.crash import crash_point
from miner.errors import JournalError
from miner.paths import private_dir
from miner.work.values import Answer, FoundBlock, Verdict

MAGIC = b"HHJ1"
LINE = re.compile(rb"HHJ1 ([0-9a-f]{8}) ([0-9a-f]{8}) (.*)", re.DOTALL)
RECORD_VERSION = 1
TEXT_FIELDS = ("source", "hash_hex", "kind", "payload", "context")
RETIRE_BYTES = 4 << 20  # a file with nothing waiting starts again at this size


@dataclass(slots=True)
class Contents:
    """What a journal file says."""

    waiting: dict[str, FoundBlock] = field(default_factory=dict)  # by hash, unsettled
    damaged: list[bytes] = field(default_factory=list)  # lines that do not check
    keep: bool = False  # it holds a block that was found and not accepted: never deleted


def encode(record: dict[str, object]) -> bytes:
    body = json.dumps({"v": RECORD_VERSION, **record}, separators=(",", ":")).encode()
    return b"%s %08x %08x %s\n" % (MAGIC, len(body), binascii.crc32(body), body)


def found_record(key: str, block: FoundBlock) -> dict[str, object]:
    texts = {name: getattr(block, name) for name in TEXT_FIELDS}
    numbers = {"height": block.height, "found_at": block.found_at}
    return {"type": "found", "key": key, "header": block.header.hex(), **texts, **numbers}


def decode(line: bytes) -> dict[str, object]:
    """One line without its newline. Raises ValueError unless it is whole and known."""
    match = LINE.fullmatch(line)
    if match is None:
        raise ValueError("not a journal record")
    length, checksum, body = int(match[1], 16), int(match[2], 16), match[3]
    if len(body) != length or binascii.crc32(body) != checksum:
        raise ValueError("length or checksum differs")
    record = json.loads(body)
    if not isinstance(record, dict) or record.get("v") != RECORD_VERSION:
        raise ValueError("unknown record version")
    return record


def block_of(record: dict[str, object]) -> FoundBlock:
    """The block of a `found` record. Raises ValueError on a missing or mistyped field."""
    height, found_at, header = (record.get(name) for name in ("height", "found_at", "header"))
    texts = {name: record.get(name) for name in TEXT_FIELDS}
    if not all(type(text) is str for text in [header, *texts.values()]):
        raise ValueError("a text field is missing")
    if not (height is None or type(height) is int) or type(found_at) is not int:
        raise ValueError("a number is missing")
    values: dict[str, object] = {**texts, "height": height, "found_at": found_at}
    return FoundBlock(header=bytes.fromhex(str(header)), **values)  # type: ignore[arg-type]


def read(data: bytes, key: str | None = None) -> Contents:
    """Parse a whole file; with `key`, other keys' blocks only make the file worth keeping."""
    contents = Contents()
    for line in data.split(b"\n"):
        if not line:
            continue
        try:
            record = decode(line)
            if record.get("type") == "found":
                if key is None or record.get("key") == key:
                    block = block_of(record)
                    contents.waiting[block.hash_hex] = block
                else:
                    contents.keep = True
            elif record.get("type") == "settled":
                contents.waiting.pop(str(record.get("hash_hex")), None)
                contents.keep |= record.get("answer") != Answer.ACCEPTED.value
        except (ValueError, RecursionError):
            contents.damaged.append(line)
    return contents


class Journal:
    """One open, locked journal file; every method may be called from any thread."""

    def __init__(self, path: Path, key: str) -> None:
        """Open or create `path`. Raises JournalError when it is in use or cannot be opened."""
        self.path, self.key = path, key
        self.notes: list[str] = []  # what was repaired or taken over, for the screen
        self._io = threading.Lock()  # held while the disk works; never taken inside `_lock`
        self._lock = threading.Lock()  # guards the two tables, briefly
        self._unwritten: dict[str, bytes] = {}  # found while the disk failed
        self._torn = False  # the file may end in half a record
        self._fd = -1
        try:
            self._fd = open_private(path)
            if not try_lock(self._fd):
                raise JournalError(f"journal {path} is in use by another miner: choose another")
            sync_folder(path.parent)
            crash_point("folder")
            contents = self._load(self._fd, path)
        except (OSError, JournalError) as error:
            if self._fd >= 0:
                os.close(self._fd)
            if isinstance(error, JournalError):
                raise
            raise JournalError(f"journal {path}: {error.strerror}; choose --journal") from None
        self._waiting, self._keep = contents.waiting, contents.keep

    @classmethod
    def open_own(cls, folder: Path, key: str) -> "Journal":
        """A fresh file in `folder`, taking over every unlocked file of the same key."""
        stem = slug(key)
        name = f"{stem}-{os.getpid()}-{secrets.token_hex(3)}.journal"
        try:
            private_dir(folder)
        except OSError as error:
            raise JournalError(f"journals {folder}: {error.strerror}; choose --journal") from None
        journal = cls(folder / name, key)
        for path in sorted(folder.glob(f"{stem}-*.journal")):
            if path != journal.path:
                journal._take_over(path)
        return journal

    @property
    def waiting(self) -> tuple[FoundBlock, ...]:
        """Blocks whose fate is not known, oldest first; those the disk refused included.

        Never waits for the disk.
        """
        with self._lock:
            return tuple(self._waiting.values())

    @property
    def waiting_count(self) -> int:
        """How many they are, without listing them."""
        return len(self._waiting)

    def append(self, block: FoundBlock) -> None:
        """Make the block durable: write, fsync. Raises OSError; `waiting` holds it even then."""
        self._append((block,))

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
        with self._lock:
            if self._waiting.pop(verdict.hash_hex, None) is None:
                return False
            self._unwritten.pop(verdict.hash_hex, None)
            nothing_waits = not self._waiting
        answer = {"answer": verdict.answer.value, "reason": verdict.reason[:200]}
        record = encode({"type": "settled", "hash_hex": verdict.hash_hex, **answer})
        with self._io:
            self._keep |= verdict.answer is not Answer.ACCEPTED
            self._write(record)
            if nothing_waits and not self._keep and os.fstat(self._fd).st_size > RETIRE_BYTES:
                os.ftruncate(self._fd, 0)
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
        fd = open_private(self.path)
        if not try_lock(fd):
            os.close(fd)
            raise OSError(errno.EBUSY, "the file was replaced and is in use by another miner")
        os.close(self._fd)
        self._fd, self._torn = fd, True  # whatever is in it ends where we begin
        sync_folder(self.path.parent)
        return {block.hash_hex: encode(found_record(self.key, block)) for block in self.waiting}

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

    def _load(self, fd: int, path: Path) -> Contents:
        with os.fdopen(os.dup(fd), "rb") as file:
            file.seek(0)
            data = file.read()
        self._torn |= fd == self._fd and data[-1:] not in (b"", b"\n")
        contents = read(data, self.key)
        if contents.damaged:
            aside = path.with_name(path.name + ".damaged")
            with suppress(OSError):
                keep_aside(aside, contents.damaged)
            self.notes.append(
                f"journal {path}: {len(contents.damaged)} damaged records, kept in {aside.name}"
            )
        return contents

    def _take_over(self, path: Path) -> None:
        """Move the waiting blocks of a dead process's file into this one."""
        try:
            fd = open_private(path, create=False)
        except OSError:
            return
        try:
            if not try_lock(fd) or os.fstat(fd).st_nlink == 0:
                return
            contents = self._load(fd, path)
            if contents.waiting:
                self._append(contents.waiting.values())
            if contents.keep or contents.damaged:
                os.replace(path, path.with_suffix(".kept"))
            else:
                os.unlink(path)
            if contents.waiting:
                self.notes.append(
                    f"journal: {len(contents.waiting)} blocks of an earlier run are sent again"
                )
        except OSError as error:
            self.notes.append(f"journal {path}: {error.strerror}; left as it is")
        finally:
            os.close(fd)


def slug(key: str) -> str:
    """A file name for a source: readable, then 8 hex digits of its hash."""
    readable = re.sub(r"[^A-Za-z0-9.]+", "-", key).strip("-")[:40]
    return f"{readable}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"


def keep_aside(path: Path, lines: list[bytes]) -> None:
    """Append the lines the file does not hold yet; a file named by the user is read often."""
    with os.fdopen(open_private(path), "r+b") as file:
        known = set(file.read().split(b"\n"))
        file.writelines(line + b"\n" for line in lines if line not in known)


def open_private(path: Path, create: bool = True) -> int:
    """Read, append, mode 0600; no symbolic link, no device, no pipe."""
    flags = os.O_RDWR | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | (os.O_CREAT if create else 0)
    fd = os.open(path, flags | getattr(os, "O_BINARY", 0), 0o600)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "no ordinary file")
    return fd


def sync_folder(folder: Path) -> None:
    """Make a new file's name durable; Windows has no such call and needs none."""
    if sys.platform == "win32":
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def try_lock(fd: int) -> bool:
    """Take the advisory lock of an open file; False when another process has it.

    Raises OSError where the file system has no locks.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(fd, 1 << 30, os.SEEK_SET)  # a byte nobody writes
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if sys.platform == "win32" or isinstance(error, BlockingIOError):
            return False
        raise OSError(error.errno, f"cannot be locked: {error.strerror}") from None
    return True
