"""What a job's coinbase says: height, tag, outputs, and whether it pays the user.

For people: a coinbase that cannot be read is reported, never refused.
"""

import re
from dataclasses import dataclass

from miner.bitcoin import address
from miner.bitcoin.tx import MAX_MONEY, Transaction
from miner.text import hide, scrub
from miner.work.job import Job

SCRIPT_LENGTH_AT = 4 + 1 + 36  # version, input count, null outpoint (no witness is sent by pools)
TAG = re.compile(rb"[\x20-\x7e]{4,}")  # shorter runs are chance
COMMITMENT = bytes.fromhex("6a24aa21a9ed")  # BIP 141
MAX_HEIGHT_BYTES = 4


@dataclass(frozen=True, slots=True)
class Output:
    """One output of the coinbase."""

    value: int  # satoshi
    script: bytes
    text: str  # address on the chain given, or what the script is
    is_user: bool  # pays the user's own address


@dataclass(frozen=True, slots=True)
class DecodedCoinbase:
    """A coinbase in words."""

    height: int | None
    tag: str  # printable parts of the script, as pools sign their blocks
    outputs: tuple[Output, ...]
    own: str | None  # the user's address, where one is known

    @property
    def total(self) -> int:
        """Satoshi of all outputs."""
        return sum(output.value for output in self.outputs)

    @property
    def paid_to_user(self) -> int | None:
        """Satoshi to the user's own address; None when none is known."""
        if self.own is None:
            return None
        return sum(output.value for output in self.outputs if output.is_user)

    def lines(self) -> list[str]:
        """For a terminal, one fact a line."""
        height = "unknown" if self.height is None else str(self.height)
        tag = self.tag or "(none)"
        text = [f"coinbase: height {height}, tag {tag}, total {_coins(self.total)} BTC"]
        for output in self.outputs:
            mine = "   <- your address" if output.is_user else ""
            text.append(f"  {_coins(output.value):>17}  {output.text}{mine}")
        paid = self.paid_to_user
        if paid is None:
            text.append("  no address of yours is known: the pool keeps the account")
        elif paid == 0:
            text.append(f"  {self.own} is NOT paid by this coinbase: you trust the pool")
        else:
            share = per_cent(paid, self.total)
            text.append(f"  {self.own} is paid {_coins(paid)} of {_coins(self.total)} BTC, {share}")
        return text


def height_of(coinbase1: bytes) -> int | None:
    """The BIP 34 height at the front of a coinbase; None where there is none to be read."""
    if len(coinbase1) <= SCRIPT_LENGTH_AT + 1:
        return None
    script = coinbase1[SCRIPT_LENGTH_AT + 1 :]
    first = script[0]
    if 0x51 <= first <= 0x60:  # OP_1 .. OP_16
        return first - 0x50
    if not 1 <= first <= MAX_HEIGHT_BYTES or len(script) < 1 + first or script[first] & 0x80:
        return None
    return int.from_bytes(script[1 : 1 + first], "little")


def decode_coinbase(job: Job, own: address.Address | None, chain: str) -> DecodedCoinbase:
    """Decode the coinbase of a job, looking for the address `own`; addresses are shown as on
    `chain`. Raises ValueError when there is none, or it is no transaction."""
    parts = job.coinbase
    hole = len(parts.extranonce1) + parts.extranonce2_size
    coinbase = Transaction.parse(parts.fill(bytes(parts.extranonce2_size)))
    outputs = tuple(
        Output(
            out.value,
            out.script,
            _describe(out.script, chain),
            own is not None and out.script == own.script,
        )
        for out in coinbase.outputs
    )
    if any(not 0 <= output.value <= MAX_MONEY for output in outputs):
        raise ValueError("an output of the coinbase is negative or above 21 million coins")
    # The extranonces are ours and random: only what the pool wrote can be its tag.
    before = parts.part1[SCRIPT_LENGTH_AT + 1 :]
    script = coinbase.inputs[0].script
    after = script[len(before) + hole :]
    runs = TAG.findall(before) + TAG.findall(after)
    return DecodedCoinbase(
        height_of(parts.part1),
        scrub(" ".join(run.decode("ascii") for run in runs)),
        outputs,
        None if own is None else own.text,
    )


def user_address(user: str) -> address.Address | None:
    """The address in "address.worker", or None when the name holds none."""
    for separator in (".", "_", "+", "/"):
        try:
            return address.decode(user.split(separator)[0])
        except address.AddressError:
            continue
    return None


def per_cent(part: int, whole: int) -> str:
    """Exact to a hundredth, rounded down: 99.99 % is never shown as all."""
    hundredths = part * 10_000 // whole if whole else 0
    return f"{hundredths // 100}.{hundredths % 100:02d} %"


def _describe(script: bytes, chain: str) -> str:
    if script.startswith(COMMITMENT):
        return "witness commitment"
    if script[:1] == b"\x6a":  # OP_RETURN
        return f"data {hide(script[1:].hex())[:80]}"
    text = address.describe(script, chain)
    return text if len(text) <= address.MAX_ADDRESS else text[: address.MAX_ADDRESS - 3] + "..."


def _coins(satoshi: int) -> str:
    return f"{satoshi // 10**8}.{satoshi % 10**8:08d}"
