"""Breaks inputs: bytes flipped, cut, repeated; JSON values replaced, removed, nested, doubled."""

import json
import random
from typing import Any

ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**32, 2**63, 10**30, 0.5, -0.0, 1e-320, 1e300, "", "0",
    "zz", "00", "ff" * 32, "0" * 63, "x" * 3000, "\x1b[2J\n", "\ud800", "ü", [], {}, [[]], {"a": 1},
    [None] * 40, ["00" * 32] * 33, "1fffe000", "mining.notify", "207fffff",
)  # fmt: skip
ODD_BYTES = (
    b"\x00", b"\xff", b"\xfd\xff", b"\xfe\xff\xff\xff\xff", b"\r", b"\n", b'"', b"\\", b"[", b"]",
    b"{", b"}", b",", b":", b"NaN", b"1e9999", b"-", b"=", b"@", b"//", b"%", b"\x1b[2J", b"\xc3",
)  # fmt: skip


def mutate(data: bytes, dice: random.Random) -> bytes:
    """Break it once or a few times."""
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        data = mutate_value(data, dice) if dice.random() < 0.6 else mutate_bytes(data, dice)
    return data


def mutate_bytes(data: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data) + 1)
    kind = dice.randrange(6)
    if kind == 0:
        return data[:at] + bytes([dice.randrange(256)]) + data[at + 1 :]
    if kind == 1:
        return data[:at]
    if kind == 2:
        return data[:at] + dice.choice(ODD_BYTES) * dice.choice((1, 1, 20)) + data[at:]
    if kind == 3:
        return data[:at] + data[at + dice.randrange(1, 9) :]
    if kind == 4:
        return data[:at] + dice.choice(ODD_BYTES) + data[at + dice.randrange(1, 5) :]
    return data[:at] + data[max(0, at - dice.randrange(1, 60)) :]


def mutate_value(data: bytes, dice: random.Random) -> bytes:
    """Replace, remove or double one value somewhere inside the JSON; what is none gets bytes."""
    if data[:1] not in (b"{", b"["):
        return mutate_bytes(data, dice)
    try:
        place = message = json.loads(data)
    except (ValueError, RecursionError):
        return mutate_bytes(data, dice)
    while isinstance(place, dict | list) and place:
        key: Any = (
            dice.choice(list(place)) if isinstance(place, dict) else dice.randrange(len(place))
        )
        inner = place[key]
        if isinstance(inner, dict | list) and inner and dice.random() < 0.8:
            place = inner
            continue
        kind = dice.randrange(4)
        if kind == 0:
            del place[key]
        elif kind == 1 and isinstance(place, list):
            place.insert(key, inner)
        elif kind == 2 and isinstance(inner, str):
            place[key] = mutate_bytes(inner.encode(errors="replace"), dice).decode("latin-1")
        else:
            place[key] = dice.choice(ODD_VALUES)
        break
    return json.dumps(message).encode()
