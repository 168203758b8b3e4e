"""The one filter against doing a thing twice: a bounded memory of hashes."""

from collections import OrderedDict


class Seen:
    """The newest hashes; the oldest beyond `most` is forgotten. 220 bytes each."""

    __slots__ = ("_hashes", "_most")

    def __init__(self, most: int) -> None:
        self._most = most
        self._hashes: OrderedDict[bytes, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._hashes)

    def is_new(self, block_hash: bytes) -> bool:
        """Remember it; False when it was there already."""
        if block_hash in self._hashes:
            return False
        self._hashes[block_hash] = None
        if len(self._hashes) > self._most:
            self._hashes.popitem(last=False)
        return True
