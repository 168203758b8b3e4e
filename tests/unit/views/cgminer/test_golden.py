"""Replies against those of cgminer 4.13.6, byte for byte where nothing of a run is in them; else
key by key in their order, each with cgminer's number of decimals and its quotes."""

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from miner.state.snapshot import Snapshot
from miner.views.cgminer.commands import BadRequest, answer, read
from miner.views.cgminer.format import as_json
from miner.views.cgminer.render import DESCRIPTION, answers
from miner.views.names import Names
from tests.unit.views.web.kit import status

VECTORS = Path(__file__).parents[3] / "vectors" / "cgminer"
CGMINER = "cgminer 4.13.6"
OURS = {"Miner", "Type", "GHS 5s", "GHS av"}  # after cgminer's own
UNKNOWN = {  # cgminer prints 0; we do not know them
    "Temperature", "Min Diff", "Max Diff", "Min Diff Count", "Max Diff Count", "Times Sent",
    "Bytes Sent", "Times Recv", "Bytes Recv", "Net Bytes Sent", "Net Bytes Recv",
}  # fmt: skip
DIFFERENT = {  # requests whose replies are meant to differ
    b"summary\n": "we strip the line's end",
    b'{"command":"dbgstats"}': "a bug of cgminer's",
}


def exchanges(name: str) -> Iterator[tuple[bytes, bytes]]:
    lines = (VECTORS / f"{name}.txt").read_text().splitlines()
    for asked, told in zip(lines[::2], lines[1::2], strict=True):
        reply = ast.literal_eval(told.removeprefix("<- ").removesuffix(" EOF"))
        yield ast.literal_eval(asked.removeprefix("-> ")), reply


def of_run(devices: bool) -> Snapshot:
    """As cgminer was when it was asked: one pool, and a device or none; a number of MH/s."""
    made = status()
    if not devices:
        made.hardware.meters.clear()
    else:
        made.hardware.meters[0].hashes = 10**12
    return made.snapshot(600.0)


POOL, DEVICE = of_run(devices=False), of_run(devices=True)


def replied(data: bytes, now: Snapshot) -> str:
    try:
        return answer(read(data), answers(now, Names(), 1.8e9), 1_800_000_000, CGMINER)
    except BadRequest as error:
        return as_json(error.reply, 1_800_000_000, CGMINER)


def shape(reply: str) -> list[tuple[str, str]]:
    """Every key with what its value looks like: quoted, true/false, or how many decimals."""
    found = []
    if reply.startswith("{"):
        pairs = re.findall(r'"((?:[^"\\]|\\.)*)":("(?:[^"\\]|\\.)*"|[^,\[{}\]]+)', reply)
    else:
        pairs = re.findall(r"([^,|=]+)=((?:[^,|=\\]|\\.)*)", reply)
    for key, value in pairs:
        number = re.fullmatch(r"-?\d+(?:\.(\d+))?", value)
        kind = f"{len(number[1] or '')} decimals" if number else "text"
        found.append((key, "true/false" if value in ("true", "false") else kind))
    return found


def without(told: list[tuple[str, str]]) -> list[tuple[str, str]]:
    kept = [pair for pair in told if pair[0] not in OURS | UNKNOWN]
    return [(key, "word") if key in WORDS else (key, kind) for key, kind in kept]


WORDS = {"Hotplug"}  # a number of seconds, or None where there is no USB

CASES = [
    pytest.param(asked, told, now, id=f"{name} {asked!r}")
    for name, now in (("pool", POOL), ("device", DEVICE))
    for asked, told in exchanges(name)
    if asked not in DIFFERENT and told
]


@pytest.mark.parametrize(("asked", "told", "now"), CASES)
def test_as_cgminer_answers(asked: bytes, told: bytes, now: Snapshot) -> None:
    golden, ours = told.decode(), replied(asked, now) + "\0"
    when = re.sub(r'When("?[:=])\d+', r"When\g<1>1800000000", golden)
    if is_fixed(golden):
        assert ours == when
    assert without(shape(ours)) == without(shape(golden))
    assert ours.endswith("\0") and ours.count("\0") == 1


def is_fixed(golden: str) -> bool:
    """Is there nothing but a STATUS, a CHECK or a count?"""
    sections = r"VERSION\W|SUMMARY|POOL|COIN|CONFIG|LCD|ASCS?\W|DEV|NOTIFY|STATS"
    return not re.search(sections, golden)


def test_most_replies_are_compared_byte_for_byte() -> None:
    told = [told.decode() for name in ("pool", "device") for _, told in exchanges(name)]
    assert len([reply for reply in told if is_fixed(reply)]) >= 25


@pytest.mark.parametrize("now", [POOL, DEVICE])
def test_ours_come_last(now: Snapshot) -> None:
    for command in ("version", "summary"):
        keys = [key for key, _ in shape(replied(command.encode(), now))]
        first = next(n for n, key in enumerate(keys) if key in OURS)
        assert set(keys[first:]) <= OURS


def test_text_is_escaped() -> None:
    made = status()
    made.source("a pool", "ready", "")
    row = made.snapshot(60.0)
    evil = replace(row.sources[0], url='stratum+tcp://x,POOL=1|"\\:1', user="a=b")
    now = replace(row, sources=(evil,))
    assert r"URL=stratum+tcp://x\,POOL\=1\|\"".replace('\\"', '"') in replied(b"pools", now)
    assert r'"URL":"stratum+tcp://x,POOL=1|\"\\:1"' in replied(b'{"command":"pools"}', now)
    assert r"User=a\=b" in replied(b"pools", now)


def test_slow_rates_keep_their_digits() -> None:
    made = status()
    made.hardware.meters[0].hashes = 600 * 5_600  # the python backend
    told = replied(b"summary", made.snapshot(600.0))
    assert "MHS av=0.005600," in told
    assert "GHS av=0.000005600" in told


def test_no_other_makers_words() -> None:
    """By these a scanner takes a miner for another make."""
    words = ("BOSMINER BOSER BTMINER BITMICRO LUXMINER HIVEON KAONSU RWGLR INTCHAINS_QOMO KDAMINER "
             "BFGMINER INNOMINER AVALON GCMINER FLUXOS VNISH ANTMINER").split()  # fmt: skip
    made = status()
    made.hardware.meters[0].device = "Antminer-class CPU of VNISH"
    now = made.snapshot(60.0)
    for command in ("version", "devdetails", "version+devdetails"):
        told = replied(command.encode(), now).upper()
        assert [word for word in words if word in told.replace("CGMINER", "")] == []


def test_the_description_is_ours() -> None:
    assert DESCRIPTION.startswith("homehash ")
