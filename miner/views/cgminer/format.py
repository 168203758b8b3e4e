"""How cgminer writes a reply, in text and in JSON: order, decimals, escapes and all.

A reply ends with one NUL, which the server adds. Facts were taken from cgminer 4.13.6, whose
replies are the golden files of the tests.
"""

import re
from typing import NamedTuple

DESCRIPTION_LESS = 14  # "Invalid command" alone has no Description
TEXT_SPECIAL = re.compile(r"([,|=\\])")
JSON_SPECIAL = re.compile(r'(["\\])')
ESCAPED = r"\\\1"


class Raw(str):
    """A number or boolean as it is printed."""

    __slots__ = ()


Row = list[tuple[str, str]]  # key and value; a Raw one has no quotes in JSON


class Section(NamedTuple):
    """Rows under a name; `indexed` rows begin with their number, in text without the name."""

    name: str
    rows: list[Row]
    indexed: bool = False


class Reply(NamedTuple):
    """One command's answer."""

    status: str  # S, I, W, E
    code: int
    message: str
    section: Section | None = None


def decimal(value: float, digits: int) -> Raw:
    return Raw(f"{value:.{digits}f}")


def number(value: int) -> Raw:
    return Raw(str(value))


def whole(value: float) -> Raw:
    return Raw(f"{value:.0f}")


def flag(value: bool) -> Raw:
    return Raw("true" if value else "false")


def as_text(reply: Reply, when: int, description: str) -> str:
    parts = [f"STATUS={pairs(head(reply, when, description))[7:]}"]
    if reply.section is not None:
        for row in reply.section.rows:
            named = "" if reply.section.indexed else f"{reply.section.name},"
            parts.append(named + pairs(row))
    return "|".join(parts) + "|"


def pairs(row: Row) -> str:
    return ",".join(f"{key}={TEXT_SPECIAL.sub(ESCAPED, value)}" for key, value in row)


def as_json(reply: Reply, when: int, description: str) -> str:
    parts = [f'"STATUS":[{thing(head(reply, when, description))}]']
    if reply.section is not None:
        rows = ",".join(thing(row) for row in reply.section.rows)
        parts.append(f'"{reply.section.name}":[{rows}]')
    return "{" + ",".join([*parts, '"id":1']) + "}"


def thing(row: Row) -> str:
    return "{" + ",".join(f'"{key}":{quoted(value)}' for key, value in row) + "}"


def quoted(value: str) -> str:
    return value if isinstance(value, Raw) else f'"{JSON_SPECIAL.sub(ESCAPED, value)}"'


def head(reply: Reply, when: int, description: str) -> Row:
    row: Row = [("STATUS", reply.status), ("When", Raw(when)), ("Code", Raw(reply.code))]
    row.append(("Msg", reply.message))
    if reply.code != DESCRIPTION_LESS:
        row.append(("Description", description))
    return row


def joined_text(replies: dict[str, str]) -> str:
    return "".join(f"CMD={command}|{reply}" for command, reply in replies.items())


def joined_json(replies: dict[str, str]) -> str:
    slots = [f"{quoted(name)}:[{reply}]" for name, reply in replies.items()]
    return "{" + ",".join([*slots, '"id":1']) + "}"
