"""`miner bench verify`: hash the shares of a result file again, on any computer."""

from datetime import UTC, datetime
from pathlib import Path

import click

from miner import units
from miner.bitcoin.header import Header
from miner.bitcoin.target import DIFF1_TARGET, target_from_nbits
from miner.errors import ConfigError
from miner.measure import proof, result, store, terminal

NOT_PROVEN = (
    "not proven: how long it took (the seconds are the measurer's word), and which machine did it"
)


@click.command()
@click.argument("file", type=Path)
def verify(file: Path) -> None:
    """Check the work a result claims: its shares are hashed again, here, in milliseconds."""
    found = store.load(file)
    try:
        since = when(found, proof.seed_of(found))
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}") from error
    findings = proof.check(found)
    out = terminal.console()
    for text in (*map(sentence, findings), since, NOT_PROVEN):
        terminal.line(out, text)
    wrong = [one for one in findings if not one.passed]
    if wrong or not findings:
        why = wrong[0].why if wrong else "it holds no measurement"
        raise ConfigError(f"{file}: {f'{wrong[0].case.spelled}: ' if wrong else ''}{why}")


def sentence(one: proof.Finding) -> str:
    """What the shares of a case show."""
    if not one.passed:
        return f"{one.case.spelled}: REFUSED: {one.why}"
    return (
        f"{one.case.spelled}: {units.many(one.proven)} hashes were done with 95 % confidence "
        f"(one-sided, exact Poisson), {units.percent(one.share_proven)} of the "
        f"{units.many(one.claimed)} that the file claims: it holds {one.shares} shares, and so "
        f"many hashes give {one.expected:.0f} on average"
    )


def when(found: result.Result, header: Header | None) -> str:
    """Since when the work can have been done."""
    if found.seed_block is None:
        return "no seed block: the work may have been done at any time (see --seed-block)"
    text = f"not before block {found.seed_block}"
    if header is None:
        return f"{text} (look its time up: the file does not hold the block's header)"
    made = f"{datetime.fromtimestamp(header.time, UTC):%Y-%m-%d %H:%M} UTC by its header"
    if target_from_nbits(header.nbits) > DIFF1_TARGET:
        return f"{text} ({made}, but of a test chain: anybody can make such a block at any time)"
    return f"{text} ({made})"
