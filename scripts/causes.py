"""Reads the log of a failed set-up step: the one line in it that says why."""

import re
from pathlib import Path

NETWORK = (
    r"NewConnectionError|NameResolutionError|name resolution|Network is unreachable|ProxyError"
    r"|Connection refused|ConnectTimeout|Read timed out|Max retries exceeded|SSLError"
)
UNTRUSTED = r"CERTIFICATE_VERIFY_FAILED"
ERROR = r"^(ERROR|error|Error)\b|No space left"
C_FAILED = "THE C BUILD FAILED: "  # what scripts/build_backend says, and then why
LONGEST = 200  # characters that are shown


def of_step(log: Path, code: int) -> str:
    """Why a step failed: the network, the log's own first error, or its last words."""
    if first_line(log, UNTRUSTED):
        return "the package index's certificate is not trusted here; set PIP_CERT to the right one"
    if first_line(log, NETWORK):
        return "no connection to the package index; connect and run this again"
    return first_line(log, ERROR) or last_line(log) or f"exit code {code}"


def of_c_build(log: Path) -> str:
    """Why there is no C library after an install that succeeded."""
    return first_line(log, C_FAILED).partition(C_FAILED)[2] or "see above"


def first_line(log: Path, pattern: str) -> str:
    """The first line of the log that matches, with the one it announces; "" if none does."""
    said = [line.strip() for line in lines(log) if line.strip()]
    for number, line in enumerate(said):
        if re.search(pattern, line):
            more = said[number + 1 : number + 2] if line.endswith(":") else []
            return " ".join([line, *more])[:LONGEST]
    return ""


def last_line(log: Path) -> str:
    """The last line with text; "" when the log holds the command alone."""
    said = [line.strip() for line in lines(log)[1:] if line.strip()]
    return said[-1][:LONGEST] if said else ""


def lines(log: Path) -> list[str]:
    return log.read_text(encoding="utf-8", errors="replace").splitlines()
