"""How often strangers may do a thing."""

from collections import OrderedDict
from dataclasses import dataclass, field

MOST_ADDRESSES = 256  # remembered


@dataclass(slots=True)
class Allowance:
    """At most so many in so long."""

    most: int
    every_s: float
    since_s: float = 0.0
    used: int = 0

    def take(self, now: float) -> bool:
        if abs(now - self.since_s) >= self.every_s:
            self.since_s, self.used = now, 0
        self.used += 1
        return self.used <= self.most


@dataclass(slots=True)
class PerAddress:
    """An allowance for each address; those not heard of for long are forgotten."""

    most: int
    every_s: float
    _known: OrderedDict[str, Allowance] = field(default_factory=OrderedDict)

    def take(self, address: str, now: float) -> bool:
        allowance = self._known.setdefault(address, Allowance(self.most, self.every_s))
        self._known.move_to_end(address)
        while len(self._known) > MOST_ADDRESSES:
            self._known.popitem(last=False)
        return allowance.take(now)
