"""A whole family for the registry's tuple: a GPU, preferred to all others, that hashes by hashlib.

`rows` and `opens` may be changed by a test.
"""

from dataclasses import replace

from miner.backends.base import GPU_SCAN_S, Backend, Candidate, Kind, OpenOptions
from tests.fakes.backend import FakeBackend

MODULE = __name__  # the registry's line for it


class Provider:
    """Two cards, one of them broken."""

    family = "toy"

    def __init__(self) -> None:
        self.opened: list[tuple[str, OpenOptions]] = []
        self.opens = "toy:0"  # what it opens, whatever it is asked for

    def probe(self) -> list[Candidate]:
        return [
            Candidate("toy:0", Kind.GPU, True, rank=-1, detail="a toy"),
            Candidate("toy:1", Kind.GPU, False, why_not="it fell off the table", rank=-1),
        ]

    def open(self, name: str, options: OpenOptions) -> Backend:
        self.opened.append((name, options))
        toy = FakeBackend(self.opens)
        toy.info = replace(toy.info, kind=Kind.GPU, scan_s=GPU_SCAN_S, device="a toy card")
        return toy


PROVIDER = Provider()
