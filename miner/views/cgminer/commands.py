"""Which commands there are, and how a request is read: text, JSON, joined by +."""

import json
from collections.abc import Callable, Mapping
from typing import NamedTuple

from miner.views.cgminer.format import (
    Reply,
    Row,
    Section,
    as_json,
    as_text,
    joined_json,
    joined_text,
)

MOST_JOINED = 32
NAME_CHARS = 40  # longer is no command
ALONE = ("asc", "check")  # not to be joined
PRIVILEGED = frozenset(
    """addpool ascdisable ascenable ascidentify ascset debug disablepool enablepool failover-only
    hotplug lockstats pgadisable pgaenable pgaidentify pgaset poolpriority poolquota privileged quit
    removepool restart save setconfig switchpool zero""".split()
)
INVALID = Reply("E", 14, "Invalid command")
INVALID_JSON = Reply("E", 23, "Invalid JSON")
NO_COMMAND = Reply("E", 24, "Missing JSON 'command'")

Answers = Mapping[str, Callable[[str], Reply]]  # by command: of its parameter


class Request(NamedTuple):
    command: str
    parameter: str
    is_json: bool


class BadRequest(Exception):
    """Cannot be read; its reply says why."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.message)
        self.reply = reply


def read(data: bytes) -> Request:
    """Raises BadRequest for JSON that is none or has no command."""
    text = data.decode("utf-8", "replace").strip("\r\n \0")
    if not text.startswith("{"):
        command, _, parameter = text.partition("|")
        return Request(command, parameter, False)
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        raise BadRequest(INVALID_JSON) from None
    if "command" not in told:
        raise BadRequest(NO_COMMAND)
    command, parameter = told["command"], told.get("parameter", "")
    if not isinstance(command, str):
        raise BadRequest(INVALID)
    known = isinstance(parameter, str | int | float) and not isinstance(parameter, bool)
    return Request(command, str(parameter) if known else "", True)


def answer(request: Request, answers: Answers, when: int, description: str) -> str:
    """The whole reply but its NUL."""
    write = as_json if request.is_json else as_text
    if "+" not in request.command:
        return write(one(request.command, request.parameter, answers), when, description)
    names = list(dict.fromkeys(name for name in request.command.split("+") if name))
    if len(names) > MOST_JOINED or any(not is_name(name) for name in names):
        return write(INVALID, when, description)
    replies = {}
    for name in names:
        reply = INVALID if name in ALONE else one(name, request.parameter, answers)
        replies[name] = write(reply, when, description)
    return joined_json(replies) if request.is_json else joined_text(replies)


def is_name(name: str) -> bool:
    """May it be repeated in a reply? Commands are ASCII letters and hyphens."""
    return len(name) <= NAME_CHARS and name.isascii() and name.replace("-", "").isalpha()


def one(command: str, parameter: str, answers: Answers) -> Reply:
    if command in PRIVILEGED:
        return Reply("E", 45, f"Access denied to '{command}' command")
    if command == "check":
        return check(parameter, answers)
    made = answers.get(command)
    return INVALID if made is None else made(parameter)


def check(command: str, answers: Answers) -> Reply:
    if not command:
        return Reply("E", 71, "Missing check cmd")
    readable = command in answers or command == "check"
    row: Row = [("Exists", yes(readable or command in PRIVILEGED)), ("Access", yes(readable))]
    return Reply("S", 72, "Check command", Section("CHECK", [row]))


def yes(value: bool) -> str:
    return "Y" if value else "N"
