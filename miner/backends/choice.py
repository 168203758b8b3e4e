"""What `auto` takes of the rows of `miner devices`, and why it passes over each of the others.

Every usable GPU that has a rank, and of the CPU's families the one with the best rank. It knows
no family by name.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from miner.backends.base import Candidate, Kind

BY_NAME = "it is used by name only"


@dataclass(frozen=True, slots=True)
class Choice:
    """Groups of names: one of each group is opened, the fastest if there are several."""

    cards: tuple[tuple[str, ...], ...]  # rows of one graphics card, by each way to reach it
    families: tuple[str, ...]  # of the CPU, equal in rank; empty: none is usable
    passed: dict[str, str]  # row: why it is not taken, in words
    better: str = ""  # the family that would have come first, were it usable

    @property
    def rivals(self) -> tuple[tuple[str, ...], ...]:
        """Each group of which the fastest is opened; a CPU family stands for its best row."""
        return tuple(group for group in (*self.cards, self.families) if group)

    def takes(self, row: Candidate) -> bool:
        """May `auto` use this row?"""
        return row.name not in self.passed

    def sentences(self) -> list[str]:
        """What is passed over, rows with one reason in one line."""
        grouped: dict[str, list[str]] = {}
        for name, why in self.passed.items():
            grouped.setdefault(why, []).append(name)
        return [f"{', '.join(names)} not used: {why}" for why, names in grouped.items()]


def choose(rows: Sequence[Candidate]) -> Choice:
    """What `auto` would open of these rows."""
    passed = {row.name: row.why_not for row in rows if not row.usable}
    passed |= {row.name: BY_NAME for row in rows if row.usable and row.rank is None}
    ranked = sorted(
        (row for row in rows if row.rank is not None), key=lambda row: row.rank or 0
    )  # stable: equal ranks in the registry's order
    cpus = [row for row in ranked if row.kind is Kind.CPU]
    best = next((row.rank for row in cpus if row.usable), None)
    families = _families(row for row in cpus if row.usable and row.rank == best)
    for row in rows:
        if not row.usable or row.kind is not Kind.CPU or row.external:
            continue
        if row.family in families and row.rank is None:
            passed[row.name] = f"{row.family} takes its fastest"
        elif row.rank is not None and row.rank != best:
            passed[row.name] = f"{' or '.join(families)} comes first"
    first = cpus[0] if cpus and best is not None and cpus[0].rank != best else None
    return Choice(
        _cards(row for row in ranked if row.usable and row.kind is Kind.GPU),
        families, passed, first.family if first else "",
    )  # fmt: skip


def _families(rows: Iterable[Candidate]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row.family for row in rows))


def _cards(rows: Iterable[Candidate]) -> tuple[tuple[str, ...], ...]:
    """Rows of one card, each by another family, are one device; of equal cards, in order."""
    groups: list[list[Candidate]] = []
    for row in rows:
        for group in groups:
            if all(other.family != row.family for other in group) and _same(group[0], row):
                group.append(row)
                break
        else:
            groups.append([row])
    return tuple(tuple(row.name for row in group) for group in groups)


def _same(one: Candidate, other: Candidate) -> bool:
    if one.bus and other.bus:
        return one.bus == other.bus
    return bool(one.card) and _model(one.card) == _model(other.card)


def _model(words: str) -> str:
    """A model as all drivers call it: "AMD Radeon RX 6800 (RADV NAVI21)" has its driver's words."""
    return " ".join(re.sub(r"\([^)]*\)", " ", words).lower().split())
