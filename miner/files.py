"""Files: reading one that people name never hangs and never fills the memory; writing one is a
single step for whoever reads it; a lock keeps two processes apart.
"""

import errno
import os
import stat
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

LOCK_PAUSE_S = 0.02

KINDS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def read(path: Path, most_bytes: int) -> bytes:
    """The whole content of an ordinary file.

    Raises OSError: it cannot be read, is a pipe or a device, or holds more than `most_bytes`.
    """
    with open(path, "rb", opener=_at_once) as file:
        mode = os.fstat(file.fileno()).st_mode
        for is_kind, name in KINDS:
            if is_kind(mode):
                raise OSError(errno.EINVAL, f"is {name}, not a file", str(path))
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise OSError(errno.EFBIG, f"is larger than {most_bytes} bytes", str(path))
    return content


def _at_once(path: str, flags: int) -> int:
    """Open without waiting: a pipe would hold the caller until somebody writes into it."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def read_line(path: Path, most_bytes: int, within_s: float) -> bytes:
    """The first line of whatever `path` is, also of a pipe, without the line's end.

    Raises OSError: it cannot be read, the line is longer, or it is not there in time. What does
    not answer is left to a thread that ends with the process.
    """
    found: list[bytes | OSError] = []
    reader = threading.Thread(
        target=lambda: found.append(_first_line(path, most_bytes)), name="reader", daemon=True
    )
    reader.start()
    reader.join(within_s)
    answer = found[0] if found else OSError(errno.ETIMEDOUT, f"gave no line within {within_s:g} s")
    if isinstance(answer, OSError):
        raise answer
    return answer


def _first_line(path: Path, most_bytes: int) -> bytes | OSError:
    """The line, or why there is none."""
    content = b""
    try:
        with open(path, "rb", buffering=0) as file:
            while b"\n" not in content and len(content) <= most_bytes:
                if not (piece := file.read(most_bytes + 1 - len(content))):
                    break
                content += piece
    except OSError as error:
        return error
    line = content.partition(b"\n")[0].rstrip(b"\r")
    if len(line) > most_bytes:
        return OSError(errno.EFBIG, f"has more than {most_bytes} bytes in its first line")
    return line


def private_dir(folder: Path) -> Path:
    """Create `folder`, readable by its owner alone, and return it. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def replace(path: Path, content: bytes) -> None:
    """Put the whole content in the file's place in one step, for its owner alone.

    A crash leaves the old content or the new one. Raises OSError; then nothing is left behind.
    """
    folder = private_dir(path.parent)
    handle, fresh = tempfile.mkstemp(prefix=f".{path.name}.", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(fresh)
        raise


def locked(path: Path, within_s: float = 0.0) -> IO[bytes] | None:
    """Open a file of locks, made if need be, and take its lock until it is closed.

    None when another process keeps it longer than `within_s`. Raises OSError.
    """
    private_dir(path.parent)
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    file = os.fdopen(fd, "r+b")  # the caller closes it
    try:
        if take_lock(file.fileno(), within_s):
            return file
    except OSError:
        file.close()
        raise
    file.close()
    return None


def take_lock(fd: int, within_s: float) -> bool:
    """`try_lock` with a little patience."""
    deadline = time.monotonic() + within_s
    while not try_lock(fd):
        if time.monotonic() >= deadline:
            return False
        time.sleep(LOCK_PAUSE_S)
    return True


def try_lock(fd: int, shared: bool = False) -> bool:
    """Take the advisory lock of an open file; False when another process has it. The system drops
    it when the file is closed, also by a kill.

    A shared lock excludes only the exclusive one (Windows has no shared one). Raises OSError where
    the file system has no locks.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(fd, 1 << 30, os.SEEK_SET)  # a byte nobody writes
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as error:
        if sys.platform == "win32" or isinstance(error, BlockingIOError):
            return False
        raise OSError(error.errno, f"cannot be locked: {error.strerror}") from None
    return True
