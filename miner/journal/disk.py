"""What a journal asks of the file system: private files, locks, durable names."""

import errno
import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path

from miner import files

LOCK_PATIENCE_S = 0.5  # another start may be reading the file at this moment
START_BYTES = 64


def open_private(path: Path, create: bool = True) -> int:
    """Read, append, mode 0600; no symbolic link, no device, no pipe."""
    flags = os.O_RDWR | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0) | (os.O_CREAT if create else 0)
    fd = os.open(path, flags | getattr(os, "O_BINARY", 0), 0o600)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "no ordinary file")
    return fd


def read_all(fd: int) -> bytes:
    """The whole file."""
    with os.fdopen(os.dup(fd), "rb") as file:
        file.seek(0)
        return file.read()


def read_start(fd: int) -> bytes:
    """Its first bytes."""
    os.lseek(fd, 0, os.SEEK_SET)
    return os.read(fd, START_BYTES)


def keep_aside(path: Path, lines: Iterable[bytes]) -> None:
    """Append the lines the file does not hold yet; a file named by the user is read often."""
    with os.fdopen(open_private(path), "r+b") as file:
        known = set(file.read().split(b"\n"))
        file.writelines(line + b"\n" for line in lines if line not in known)


def sync_folder(folder: Path) -> None:
    """Make a new file's name durable; Windows has no such call and needs none."""
    if sys.platform == "win32":
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def take_lock(fd: int) -> bool:
    """Wait a little for it: who only reads a journal lets it go at once."""
    return files.take_lock(fd, LOCK_PATIENCE_S)
