"""Write tests/vectors/scans.json: scan cases and their answers, from hashlib alone.

Run it again and the file must not change: everything is seeded and nothing of homehash is used.
"""

import hashlib
import json
import random
import struct
from pathlib import Path
from typing import Any

VECTORS = Path(__file__).resolve().parent.parent / "tests" / "vectors"
VERSION_COUNTS = (1, 2, 3, 4, 5, 8, 9, 16, 17, 65)
LAST = 2**32 - 1

Case = dict[str, Any]


def hash_value(prefix: bytes, version: int, nonce: int) -> int:
    header = struct.pack("<I", version) + prefix[4:] + struct.pack("<I", nonce)
    return int.from_bytes(hashlib.sha256(hashlib.sha256(header).digest()).digest(), "little")


def case(
    name: str, prefix: bytes, versions: list[int], target: int, start: int, count: int
) -> Case:
    prefix = struct.pack("<I", versions[0]) + prefix[4:]
    hits = [
        [version, nonce]
        for nonce in range(start, start + count)
        for version in versions
        if hash_value(prefix, version, nonce) <= target
    ]
    return {
        "name": name, "prefix": prefix.hex(), "versions": versions, "target": f"{target:064x}",
        "start": start, "count": count, "hits": hits,
    }  # fmt: skip


def rolled(count: int, first: int = 0x20000000) -> list[int]:
    return [first + (step << 13) for step in range(count)]


def target_of(nbits: int) -> int:
    return (nbits & 0x7FFFFF) << 8 * ((nbits >> 24) - 3)


def real_cases() -> list[Case]:
    found = []
    for block in json.loads((VECTORS / "mainnet_headers.json").read_text())["headers"]:
        raw = bytes.fromhex(block["header"])
        nonce, version = block["nonce"], int(block["version"], 16)
        target = target_of(int(block["nbits"], 16))
        assert hash_value(raw[:76], version, nonce) <= target, block["height"]
        start = min(max(nonce - 40, 0), LAST - 80)
        found.append(case(f"block {block['height']}", raw[:76], [version], target, start, 81))
    return found


def random_cases(rng: random.Random) -> list[Case]:
    found = []
    for count in VERSION_COUNTS:
        versions = rolled(count, rng.getrandbits(13))
        for name, target in (("half hit", 2**255 - 1), ("1 in 64 hits", 2**250 - 1)):
            prefix, start = rng.randbytes(76), rng.randrange(2**32 - 200)
            found.append(
                case(f"{count} versions, {name}", prefix, versions, target, start, 33 + count)
            )
        prefix = rng.randbytes(76)
        found.append(case(f"{count} versions, first nonces", prefix, versions, 2**252, 0, 67))
        found.append(
            case(f"{count} versions, last nonces", prefix, versions, 2**252, LAST - 66, 67)
        )
        found.append(case(f"{count} versions, all hit", prefix, versions, 2**256 - 1, 5, 19))
        found.append(case(f"{count} versions, target 0", prefix, versions, 0, 5, 100))
        found.append(case(f"{count} versions, one nonce", prefix, versions, 2**255, LAST, 1))
        found.append(case(f"{count} versions, no nonce", prefix, versions, 2**255, 7, 0))
    return found


def edge_cases(rng: random.Random) -> list[Case]:
    """The target is exactly one hash, one less, and differs from it in each 32-bit word alone."""
    prefix, versions = rng.randbytes(76), rolled(3)
    best = min((hash_value(prefix, v, n), v, n) for n in range(256) for v in versions)
    found = [
        case("target equals the best hash", prefix, versions, best[0], 0, 256),
        case("target one below the best hash", prefix, versions, best[0] - 1, 0, 256),
    ]
    for word in range(8):
        for sign in (1, -1):
            target = best[0] + sign * (1 << 32 * word)
            if 0 <= target < 2**256:
                name = f"best hash {'+' if sign > 0 else '-'} one in word {word}"
                found.append(case(name, prefix, versions, target, 0, 256))
    return found


def main() -> None:
    rng = random.Random(31337)
    cases = [*real_cases(), *random_cases(rng), *edge_cases(rng)]
    text = ",\n".join(json.dumps(one) for one in cases)
    head = '{"source": "scripts/make_vectors.py, hashlib; seed 31337",\n"cases": [\n'
    (VECTORS / "scans.json").write_text(head + text + "\n]}\n")
    print(f"{len(cases)} cases, {sum(len(one['hits']) for one in cases)} hits")


if __name__ == "__main__":
    main()
