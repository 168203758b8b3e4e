"""How concentrated is mining? Four measures over blocks found by each miner or pool.

Nakamoto coefficient: B. Srinivasan and L. Lee, Quantifying Decentralization (2017). HHI: sum of
squared shares in percent, as competition authorities use it. Gini and Shannon entropy: textbooks.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from miner.errors import ConfigError

MAX_MINERS = 10_000


def nakamoto(counts: Sequence[float]) -> int:
    """The least number of miners that together have more than half."""
    total, sum_so_far = sum(counts), 0.0
    for place, count in enumerate(sorted(counts, reverse=True), 1):
        sum_so_far += count
        if 2 * sum_so_far > total:
            return place
    raise ValueError("no blocks were counted")


def hhi(counts: Sequence[float]) -> float:
    """0 to 10,000; one miner alone is 10,000, n equal ones 10,000 / n."""
    total = sum(counts)
    return sum((100 * count / total) ** 2 for count in counts)


def gini(counts: Sequence[float]) -> float:
    """0 when all are equal, near 1 when one has everything."""
    ordered, size = sorted(counts), len(counts)
    weighted = sum((2 * place - size - 1) * count for place, count in enumerate(ordered, 1))
    return weighted / (size * sum(ordered))


def entropy_bits(counts: Sequence[float]) -> float:
    """Shannon entropy of who finds the next block, in bits; n equal miners: log2 n."""
    total = sum(counts)
    return -sum(count / total * math.log2(count / total) for count in counts if count)


def merged(counts: Mapping[str, float], group: Sequence[str], name: str) -> dict[str, float]:
    """The same counts with some miners taken as one."""
    missing = [one for one in group if one not in counts]
    if missing:
        raise ValueError(f"{missing[0]!r} is not among the miners counted")
    rest = {one: count for one, count in counts.items() if one not in group}
    return {**rest, name: sum(counts[one] for one in group)}


def load(path: Path) -> dict[str, float]:
    """Blocks per miner from the learner's own file: a JSON object, or lines of name,count.

    Raises ConfigError naming what is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    try:
        rows = json.loads(text).items() if text.lstrip().startswith("{") else _lines(text)
        counts = {str(name): float(count) for name, count in rows}
    except (ValueError, AttributeError, TypeError) as error:
        raise ConfigError(
            f"{path}: {error}; want a JSON object of name: blocks, or lines of name,blocks"
        ) from error
    if (
        not counts
        or len(counts) > MAX_MINERS
        or not all(0 <= count < math.inf for count in counts.values())
    ):
        raise ConfigError(f"{path}: want 1 to {MAX_MINERS} names with counts of 0 or more")
    if not sum(counts.values()):
        raise ConfigError(f"{path}: all counts are zero")
    return counts


def _lines(text: str) -> list[tuple[str, str]]:
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, comma, count = line.rpartition(",")
        if not comma:
            raise ValueError(f"line {number} has no comma")
        rows.append((name.strip(), count.strip()))
    return rows
