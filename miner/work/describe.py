"""What a job's coinbase says, in words: outputs, tag, height, and whether an address is paid."""

from miner.bitcoin.address import describe
from miner.bitcoin.encoding import Reader
from miner.bitcoin.tx import Transaction
from miner.work.values import Job

WITNESS_COMMITMENT = bytes.fromhex("6a24aa21a9ed")


def coinbase_of(job: Job) -> bytes:
    """The coinbase with an extranonce2 of zeros, serialized without witness."""
    return job.coinbase1 + job.extranonce1 + bytes(job.extranonce2_size) + job.coinbase2


def describe_coinbase(job: Job, chain: str, script: bytes | None) -> list[str]:
    """Lines for people. `script`: whose share of the reward is named; None: nobody's.

    Raises ValueError when the bytes are no transaction.
    """
    transaction = Transaction.parse(coinbase_of(job))
    data = transaction.inputs[0].script
    lines = [f"coinbase of job {job.job_id}: height {height_of(data)}, tag {tag_of(data)!r}"]
    total = sum(output.value for output in transaction.outputs)
    ours = sum(output.value for output in transaction.outputs if output.script == script)
    for output in transaction.outputs:
        if output.script.startswith(WITNESS_COMMITMENT):
            lines.append("  witness commitment")
            continue
        mine = " (yours)" if output.script == script else ""
        lines.append(f"  {output.value / 1e8:.8f} BTC to {describe(output.script, chain)}{mine}")
    if script is not None:
        share = 100 * ours / total if total else 0.0
        lines.append(
            f"  {ours / 1e8:.8f} of {total / 1e8:.8f} BTC pay your address ({share:.1f} %)"
        )
    return lines


def height_of(data: bytes) -> int | None:
    """The BIP 34 height at the front of a coinbase's script; None when there is none."""
    if data and 0x51 <= data[0] <= 0x60:
        return data[0] - 0x50
    try:
        reader = Reader(data)
        size = reader.number(1)
        return int.from_bytes(reader.take(size), "little", signed=True) if 1 <= size <= 5 else None
    except ValueError:
        return None


def tag_of(data: bytes) -> str:
    """The longest printable ASCII run of at least four characters: who made the block."""
    runs = "".join(chr(byte) if 32 <= byte < 127 else "\n" for byte in data).split("\n")
    longest = max(runs, key=len)
    return longest if len(longest) >= 4 else ""
