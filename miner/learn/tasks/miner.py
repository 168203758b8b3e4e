"""A miner of fifteen lines, whose blocks the built-in node accepts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from miner.bitcoin.address import script_from_address
from miner.bitcoin.coinbase import build_coinbase
from miner.bitcoin.encoding import display_hex, sha256d
from miner.bitcoin.header import HEADER_BYTES, Header
from miner.bitcoin.target import target_from_nbits
from miner.bitcoin.tx import TxOut
from miner.learn.chain import FAMOUS, by_height
from miner.learn.mining import PAYOUT
from miner.learn.task import Case, Fault, Task
from miner.protocol.gbt.verdicts import Judgement, Ruling

Work = dict[str, Any]
VERSION = 0x20000000
BLOCKS = 2  # mined on top of each other on the node


def coinbase(height: int, satoshi: int) -> bytes:
    """A block's first transaction, without a witness: alone it needs no commitment."""
    output = TxOut(satoshi, script_from_address(PAYOUT, "regtest"))
    return build_coinbase(height, [output], 0, b"/homehash exercise/").fill(b"")


def work(height: int, previous: str, time: int, nbits: int, satoshi: int) -> Work:
    """What a node's template says, as far as a miner of fifteen lines needs it."""
    return {
        "version": VERSION,
        "previousblockhash": previous,
        "curtime": time,
        "bits": f"{nbits:08x}",
        "coinbase": coinbase(height, satoshi).hex(),
    }


def right(job: Work) -> bytes:
    """The first block in the order of nonces, by the miner's own header."""
    raw = bytes.fromhex(job["coinbase"])
    nbits, previous = int(job["bits"], 16), bytes.fromhex(job["previousblockhash"])[::-1]
    for nonce in range(2**32):
        header = Header(job["version"], previous, sha256d(raw), job["curtime"], nbits, nonce)
        if header.meets(target_from_nbits(nbits)):
            return header.pack() + b"\x01" + raw
    raise ValueError("no nonce gives a block")


FIELDS = {  # places in a header, and the hint when there stands something else
    "version": (0, 4), "previous": (4, 36), "root": (36, 68), "time": (68, 72), "bits": (72, 76),
}  # fmt: skip


def fault(case: Case, answer: Any, _calls: int) -> Fault | None:
    """Any block that follows the work will do, whichever nonce it has."""
    want, (job,) = case.want, case.given
    if not isinstance(answer, bytes):
        return Fault(want, "hex" if isinstance(answer, str) else "none" if answer is None else "")
    if len(answer) == HEADER_BYTES:
        return Fault(want, "header-alone")
    if len(answer) < HEADER_BYTES:
        return Fault(want, "small")
    for field, (start, end) in FIELDS.items():
        if answer[start:end] != want[start:end]:
            return Fault(want, _of_field(field, answer[start:end], want[start:end], job))
    return _of_hash(answer, want, job)


def _of_field(field: str, given: bytes, wanted: bytes, job: Work) -> str:
    """The hint for a wrong field."""
    if field == "root" and given == sha256d(job["coinbase"].encode()):
        return "root-text"
    return f"{field}-order" if given == wanted[::-1] else field


def _of_hash(answer: bytes, want: bytes, job: Work) -> Fault | None:
    target, hashed = target_from_nbits(int(job["bits"], 16)), sha256d(answer[:HEADER_BYTES])
    if int.from_bytes(hashed, "little") > target:
        return Fault(want, "hash-order" if int.from_bytes(hashed, "big") <= target else "above")
    if answer[HEADER_BYTES:] == bytes.fromhex(job["coinbase"]):
        return Fault(want, "uncounted")
    return None if answer[HEADER_BYTES:] == want[HEADER_BYTES:] else Fault(want, "coinbase")


def made() -> tuple[Case, ...]:
    previous = display_hex(Header.parse(by_height(FAMOUS)).hash)
    jobs = {
        "easy": work(FAMOUS + 1, previous, 1306000000, 0x2000FFFF, 50 * 10**8),
        "harder": work(FAMOUS + 2, previous, 1306000000, 0x1F1FFFFF, 50 * 10**8),
    }
    return tuple(Case(key, (job,), right(job)) for key, job in jobs.items())


def node_case(job: Work) -> Case:
    """A template of the node's own."""
    return Case("node", (job,), right(job))


@dataclass(frozen=True, slots=True)
class Sent:
    """A block that was sent to the node, and what the node said."""

    raw: bytes
    judgement: Judgement

    @property
    def accepted(self) -> bool:
        return self.judgement.ruling is Ruling.ACCEPTED

    @property
    def hash_hex(self) -> str:
        return display_hex(sha256d(self.raw[:HEADER_BYTES]))


def on_node(mine: Callable[[Work], bytes], blocks: int = BLOCKS) -> list[Sent]:
    """Blocks that `mine` made on a new regtest node, up to the first that it refuses.

    Raises MinerError where the node cannot run.
    """
    from miner.learn.own_node import OwnNode

    done: list[Sent] = []
    with OwnNode() as node:
        for _ in range(blocks):
            reply, template = node.template()
            job = work(template.height, reply["previousblockhash"], reply["curtime"],
                       int(reply["bits"], 16), reply["coinbasevalue"])  # fmt: skip
            raw = mine(job)
            done.append(Sent(raw, node.submit(raw)))
            if not done[-1].accepted:
                break
    return done


TASK = Task(
    "mine(work: dict[str, Any]) -> bytes",
    right,
    made,
    {},
    "import hashlib\nfrom typing import Any\n\nfrom miner.bitcoin.target import target_from_nbits",
    fault=fault,
    claim="accepted({function})",
    needs=("from miner.learn.exercises import accepted",),
)
