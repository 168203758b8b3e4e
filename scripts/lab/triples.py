"""Compare each shape of every native variant with portable on random triples of header, version
and nonce.

`python3 scripts/lab/triples.py [--triples 10000000] [--seed N] [VARIANT...]`. Easy random targets
make an eighth to nearly all of the triples hits, so that a lane that hashes wrong shows at once.
Ends with 1 at the first difference, and prints the case.
"""

import argparse
import random
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import bootstrap

bootstrap.enter()

import numpy as np
import numpy.typing as npt

from miner.backends import native
from miner.backends.base import NONCES
from miner.backends.native import device
from miner.backends.native.library import Library

MOST_VERSIONS, MOST_NONCES = 40, 100  # random numbers up to these: every tail and padding occurs


class Case:
    """A random task, and the answer of any variant to it."""

    def __init__(self, library: Library, rng: random.Random) -> None:
        self._ffi, self._lib = library.ffi, library.lib
        self.versions = sorted(rng.sample(range(2**32), rng.randint(1, MOST_VERSIONS)))
        self.header = rng.randbytes(76)
        self.count = rng.randint(1, MOST_NONCES)
        self.start = rng.choice([0, NONCES - self.count, rng.randrange(NONCES - MOST_NONCES)])
        self.target = rng.randrange(2**253, 2**256)
        n = len(self.versions)
        self._midstates = self._ffi.new("uint32_t[]", 8 * n)
        self._lib.scan_midstates(self.header[:64], self.versions, n, self._midstates)
        self.triples = n * self.count

    def answer(self, variant: int) -> npt.NDArray[np.uint64]:
        """Every hit, sorted, as nonce << 32 | version index."""
        task: Any = self._ffi.new("struct scan_task *")
        task.midstates, task.n_versions = self._midstates, len(self.versions)
        tail = (int.from_bytes(self.header[at : at + 4], "big") for at in (64, 68, 72))
        task.tail = tuple(tail)
        task.target = tuple(self.target >> 32 * i & 0xFFFFFFFF for i in range(8))
        room = self.triples + self._lib.scan_min_capacity(variant, len(self.versions))
        hits, hashes = self._ffi.new("struct scan_hit[]", room), self._ffi.new("uint64_t *")
        task.start, task.count = self.start, self.count
        found = self._lib.scan_run(variant, task, hits, room, hashes)
        if found < 0 or hashes[0] != self.triples:
            raise SystemExit(f"scan_run answered {found}, {hashes[0]} of {self.triples}: {self}")
        pairs = np.frombuffer(self._ffi.buffer(hits), np.uint32, 2 * found).astype(np.uint64)
        keys: npt.NDArray[np.uint64] = np.sort(pairs[1::2] << np.uint64(32) | pairs[0::2])
        return keys

    def __str__(self) -> str:
        return (
            f"header {self.header.hex()}, versions {self.versions}, target {self.target:064x}, "
            f"nonces {self.start} + {self.count}"
        )


def check(library: Library, shapes: list[device.Shape], triples: int, seed: int) -> int:
    """Compare until each shape has had this many triples; hits seen, for the record."""
    portable = device.usable(library, "portable")[0].index
    rng = random.Random(seed)
    done = hits = 0
    while done < triples:
        case = Case(library, rng)
        want = case.answer(portable)
        for shape in shapes:
            if not np.array_equal(case.answer(shape.index), want):
                raise SystemExit(f"native:{shape.name} differs from portable, seed {seed}: {case}")
        done += case.triples
        hits += len(want)
    return hits


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--triples", type=int, default=10_000_000, help="for each shape")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("variant", nargs="*", help="only these")
    options = parser.parse_args()
    if native.LIBRARY is None:
        raise SystemExit(native.NOT_BUILT)
    known = device.variants(native.LIBRARY)
    for name in options.variant or known:
        if known.get(name, "no such variant"):
            print(f"native:{name} skipped: {known.get(name, 'no such variant')}")
    chosen = [name for name in options.variant or known if known.get(name) == ""]
    rows = device.usable(native.LIBRARY)
    shapes = [row for row in rows if row.variant in chosen and row.variant != "portable"]
    hits = check(native.LIBRARY, shapes, options.triples, options.seed)
    names = ", ".join(row.name for row in shapes)
    print(
        f"{names}: equal to portable on {options.triples} triples, {hits} hits, seed {options.seed}"
    )


if __name__ == "__main__":
    main()
