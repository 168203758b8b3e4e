"""A coinbase in parts: every byte belongs to one, in the order in which they are hashed.

For people who look at it being made: the extranonces are cut out wherever the pool put them.
"""

from miner.bitcoin.encoding import Reader
from miner.protocol.decode import height_of
from miner.work.job import Coinbase

Part = tuple[str, str, int]  # name, hex (empty for extranonce2, which rolls), length in bytes
Span = tuple[str, int, int]  # name, start, end

MOST_OUTPUTS = 1000  # more are one part


def coinbase_parts(coinbase: Coinbase) -> tuple[Part, ...]:
    """Joined in order they are the transaction without witness. Never raises: what cannot be read
    is one part named "unread"."""
    raw = coinbase.fill(bytes(coinbase.extranonce2_size))
    first = len(coinbase.part1)
    second = first + len(coinbase.extranonce1)
    end = second + coinbase.extranonce2_size
    holes = [("extranonce1", first, second), ("extranonce2", second, end)]
    parts = []
    for name, start, stop in cut(spans(raw, height_of(coinbase.part1)), holes):
        parts.append((name, "" if name == "extranonce2" else raw[start:stop].hex(), stop - start))
    return tuple(parts)


def spans(raw: bytes, height: int | None) -> list[Span]:
    """The fields of a serialized coinbase."""
    reader, found = Reader(raw), list[Span]()

    def take(name: str, size: int) -> None:
        start = reader.position
        reader.take(size)
        found.append((name, start, reader.position))

    def count(name: str) -> int:
        start = reader.position
        value = reader.compact_size()
        found.append((name, start, reader.position))
        return value

    try:
        take("version", 4)
        if count("input count") != 1:
            raise ValueError("a coinbase has one input")
        take("previous output", 36)
        length = count("script length")
        pushed = min(height_bytes(raw[reader.position :]), length) if height is not None else 0
        take("height", pushed)
        take("script", length - pushed)
        take("sequence", 4)
        for number in range(1, min(count("output count"), MOST_OUTPUTS) + 1):
            take(f"output {number} value", 8)
            take(f"output {number} script", count(f"output {number} script length"))
        take("locktime", 4)
    except ValueError:
        pass
    if reader.left:
        found.append(("unread", reader.position, len(raw)))
    return [span for span in found if span[1] < span[2]]


def height_bytes(script: bytes) -> int:
    """Of the push at its front (BIP 34)."""
    return 1 if 0x51 <= script[0] <= 0x60 else 1 + script[0]


def cut(whole: list[Span], holes: list[Span]) -> list[Span]:
    """The spans with the holes in their place: what a hole covers is the hole's."""
    found: list[Span] = [hole for hole in holes if hole[1] < hole[2]]
    first, last = holes[0][1], holes[-1][2]
    for name, start, end in whole:
        for one, other in ((start, min(end, first)), (max(start, last), end)):
            if one < other:
                found.append((name, one, other))
    return sorted(found, key=lambda span: span[1])
