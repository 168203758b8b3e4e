"""The compiled C library: found, compared with its record, and only then opened.

The only importer of the C module. A file that was cut short kills the process inside the system's
loader (SIGBUS), which no `except` sees; so the build writes the file's size and SHA-256 beside it,
and a file that differs is never opened.
"""

import hashlib
import importlib
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

NAME = "miner._native"
RECORD = "_native.json"  # written by csrc/CMakeLists.txt when the library is installed
AGAIN = "install homehash again"


class NotUsable(Exception):
    """Why the C library cannot be used, in words."""


def load() -> ModuleType:
    """The module with `ffi` and `lib`. Raises NotUsable."""
    if NAME in sys.modules:
        return sys.modules[NAME]
    spec = importlib.util.find_spec(NAME)
    if spec is None or spec.origin is None:
        raise NotUsable(f"not built: no {NAME}; install a C compiler, then {AGAIN}")
    check(Path(spec.origin))
    try:
        return importlib.import_module(NAME)
    except ImportError as error:
        raise NotUsable(f"not loaded: {error}; {AGAIN}") from error


def check(file: Path) -> None:
    """Compare the file with its record. Raises NotUsable naming what differs."""
    record = file.with_name(RECORD)
    try:
        wanted: Any = json.loads(record.read_bytes())
        size, digest = int(wanted["bytes"]), str(wanted["sha256"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotUsable(f"not opened: {record} cannot be read ({error}); {AGAIN}") from error
    try:
        data = file.read_bytes()
    except OSError as error:
        raise NotUsable(f"not opened: {error}; {AGAIN}") from error
    if len(data) != size:
        raise NotUsable(f"not opened: {file} has {len(data)} bytes, was built with {size}; {AGAIN}")
    if hashlib.sha256(data).hexdigest() != digest:
        raise NotUsable(f"not opened: {file} is not the file that was built (SHA-256); {AGAIN}")
