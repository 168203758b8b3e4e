"""Addresses and user names for whoever looks over a shoulder: cut to bc1q…x7f2.

What a page or an API gives goes through here unless its user asked for whole addresses.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from miner.bitcoin.address import AddressError, decode
from miner.state.snapshot import Snapshot

KEPT = 4  # characters at each end
LONG = 16  # a longer name is cut: an address of another coin, an e-mail address
ADDRESS = re.compile(
    r"\b(?:(?:bc|tb|bcrt)1[0-9a-z]{8,87}|[123mn][1-9A-HJ-NP-Za-km-z]{24,34})\b", re.IGNORECASE
)


def short(text: str) -> str:
    """Its two ends."""
    return f"{text[:KEPT]}…{text[-KEPT:]}"


def short_user(user: str) -> str:
    """ADDRESS.WORKER with the address cut; the worker's name is kept unless it is long, too."""
    return ".".join(short(part) if len(part) > LONG else part for part in user.split("."))


@lru_cache(4096)
def cut_addresses(text: str) -> str:
    """Every Bitcoin address in a text, of any chain; what only looks like one stays."""
    return ADDRESS.sub(lambda found: short(found[0]) if is_address(found[0]) else found[0], text)


def is_address(text: str) -> bool:
    try:
        decode(text)
    except AddressError:
        return False
    return True


class Names:
    """Cuts the names of one run's users out of everything; `whole` leaves all as it is."""

    def __init__(self, whole: bool = False) -> None:
        self.whole = whole
        self._users: dict[str, str] = {}

    def learn(self, now: Snapshot) -> None:
        """The users of this run's sources."""
        self._users |= {row.user: short_user(row.user) for row in now.sources if row.user}

    def user(self, user: str) -> str:
        return user if self.whole else short_user(user)

    def cut(self, value: Any) -> Any:
        """The same tree with every text cut; keys stay."""
        if self.whole:
            return value
        if isinstance(value, str):
            for user in self._long(value):
                value = value.replace(user, self._users[user])
            return cut_addresses(value)
        if isinstance(value, dict):
            return {key: self.cut(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.cut(one) for one in value]
        return value

    def _long(self, text: str) -> Iterable[str]:
        return (user for user in self._users if len(user) > LONG and user in text)
