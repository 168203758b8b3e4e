"""`miner bench verify`: hash the shares of a result file again, on any computer."""

from datetime import UTC, datetime
from pathlib import Path

import click

from miner import units
from miner.bitcoin.header import Header
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
    findings = proof.check(found)
    out = terminal.console()
    for one in findings:
        for text in sentences(one):
            terminal.line(out, text)
    terminal.line(out, when(found))
    terminal.line(out, NOT_PROVEN)
    wrong = [one for one in findings if not one.passed]
    if wrong or not findings:
        why = wrong[0].why if wrong else "it holds no measurement"
        raise ConfigError(f"{file}: {f'{wrong[0].label}: ' if wrong else ''}{why}")


def sentences(one: proof.Finding) -> list[str]:
    """What the shares of a case show."""
    if not one.passed:
        return [f"{one.label}: REFUSED: {one.why}"]
    share = one.proven / one.claimed
    return [
        f"{one.label}: {units.si(one.proven, 'hashes', 3)} were done with 95 % confidence "
        f"(one-sided, exact Poisson): {share:.0%} of the {units.si(one.claimed, 'hashes', 3)} "
        f"claimed; {one.shares} shares found, {one.expected:.0f} expected"
    ]


def when(found: result.Result) -> str:
    """Since when the work can have been done."""
    if found.seed_block is None:
        return "no seed block: the work may have been done at any time (see --seed-block)"
    text = f"not before block {found.seed_block}"
    if found.seed_header is None:
        return f"{text} (look up its time)"
    header = Header.parse(bytes.fromhex(found.seed_header))
    return f"{text} ({datetime.fromtimestamp(header.time, UTC):%Y-%m-%d %H:%M} UTC by its header)"
