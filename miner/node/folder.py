"""The node's folder: ours or refused, one process at a time, temporary unless named.

`homehash-node.json` marks the folder as ours. `clean` is written when the chain was closed in
order; without it the kernel's databases may lag behind its block files and are rebuilt from them.
"""

import contextlib
import json
import os
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import IO, Any

from miner.errors import NodeError
from miner.files import locked
from miner.text import scrub

MARK = "homehash-node.json"
FORMAT = 1
LOCK = ".lock"
CLEAN = "clean"
COOKIE = ".cookie"
OURS = (MARK, LOCK, CLEAN, COOKIE, "blocks", "chainstate")
TEMPORARY_PREFIX = "homehash-node-"


class NodeFolder:
    """An opened, locked folder. Raises NodeError when it is not ours, in use, or of another
    chain."""

    def __init__(self, datadir: Path | None, chain: str, *, fresh: bool = False) -> None:
        self.temporary = datadir is None
        if datadir is None:
            _sweep_temporary()
            self.path = Path(tempfile.mkdtemp(prefix=TEMPORARY_PREFIX))
        else:
            self.path = _prepare(datadir)
        self._lock = _lock(self.path)
        try:
            if fresh:
                _empty(self.path)
            self._check_chain(chain)
            if not (self.path / MARK).exists():
                mark = {"format": FORMAT, "chain": chain}
                (self.path / MARK).write_text(json.dumps(mark) + "\n")
            self.lagging = self._take_clean()
        except OSError as error:
            self._lock.close()
            raise NodeError(f"node folder {self.path}: {error.strerror or error}") from error
        except NodeError:
            self._lock.close()
            raise

    def _check_chain(self, wanted: str) -> None:
        """A chain is never opened with another's rules."""
        kept = _read(self.path / MARK).get("chain", wanted)
        if kept != wanted:
            raise NodeError(
                f"node folder {self.path} holds a {scrub(kept, 20)} chain, not {wanted}: give "
                "another --datadir, or start the folder over with --fresh"
            )

    def _take_clean(self) -> bool:
        """Were the databases left behind the block files? From here on they may be."""
        clean = self.path / CLEAN
        lagging = (self.path / "blocks").exists() and not clean.exists()
        clean.unlink(missing_ok=True)
        return lagging

    def write_cookie(self) -> str:
        """A new password for this run, readable by the owner alone; "name:password"."""
        credentials = f"__cookie__:{secrets.token_hex(32)}"
        path = self.path / COOKIE
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
        try:
            path.unlink(missing_ok=True)
            with os.fdopen(os.open(path, flags, 0o600), "w") as file:
                file.write(credentials)
        except OSError as error:
            raise NodeError(f"cookie {path}: {error.strerror or error}") from error
        return credentials

    def close(self, *, clean: bool) -> None:
        """Remove the cookie, and a temporary folder whole; `clean`: the databases are complete."""
        with contextlib.suppress(OSError):
            (self.path / COOKIE).unlink(missing_ok=True)
        if clean and not self.temporary:
            with contextlib.suppress(OSError):  # without it the next start reads the blocks again
                (self.path / CLEAN).touch()
        self._lock.close()  # first: some systems keep a file that is open
        if self.temporary:
            shutil.rmtree(self.path, ignore_errors=True)


def _prepare(datadir: Path) -> Path:
    """The folder as a whole path, made if need be. Raises NodeError unless it is ours to use."""
    try:
        path = datadir.expanduser().absolute()
        _check_ours(path)
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError) as error:  # RuntimeError: no such user's ~
        why = getattr(error, "strerror", None) or error
        raise NodeError(f"node folder {str(datadir)[:200]}: {why}") from error
    return path


def _check_ours(path: Path) -> None:
    if not path.exists():
        return
    if not path.is_dir():
        raise NodeError(f"node folder {path} is not a folder: give another --datadir")
    strangers = [entry for entry in os.listdir(path) if entry != LOCK]
    if strangers and not (path / MARK).is_file():
        raise NodeError(
            f"node folder {path} is not empty and not of a homehash node ({MARK} is missing): "
            "give another --datadir"
        )
    number = _read(path / MARK).get("format")
    if type(number) is int and number > FORMAT:
        raise NodeError(
            f"node folder {path} is of format {number}, this program knows {FORMAT}: update it, "
            "or give another --datadir"
        )


def _read(mark: Path) -> dict[str, Any]:
    """Empty where a crash or a full disk left nothing."""
    try:
        told = json.loads(mark.read_bytes()[:1000])
    except (OSError, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _lock(path: Path) -> IO[bytes]:
    try:
        file = locked(path / LOCK)
    except OSError as error:
        raise NodeError(f"node folder {path}: {error.strerror or error}") from error
    if file is None:
        raise NodeError(
            f"node folder {path} is in use by another miner or class: mine on that node with "
            "--node URL (it printed one), join that class, or give another --datadir"
        )
    return file


def _empty(path: Path) -> None:
    """Remove what a node of ours made there, and nothing else."""
    for name in OURS:
        entry = path / name
        if name == LOCK:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink(missing_ok=True)


def _sweep_temporary() -> None:
    """Folders of nodes that were killed: ours by name and mark, and locked by nobody."""
    for path in Path(tempfile.gettempdir()).glob(TEMPORARY_PREFIX + "*"):
        with contextlib.suppress(OSError, NodeError):
            if (path / MARK).is_file() and not path.is_symlink() and _owned(path):
                _lock(path).close()
                shutil.rmtree(path, ignore_errors=True)


def _owned(path: Path) -> bool:
    return not hasattr(os, "getuid") or path.stat().st_uid == os.getuid()
