"""Small files in which a kernel tells one thing, as those of /sys and /proc do."""

from pathlib import Path


def text(path: Path) -> str:
    """What the file says, without white space around it; empty where nobody tells."""
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def number(path: Path) -> int | None:
    """A whole number; None where nobody tells one."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
