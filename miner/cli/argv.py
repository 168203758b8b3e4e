"""Passwords given as arguments: other users of the machine could read them in `ps`."""

import ctypes
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

import click

ARG_START, ARG_END = 47, 48  # fields 48 and 49 of /proc/self/stat, counted from 0 (proc(5))

Place = Callable[[str], tuple[int, int]]  # where in an option's value the password stands


def in_pair(value: str) -> tuple[int, int]:
    """USER:WORD."""
    start = value.find(":") + 1
    return (start, len(value)) if start else (0, 0)


def in_url(value: str) -> tuple[int, int]:
    """SCHEME://USER:WORD@HOST, the scheme may be missing."""
    start = value.find("://") + 3 if "://" in value else 0
    end = value.rfind("@")
    colon = value.find(":", start, max(end, start))
    return (0, 0) if end < start or colon < 0 else (colon + 1, end)


PLACES: Mapping[str, Place] = {
    "password": lambda value: (0, len(value)),
    "userpass": in_pair,
    "pool": in_url,
    "node": in_url,
    "check_node": in_url,
}


def without_passwords(arguments: Sequence[str], options: Sequence[click.Option]) -> list[str]:
    """The arguments as click reads them, each password as x's of the same length in bytes."""
    named = {name: option for option in options if not option.is_flag for name in option.opts}
    shown: list[str] = []
    walk = iter(arguments)
    for argument in walk:
        name, equals, value = argument.partition("=")
        if argument == "--":
            return [*shown, argument, *walk]
        if argument in named:
            shown.append(argument)
            shown += [_masked(named[argument], value) for value in islice(walk, 1)]
        elif equals and name.startswith("--") and name in named:
            shown.append(name + equals + _masked(named[name], value))
        elif argument[:2] in named and not argument.startswith("--"):
            shown.append(argument[:2] + _masked(named[argument[:2]], argument[2:]))
        else:
            shown.append(argument)
    return shown


def _masked(option: click.Option, value: str) -> str:
    place = PLACES.get(option.name or "")
    if place is None:
        return value
    start, end = place(value)
    return value[:start] + "x" * len(os.fsencode(value[start:end])) + value[end:]


def hide_arguments(options: Sequence[click.Option]) -> bool:
    """Overwrite the passwords in this process's argument list with x; True where that worked.

    Linux alone: the kernel shows /proc/self/cmdline out of the process's own memory.
    """
    if not sys.platform.startswith("linux"):
        return False
    with suppress(OSError, ValueError, IndexError):
        stat = Path("/proc/self/stat").read_text(encoding="ascii", errors="replace")
        fields = stat.rpartition(")")[2].split()  # the name in brackets may hold blanks
        start, end = int(fields[ARG_START - 2]), int(fields[ARG_END - 2])
        shown = Path("/proc/self/cmdline").read_bytes()
        before = [os.fsdecode(part) for part in shown.removesuffix(b"\0").split(b"\0")]
        count = len(sys.argv) - 1  # those before are Python's own
        after = [*before[:-count], *without_passwords(before[-count:], options)]
        hidden = b"".join(os.fsencode(part) + b"\0" for part in after)
        if count < 1 or not 0 < end - start == len(shown) == len(hidden):
            return False
        ctypes.memmove(start, hidden, len(hidden))
        return True
    return False
