"""Known answers every backend must give before it is used.

Real block headers with one version, the wanted number and a number that leaves padding; hits at
the first and last nonce; a flood. Answers come from hashlib, header by header.
"""

import struct
from dataclasses import dataclass
from functools import cache

from miner.backends.base import NONCES, Backend, Hit, ScanResult
from miner.bitcoin.encoding import sha256d
from miner.bitcoin.header import with_nonce
from miner.bitcoin.target import target_from_nbits
from miner.errors import BackendFault

# Bitcoin mainnet headers, heights 0, 125552 and 874944: the block chain itself is the source.
GENESIS = bytes.fromhex(
    "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b2"
    "7ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c"
)
BLOCK_125552 = bytes.fromhex(
    "0100000081cd02ab7e569e8bcd9317e2fe99f2de44d49ab2b8851ba4a308000000000000e320b6c2fffc8d75"
    "0423db8b1eb942ae710e951ed797f7affc8892b0f1fc122bc7f5d74df2b9441a42a14695"
)
BLOCK_874944 = bytes.fromhex(  # its version was rolled by an AsicBoost miner
    "00606727e5d7ba06c97c63e82bc6a926277eb5e86cda617d428700000000000000000000adb125015abeb245"
    "9fbffe53b267f9814496d6a24675f682785007ba98af35666a835f67fa97021705a8c4a8"
)
HEADERS = (GENESIS, BLOCK_125552, BLOCK_874944)
WINDOW = 64  # nonces scanned around each known answer


@dataclass(frozen=True, slots=True)
class Question:
    """A scannable unit with the range to scan."""

    prefix: bytes
    versions: tuple[int, ...]
    target: int
    start: int
    count: int

    def answer(self) -> ScanResult:
        """Every hit in the range, by hashlib."""
        hits = [
            Hit(version, nonce)
            for nonce in range(self.start, self.start + self.count)
            for version in self.versions
            if int.from_bytes(sha256d(self.header(version, nonce)), "little") <= self.target
        ]
        return ScanResult(tuple(hits), self.count * len(self.versions))

    def header(self, version: int, nonce: int) -> bytes:
        return with_nonce(self.prefix, version, nonce)


def real_block(header: bytes, extra_versions: int) -> Question:
    """A window around a real nonce; the block's own version comes first."""
    version, nonce = struct.unpack_from("<I", header)[0], struct.unpack_from("<I", header, 76)[0]
    start = min(max(nonce - WINDOW // 2, 0), NONCES - WINDOW)
    versions = tuple(version + (step << 13) for step in range(extra_versions + 1))
    nbits = struct.unpack_from("<I", header, 72)[0]
    return Question(header[:76], versions, target_from_nbits(nbits), start, WINDOW)


def questions(versions_wanted: int) -> list[Question]:
    """The fixed set, for 1, the wanted and one more version, which leaves padded lanes."""
    counts = sorted({1, versions_wanted, versions_wanted + 1})
    asked = [real_block(header, count - 1) for header in HEADERS for count in counts]
    prefix, half, rare = GENESIS[:76], 2**255, 2**250
    for count in counts:
        versions = tuple(1 + (step << 13) for step in range(count))
        asked.append(Question(prefix, versions, half, 0, 5))  # flood at the first nonces
        asked.append(Question(prefix, versions, half, NONCES - 5, 5))  # and at the last
        asked.append(Question(prefix, versions, rare, 1, 37))  # range not a multiple of lanes
    asked.append(Question(prefix, (1,), 2**256 - 1, NONCES - 1, 1))
    asked.append(Question(prefix, (1,), 0, 0, 8))
    return asked


@cache
def known_answers(versions_wanted: int) -> list[tuple[Question, ScanResult]]:
    """The fixed set with its answers, which cost hashlib some 20 ms."""
    return [(question, question.answer()) for question in questions(versions_wanted)]


def scan_all(backend: Backend, question: Question) -> ScanResult:
    """Scan the whole range, resuming where the backend stopped early."""
    hits: list[Hit] = []
    done = 0
    while done < question.count:
        part = backend.scan(question, question.start + done, question.count - done)
        advanced, rest = divmod(part.hashes, len(question.versions))
        if advanced < 1 or rest or advanced > question.count - done:
            raise BackendFault(backend.info.name, f"counted {part.hashes} hashes, impossible")
        hits += part.hits
        done += advanced
    return ScanResult(tuple(hits), done * len(question.versions))


def check(backend: Backend) -> None:
    """Raise BackendFault unless every known answer comes out exactly."""
    for question, want in known_answers(backend.info.versions_wanted):
        got = scan_all(backend, question)
        if got != want:
            raise BackendFault(
                backend.info.name,
                f"self-test: nonces {question.start}..{question.start + question.count - 1} with "
                f"{len(question.versions)} versions gave {len(got.hits)} hits, "
                f"want {len(want.hits)}; update the driver or choose another backend",
            )
