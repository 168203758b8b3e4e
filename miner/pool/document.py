"""What the board shows, as JSON: the room's view with every figure computed; a page only draws."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from miner.gap import economics, hardware
from miner.pool import stats
from miner.pool.values import CHAIN_WORDS, BlockRow, ChainView, MemberRow, Mode, RoomView

MACHINES = ("Antminer S9", "Antminer S21")
NETWORK = "network_hashrate"
BEST = 10  # rungs of the ladder
CHAIN = 16  # blocks of the strip


@dataclass(frozen=True, slots=True)
class Invitation:
    """How one joins; "" where there is no way."""

    command: str  # for a terminal
    url: str  # for a phone


@cache
def beside() -> tuple[dict[str, Any], ...]:
    """Machines and the network that the class is set beside, from the dated tables."""
    table = {row.name: row for row in hardware.load()}
    rows = [
        {"name": name, "rate_hs": table[name].hashrate_hs, "as_of": table[name].released[:4],
         "source": table[name].source_url}
        for name in MACHINES
    ]  # fmt: skip
    network = economics.load()[NETWORK]
    told = {"rate_hs": network.value, "as_of": network.as_of, "source": network.source_url}
    return (*rows, {"name": "network", **told})


def board(view: RoomView, invitation: Invitation) -> dict[str, Any]:
    """The whole board of this moment."""
    return {
        "change": view.change,
        "time_s": view.at_s,
        "chain": chain(view.chain, view.at_s),
        "mode": view.mode.name.lower(),
        "paused": view.paused,
        "total": {
            "rate_hs": view.rate_hs,
            "sigma_hs": view.rate_sigma_hs,
            "mean_wait_s": mean_wait(view),
        },
        "blocks": [block(row) for row in view.blocks[-CHAIN:]],
        "members": [member(row) for row in view.members],
        "waits": waits(view.waits_s),
        "luck": luck(view),
        "shares": [
            {"number": one.number, "bits": round(stats.bits_at(one.place), 3), "at_s": one.at_s,
             "is_block": one.is_block}
            for one in view.shares
        ],
        "best": best(view.members),
        "attack": attack(view),
        "beside": beside(),
        "join": {"command": invitation.command, "url": invitation.url},
    }  # fmt: skip


def chain(told: ChainView, now: float) -> dict[str, Any]:
    since = told.tip_since_s
    return {
        "name": told.name,
        "words": told.words,
        "private": told.words == CHAIN_WORDS,
        "height": told.height,
        "tip_hash": told.tip_hash,
        "tip_age_s": None if since is None else max(now - since, 0.0),
        "difficulty": told.block_difficulty,
        "hashes": told.block_difficulty * float(stats.HASHES_AT_DIFFICULTY_1),
        "bits": stats.bits_of_difficulty(told.block_difficulty),
        "class_target": told.class_target is not None,
    }


def mean_wait(view: RoomView) -> float | None:
    """Seconds to a block at the present rate, on average."""
    if not view.rate_hs:
        return None
    return view.chain.block_difficulty * float(stats.HASHES_AT_DIFFICULTY_1) / view.rate_hs


def block(row: BlockRow) -> dict[str, Any]:
    return {
        "height": row.height,
        "hash": row.hash_hex,
        "name": row.name,
        "number": row.number,
        "at_s": row.at_s,
        "waited_s": row.waited_s,
        "side": row.side,
        "accepted": row.accepted,
        "word": row.word,
    }


def member(row: MemberRow) -> dict[str, Any]:
    who = row.member
    return {
        "number": who.number,
        "name": who.name,
        "kind": who.kind.value,
        "device": who.device,
        "side": who.side,
        "here": who.left_s is None,
        "paused": who.paused,
        "rate_hs": row.rate_hs,
        "sigma_hs": row.rate_sigma_hs,
        "accepted": row.accepted,
        "refused": row.refused,
        "blocks": row.blocks,
        "work": row.share_of_work,
        "found": row.share_of_blocks,
        "alone": row.alone,
        "pooled": row.pooled,
    }


def waits(waits_s: Sequence[float]) -> dict[str, Any] | None:
    """The histogram and its curve; None before the second block."""
    told = stats.histogram(waits_s)
    if told is None:
        return None
    return {
        "n": len(waits_s),
        "mean_s": told.mean_s,
        "width_s": told.width_s,
        "counts": told.counts,
        "expected": told.expected,
    }


def luck(view: RoomView) -> dict[str, Any] | None:
    """How far the blocks, and an income in both ways, scatter round the work of the member who
    works most, in blocks; None before a block."""
    blocks = sum(row.blocks for row in view.members)
    work, shares = (
        sum(row.work for row in view.members),
        sum(row.accepted for row in view.members),
    )
    part = max((row.share_of_work for row in view.members), default=0.0)
    if not (blocks and part):
        return None
    hashes = view.chain.block_difficulty * float(stats.HASHES_AT_DIFFICULTY_1)
    alone = stats.scatter_alone(part, blocks)
    return {
        "blocks": blocks,
        "part": part,
        "sigma": alone / blocks,
        "alone": alone,
        "pooled": stats.scatter_in_pool(part, blocks, hashes * shares / work),
    }


def best(members: Iterable[MemberRow]) -> list[dict[str, Any]]:
    """The ladder: each member's lowest hash, lowest first."""
    known = [(row.best_hash, row.member) for row in members if row.best_hash is not None]
    return [
        {"number": who.number, "name": who.name, "bits": stats.zero_bits(value)}
        for value, who in sorted(known, key=lambda one: one[0])[:BEST]
    ]


def attack(view: RoomView) -> dict[str, Any] | None:
    """How the two sides stand; None in other modes."""
    if view.mode is not Mode.ATTACK or view.attack is None:
        return None
    rates = {"A": 0.0, "B": 0.0}
    for row in view.members:
        if row.member.side in rates:
            rates[row.member.side] += row.rate_hs or 0.0
    total = sum(rates.values())
    fork = view.attack.fork_height
    heights = {side: view.sides[side].height - fork if side in view.sides else 0 for side in rates}
    part = rates["B"] / total if total else None
    behind = heights["A"] - heights["B"]
    return {
        "fork_height": fork,
        "sides": {side: {"blocks": heights[side], "rate_hs": rates[side]} for side in rates},
        "part": part,
        "behind": behind,
        "chance": None if part is None else stats.catch_up(part, behind),
        "active": view.attack.active,
        "reorganised": view.attack.reorganised,
        "undone": view.attack.undone,
        "split": any(row.member.side for row in view.members),
    }
