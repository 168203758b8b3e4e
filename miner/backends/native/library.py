"""The compiled C library: found, compared with its record, opened, and asked what it is.

A library that was cut short kills the process inside the system's loader (SIGBUS), and one with
other structs than ours writes where it must not; no `except` sees either. So the build writes size
and SHA-256 of its files beside them, and a file that differs is never used; then the library itself
says its version and the layout of its structs, and is not called again unless they are ours.
"""

import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cffi

FOLDER = Path(__file__).parents[2]  # the package's own: the build puts its files there
FILE = {"win32": "_native.dll", "darwin": "_native.dylib"}.get(sys.platform, "_native.so")
HEADER = "scan.h"  # its interface, as csrc/ has it
RECORD = "_native.json"  # {file: {"bytes": size, "sha256": hex digest}, "flags": {shape: words}}
FLAGS = "flags"
AGAIN = "install homehash again"


class NotUsable(Exception):
    """Why the C library cannot be used, in words."""


@dataclass(frozen=True, slots=True)
class Library:
    """The C library, open: csrc/scan.h says what each function does."""

    ffi: Any  # cffi's view of the header: makes and reads structs
    lib: Any  # the functions; a call holds no GIL
    file: Path


def load(folder: Path = FOLDER) -> Library:
    """Open the library of a folder. Raises NotUsable."""
    file, record = folder / FILE, folder / RECORD
    if not file.exists() and not record.exists():
        raise NotUsable(f"not built: no {file}; install a C compiler, then {AGAIN}")
    text = checked(folder / HEADER, record).decode()
    checked(file, record)
    ffi = cffi.FFI()
    ffi.cdef(declarations(text))
    try:
        lib = ffi.dlopen(str(file))
    except OSError as error:  # of another architecture or system
        raise NotUsable(f"not opened: {error}; {AGAIN}") from error
    opened = Library(ffi, lib, file)
    compare(opened)
    return opened


def checked(file: Path, record: Path) -> bytes:
    """The content of a file that is as recorded. Raises NotUsable naming what differs."""
    try:
        wanted: Any = json.loads(record.read_bytes())[file.name]
        size, digest = int(wanted["bytes"]), str(wanted["sha256"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise NotUsable(f"not opened: {record} cannot be read ({error!r}); {AGAIN}") from error
    try:
        data = file.read_bytes()
    except OSError as error:
        raise NotUsable(f"not opened: {error}; {AGAIN}") from error
    if len(data) != size:
        raise NotUsable(f"not opened: {file} has {len(data)} bytes, was built with {size}; {AGAIN}")
    if hashlib.sha256(data).hexdigest() != digest:
        raise NotUsable(f"not opened: {file} is not the file that was built (SHA-256); {AGAIN}")
    return data


def flags(record: Path) -> dict[str, str] | None:
    """The compiler's flags as the build wrote them down; None where it did not."""
    try:
        found = json.loads(record.read_bytes())[FLAGS]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return found if isinstance(found, dict) else None


def declarations(header: str) -> str:
    """The plain declarations of scan.h, as cffi reads them."""
    lines = (line for line in header.splitlines() if not line.startswith("#"))
    return "\n".join(lines).replace("SCAN_API ", "")


def compare(opened: Library) -> None:
    """Raises NotUsable unless version, functions and structs are those of its header."""
    lib, ours = opened.lib, opened.lib.SCAN_VERSION
    try:
        version = lib.scan_version()
        for name in dir(lib):  # looks each function up
            getattr(lib, name)
    except AttributeError as error:
        raise NotUsable(f"not used: {opened.file}: {error}; {AGAIN}") from error
    if version != ours:
        raise NotUsable(f"not used: {opened.file} has version {version}, not {ours}; {AGAIN}")
    want, got = layout(opened.ffi), reported_layout(opened)
    for name in sorted(want.keys() | got.keys()):
        if want.get(name) != got.get(name):
            differs = f"{name} is {got.get(name)} there, {want.get(name)} here"
            raise NotUsable(f"not used: {opened.file} has other structs: {differs}; {AGAIN}")


def layout(ffi: Any) -> dict[str, int]:
    """Size of each struct and offset of each field, as cffi has them."""
    found: dict[str, int] = {}
    for name in ffi.list_types()[1]:
        kind = ffi.typeof(f"struct {name}")
        found[name] = ffi.sizeof(kind)
        found |= {f"{name}.{field}": facts.offset for field, facts in kind.fields}
    return found


def reported_layout(opened: Library) -> dict[str, int]:
    """The same as the library says it."""
    found: dict[str, int] = {}
    while (name := opened.lib.scan_layout_name(len(found))) != opened.ffi.NULL:
        found[opened.ffi.string(name).decode()] = opened.lib.scan_layout_bytes(len(found))
    return found
