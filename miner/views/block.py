"""The block that is being made, byte by byte, for a page that shows it grow.

Hashes stand in internal order, as they are hashed; `display` is the order people read.
"""

from dataclasses import replace
from typing import Any

from miner.bitcoin.encoding import sha256d
from miner.bitcoin.header import Header
from miner.state.snapshot import CoinbaseRow, JobRow, Snapshot
from miner.views.names import Names

# name, first byte, length, what it is, how it rolls
FIELDS = (
    ("version", 0, 4, "which rules; spare bits are tried in every way", "with each hash"),
    ("previous hash", 4, 32, "the block this one builds on", ""),
    ("merkle root", 36, 32, "a fingerprint of all transactions", "with each extranonce"),
    ("time", 68, 4, "seconds since 1970", "when everything else is used up, or with the clock"),
    ("nbits", 72, 4, "the target in short", ""),
    ("nonce", 76, 4, "counts through 4,294,967,296 values", "with each hash"),
)


def block(now: Snapshot, names: Names) -> dict[str, Any]:
    """Everything of the job at hand; without a job its change number alone."""
    if now.job is None:
        return {"change": now.change}
    job = planned(now.job)
    best = now.shares.best[0] if now.shares.best else None
    return {
        "change": now.change,
        "source": job.source,
        "job_id": job.job_id,
        "jobs": job.jobs,
        "age_s": job.age_s,
        "clean": job.clean,
        "height": job.height,
        "header": {"scanned": now.job.header is not None, **header(job)},
        "coinbase": None if job.coinbase is None else coinbase(job, job.coinbase, names),
        "merkle": merkle(job),
        "transactions": transactions(job),
        "target": target(job),
        "best": None
        if best is None
        else {
            "difficulty": best.difficulty,
            "hash": best.hash,
            "zero_bits": zero_bits(best.hash),
            "found_at_s": best.found_at_s,
        },
    }


def planned(job: JobRow) -> JobRow:
    """With a header as it will be, of extranonce2 0, while no worker scans the job: between paced
    blocks that is most of the time. Header-only work has none until then."""
    if job.header is not None or job.coinbase is None:
        return job
    sizes = (size for name, _, size in job.coinbase.parts if name == "extranonce2")
    filled = replace(job, extranonce2="00" * next(sizes, 0), nonce=0)
    steps = merkle(filled)["steps"]
    root = steps[-1]["gives"] if steps else coinbase_txid(filled)
    assert root is not None
    plain = bytes.fromhex(job.prev_hash), bytes.fromhex(root)
    whole = Header(job.version, *plain, job.ntime, job.nbits, 0).pack()
    return replace(filled, header=whole[:76].hex())


def header(job: JobRow) -> dict[str, Any]:
    """The 80 bytes; `hex` is missing where a field is not known."""
    prefix = job.header
    whole = None
    if prefix is not None and job.nonce is not None:
        whole = prefix + job.nonce.to_bytes(4, "little").hex()
    fixed = {
        "version": job.version.to_bytes(4, "little").hex(),
        "previous hash": job.prev_hash,
        "nbits": job.nbits.to_bytes(4, "little").hex(),
    }
    fields = []
    for name, start, size, about, how in FIELDS:
        text = fixed.get(name) if whole is None else whole[2 * start : 2 * (start + size)]
        rolls = is_rolling(name, job)
        fields.append(
            {
                "name": name,
                "start": start,
                "bytes": size,
                "about": about,
                "hex": text,
                "display": None if text is None else bytes.fromhex(text)[::-1].hex(),
                "number": number(text) if size == 4 else None,
                "rolls": rolls,
                "how": how if rolls else None,
            }
        )
    return {
        "hex": whole,
        "fields": fields,
        "version_mask": f"{job.version_mask:08x}",
        "versions_per_scan": job.versions_per_scan,
    }


def is_rolling(name: str, job: JobRow) -> bool:
    """Does this field change while this job is scanned?"""
    if name == "version":
        return job.versions_per_scan > 1
    if name == "merkle root":
        return bool(job.extranonce2)
    return name in ("nonce", "time")


def number(text: str | None) -> int | None:
    return None if text is None else int.from_bytes(bytes.fromhex(text), "little")


def coinbase(job: JobRow, row: CoinbaseRow, names: Names) -> dict[str, Any]:
    """Its parts in order; a script that spells an address is left out where addresses are cut."""
    hidden = {
        f"output {number} script"
        for number, (_, text, _) in enumerate(row.outputs, 1)
        if names.cut(text) != text
    }
    parts = []
    for name, text, size in row.parts:
        rolls = name == "extranonce2"
        shown = job.extranonce2 if rolls else None if name in hidden else text
        parts.append({"name": name, "bytes": size, "hex": shown, "rolls": rolls})
    return {
        "height": row.height,
        "tag": row.tag,
        "total_sat": row.total,
        "outputs": [
            {"value_sat": value, "to": text, "is_user": mine} for value, text, mine in row.outputs
        ],
        "parts": parts,
        "hex": None if hidden else whole_coinbase(job),
        "txid": coinbase_txid(job),
    }


def coinbase_txid(job: JobRow) -> str | None:
    raw = whole_coinbase(job)
    return None if raw is None else sha256d(bytes.fromhex(raw)).hex()


def whole_coinbase(job: JobRow) -> str | None:
    """Without witness; None until a worker scans."""
    if job.coinbase is None or job.extranonce2 is None:
        return None
    parts = job.coinbase.parts
    return "".join(job.extranonce2 if name == "extranonce2" else text for name, text, _ in parts)


def merkle(job: JobRow) -> dict[str, Any]:
    """The way from the coinbase up to the root: a hash, its partner, what they give."""
    raw, steps = whole_coinbase(job), []
    if raw is not None:
        at = sha256d(bytes.fromhex(raw))
        for partner in job.branch:
            above = sha256d(at + bytes.fromhex(partner))
            steps.append({"hash": at.hex(), "partner": partner, "gives": above.hex()})
            at = above
    root = None if job.header is None else job.header[72:136]
    return {"branch": list(job.branch), "steps": steps if raw is not None else None, "root": root}


def transactions(job: JobRow) -> dict[str, Any]:
    """How many, with the coinbase; of a pool only what the length of the branch tells."""
    depth = len(job.branch)
    if job.transactions is not None:
        return {"count": job.transactions}
    if job.coinbase is None:  # header-only work
        return {}
    return {"at_least": 2 ** (depth - 1) + 1 if depth else 1, "at_most": 2**depth}


def target(job: JobRow) -> dict[str, Any]:
    return {
        "nbits": f"{job.nbits:08x}",
        "network": job.network_target,
        "share": job.share_target,
        "network_zero_bits": zero_bits(job.network_target),
        "share_zero_bits": zero_bits(job.share_target),
        "network_difficulty": job.network_difficulty,
        "share_difficulty": job.share_difficulty,
    }


def zero_bits(text: str) -> int:
    """Leading zeros of a 256-bit number in hex."""
    return 256 - int(text, 16).bit_length()
