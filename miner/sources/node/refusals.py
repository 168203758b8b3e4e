"""A node that refuses every block of an easy chain, as in a class, is asked less often.

Hundreds of blocks a second would go to it in vain. At difficulty 1 and above every block is sent at
once, always.
"""

from miner.bitcoin.target import DIFF1_TARGET, target_from_nbits

PATIENCE = 10  # refusals in a row for the same reason
PAUSE_S = 5.0  # between two submits after them


class Refusals:
    """Counts how often in a row the same reason came."""

    def __init__(self) -> None:
        self._reason, self._count = "", 0

    def note(self, reason: str) -> None:
        """The node's word for a block it did not take; empty: it took one."""
        word = reason.partition("(")[0]  # "bad-version(0x20000000)" names the block's own version
        self._count = self._count + 1 if word and word == self._reason else int(bool(word))
        self._reason = word

    @property
    def hopeless(self) -> bool:
        """Is the next block all but sure to be refused too?"""
        return self._count >= PATIENCE

    def __str__(self) -> str:
        return f"the {self._count} blocks before were refused: {self._reason}"


def is_easy(header: bytes) -> bool:
    """Does the header's own target make it easier than difficulty 1?"""
    try:
        return target_from_nbits(int.from_bytes(header[72:76], "little")) > DIFF1_TARGET
    except ValueError:
        return False
