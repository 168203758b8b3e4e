"""When a run ends by itself."""

from typing import Literal, NamedTuple


class Goal(NamedTuple):
    """When to stop: after this many seconds, accepted shares or accepted blocks."""

    amount: float
    unit: Literal["s", "shares", "blocks"]
