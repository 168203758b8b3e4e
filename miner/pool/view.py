"""What boards read of the room, at one moment."""

import math
from collections.abc import Iterable, Mapping

from miner.bitcoin.target import difficulty
from miner.pool.ledger import Ledger
from miner.pool.seat import Seat
from miner.pool.state import RoomState, Tip
from miner.pool.values import ChainView, MemberRow, RoomRules, RoomView
from miner.pool.work import Work


def view_of(  # the room's parts, all of them
    rules: RoomRules,
    state: RoomState,
    seats: Mapping[int, Seat],
    works: Mapping[str, Work],
    tips: Mapping[str, Tip],
    ledger: Ledger,
    now: float,
) -> RoomView:
    """Everything that is shown."""
    chains = {
        side: chain_view(rules, work, tips[side], state.class_target)
        for side, work in works.items()
    }
    rows = member_rows(seats.values(), now)
    rates = [(row.rate_hs, row.rate_sigma_hs or 0.0) for row in rows if row.rate_hs is not None]
    return RoomView(
        at_s=now,
        change=state.change,
        started_s=state.started_s,
        chain=chains.get("") or no_chain(rules, state.class_target),
        mode=state.mode,
        paused=state.paused,
        members=rows,
        blocks=tuple(ledger.rows.values()),
        waits_s=tuple(ledger.waits_s),
        shares=tuple(ledger.shares),
        rate_hs=sum(rate for rate, _ in rates) if rates else None,
        rate_sigma_hs=math.hypot(*(sigma for _, sigma in rates)) if rates else None,
        sides={side: chain for side, chain in chains.items() if side},
    )


def chain_view(rules: RoomRules, work: Work, tip: Tip, class_target: int | None) -> ChainView:
    """One tip and what the next block must meet."""
    return ChainView(
        name=work.template.chain,
        words=rules.words,
        difficulty=difficulty(work.template.target),
        class_target=class_target,
        block_difficulty=float(work.block_difficulty(class_target)),
        height=tip.height,
        tip_hash=tip.hash_hex,
        tip_since_s=tip.since_s,
    )


def no_chain(rules: RoomRules, class_target: int | None) -> ChainView:
    """Before the first template."""
    return ChainView(rules.chain, rules.words, 0.0, class_target, 0.0, 0, "", None)


def member_rows(seats: Iterable[Seat], now: float) -> tuple[MemberRow, ...]:
    """All members with their parts of the whole."""
    seats = list(seats)
    work = sum(seat.score.work for seat in seats)
    blocks = sum(seat.score.blocks for seat in seats)
    return tuple(member_row(seat, work, blocks, now) for seat in seats)


def member_row(seat: Seat, work: float, blocks: int, now: float) -> MemberRow:
    """`work` and `blocks`: of all together."""
    score = seat.score
    rate_hs, sigma_hs = score.rate(now)
    return MemberRow(
        member=seat.member,
        accepted=score.accepted,
        refused=score.refused,
        work=score.work,
        rate_hs=rate_hs,
        rate_sigma_hs=sigma_hs,
        difficulty=float(seat.vardiff.difficulty),
        blocks=score.blocks,
        share_of_work=score.work / work if work else 0.0,
        share_of_blocks=score.blocks / blocks if blocks else 0.0,
        best_hash=score.best_hash,
        last_share_s=score.last_share_s,
        reward=score.reward,
    )
