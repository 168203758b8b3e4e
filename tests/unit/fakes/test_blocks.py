"""The independent judge of blocks agrees with a real bitcoind."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.blocks import Place, Undecodable, judge

RPC = Path(__file__).parent.parent.parent / "vectors" / "rpc"


def exchanges(name: str) -> list[dict[str, object]]:
    found = json.loads((RPC / name).read_text())["exchanges"]
    assert isinstance(found, list)
    return found


TEMPLATE = json.loads((RPC / "longpoll-new-block.json").read_text())["exchanges"][0]["response"]
CASES = json.loads((RPC / "submitblock-verdicts.json").read_text())["exchanges"]


def place_of_template() -> Place:
    template = TEMPLATE["result"]
    return Place(
        template["height"],
        bytes.fromhex(template["previousblockhash"])[::-1],
        template["mintime"] - 1,
        int(template["bits"], 16),
        2_500_000_000,
        template["curtime"],
        coins={},
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"].split(",")[0])
def test_verdicts_are_those_of_bitcoind(case: dict[str, object]) -> None:
    raw = bytes.fromhex(case["request"]["params"][0])  # type: ignore[index]
    answer = case["response"]["result"]  # type: ignore[index]
    place = place_of_template()
    if case["case"] == "undecodable":
        with pytest.raises(Undecodable):
            judge(raw, place)
    elif case["case"] == "bad-cb-amount, on the tip":
        assert judge(raw, replace(place, height=261, previous=raw[4:36])) == answer
    elif answer == "inconclusive":
        assert judge(raw, place) == "bad-cb-amount", "a side branch's value is checked later"
        assert judge(raw, replace(place, coins=None)) is None
    else:
        assert judge(raw, place) == (None if answer == "duplicate" else answer)


@pytest.mark.parametrize("exchange", exchanges("submitblock-race.json"))
def test_both_blocks_of_a_race_are_good(exchange: dict[str, object]) -> None:
    raw = bytes.fromhex(exchange["request"]["params"][0])  # type: ignore[index]
    assert judge(raw, replace(place_of_template(), height=260, previous=raw[4:36])) is None
