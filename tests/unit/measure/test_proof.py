"""The shares of a result prove its hashes, and nothing else passes for them."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from miner.bitcoin.header import Header
from miner.errors import ConfigError
from miner.measure import proof, stats, store
from miner.measure.bench import Bench, Plan
from miner.measure.cases import Case
from miner.measure.result import Result

PLAN = Plan(samples=8, slice_s=0.05, warmup_s=0.1, seed=3)
GENESIS_HEADER = (
    "01000000" + "00" * 32 + "3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a"
    "29ab5f49ffff001d1dac2b7c"
)
BLOCK = "00000000000000000001" + "ab" * 22


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A short real run, as its file."""
    result = Result("2026-11-22T12:00:00+00:00", "0.1.0", "abc", {"cpu": "x"}, 3, "quick",
                    seed_block=BLOCK)  # fmt: skip
    bench = Bench(PLAN, result, Path("/"), lambda step: None, lambda backend: None)
    for rolling in (False, True):
        bench.add(Case("numpy" if rolling else "hashlib", 1, rolling), tmp_path_factory.mktemp("c"))
    bench.run()
    return dict(json.loads(json.dumps(store.to_dict(result))))


def findings(data: dict[str, Any]) -> list[proof.Finding]:
    return proof.check(store.from_dict(data, "x"))


def changed(data: dict[str, Any], **top: Any) -> dict[str, Any]:
    return dict(json.loads(json.dumps(data)) | top)


def test_honest_work_passes_and_is_bounded(made: dict[str, Any]) -> None:
    for one in findings(made):
        assert one.passed, one.why
        assert 0.6 * one.claimed < one.proven < one.claimed * 1.1
        assert abs(one.shares - one.expected) < 6 * one.expected**0.5


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 4},
        {"seed_block": "00" * 32},
        {"seed_block": None},
        {"created": "2026-11-22T12:00:01+00:00"},
        {"environment": {"cpu": "y"}},
        {"homehash": {"version": "0.1.0", "commit": "abd"}},
    ],
)
def test_shares_fit_one_file_only(made: dict[str, Any], other: dict[str, Any]) -> None:
    assert all("other work" in one.why for one in findings(changed(made, **other)))


def test_what_a_forger_might_try(made: dict[str, Any]) -> None:
    def tried(edit: Any) -> str:
        data = changed(made)
        edit(data["cases"][0])
        for case in data["cases"]:  # a careful forger makes the statistics agree
            case["slices"] = [one | {"cpu_s": None} for one in case["slices"]]
            rates = [one["hashes"] / one["seconds"] for one in case["slices"]]
            middle = sorted(rates)
            found = stats.summarize(rates, 0)
            case["stats"] |= {"n": len(rates), "median": found.median, "mean": found.mean,
                              "sd": found.sd, "mad": found.mad, "min": middle[0],
                              "max": middle[-1], "ci95": None, "basis": "wall time"}  # fmt: skip
        return findings(data)[0].why

    def shares(case: dict[str, Any]) -> list[str]:
        return case["proof"]["shares"]  # type: ignore[no-any-return]

    def claim_more(case: dict[str, Any]) -> None:
        for one in case["slices"]:
            one["hashes"] = int(one["hashes"] * 1.6)

    def move(case: dict[str, Any]) -> None:
        first = shares(case)[0]
        shares(case)[0] = f"{(int(first[:8], 16) + 1) % 8:08x}{first[8:]}"

    assert tried(lambda case: None) == ""
    assert "more is claimed than was done" in tried(claim_more)
    assert "stands there twice" in tried(lambda case: shares(case).append(shares(case)[3]))
    assert "other work" in tried(move)
    assert "slice 99, of 8" in tried(lambda case: shares(case).append("00000063" + "00" * 12))
    assert "other work" in tried(lambda case: shares(case).append("00000001" + "00" * 4 + "20000000"
                                                                  + "00000005"))  # fmt: skip
    assert "does not allow" in tried(lambda case: shares(case).append("00" * 16))
    assert "no shares" in tried(lambda case: case.update(proof=None))
    assert "other work" in tried(lambda case: case["proof"].update(target="0" * 3 + "f" * 61))
    assert "other work" in tried(lambda case: case.update(threads=2))


def with_stats(case: dict[str, Any]) -> None:
    """A careful forger makes the statistics agree."""
    case["slices"] = [one | {"cpu_s": None} for one in case["slices"]]
    rates = [one["hashes"] / one["seconds"] for one in case["slices"]]
    found = stats.summarize(rates, 0)
    case["stats"] |= {"n": len(rates), "median": found.median, "mean": found.mean,
                      "sd": found.sd, "mad": found.mad, "min": min(rates),
                      "max": max(rates), "ci95": None, "basis": "wall time"}  # fmt: skip


def test_hashes_are_not_moved_from_slice_to_slice(made: dict[str, Any]) -> None:
    """All hashes and all shares are right, and still the median was raised by 60 %."""
    data = changed(made)
    slices = data["cases"][0]["slices"]
    poor, rich = slices[:3], slices[3:]
    for one in poor:
        moved = one["hashes"] * 9 // 10
        one["hashes"] -= moved
        for other in rich:
            other["hashes"] += moved // len(rich)
    with_stats(data["cases"][0])
    first = findings(data)[0]
    assert re.search(r"slice [012] holds \d+ shares, .*: less is claimed for it", first.why)
    data["cases"][0]["slices"] = list(reversed(slices))
    with_stats(data["cases"][0])
    assert findings(data)[0].why


def test_a_target_too_hard_to_be_met_proves_nothing(made: dict[str, Any]) -> None:
    """Twelve shares expected and none found: that alone happens too often to be refused for."""
    data = changed(made)
    case = data["cases"][0]
    hashes = sum(one["hashes"] for one in case["slices"])
    case["proof"] = {"target": f"{12 * 2**256 // hashes:064x}", "shares": []}
    found = findings(data)[0]
    assert not found.passed
    assert "too few to prove anything" in found.why


def test_the_seed_blocks_time_is_its_own(made: dict[str, Any]) -> None:
    """A file that builds on an old block must not show the header of a newer one."""
    genesis = Header.parse(bytes.fromhex(GENESIS_HEADER))
    known = {"seed_block": genesis.hash_hex, "seed_header": GENESIS_HEADER}
    assert proof.seed_of(store.from_dict(changed(made, **known), "x")) == genesis
    assert proof.seed_of(store.from_dict(changed(made), "x")) is None  # its hash alone
    late = GENESIS_HEADER[:136] + "00ffff6a" + GENESIS_HEADER[144:]
    alone = changed(made, seed_block=None, seed_header=GENESIS_HEADER)
    with pytest.raises(ConfigError, match="no seed block"):
        proof.seed_of(store.from_dict(alone, "x"))
    wrong: list[dict[str, Any]] = [
        {"seed_block": BLOCK, "seed_header": GENESIS_HEADER},
        {"seed_block": Header.parse(bytes.fromhex(late)).hash_hex, "seed_header": late},
    ]
    for one in wrong:
        with pytest.raises(ConfigError, match="is not that of the seed block"):
            proof.seed_of(store.from_dict(changed(made, **one), "x"))
    early = changed(made, created="2008-11-01T00:00:00+00:00", **known)
    with pytest.raises(ConfigError, match="before the block it builds on was made"):
        proof.seed_of(store.from_dict(early, "x"))


def test_a_run_that_may_end_early_keeps_enough_shares() -> None:
    """steady ends after three minutes at the soonest, where 1,800 slices are planned."""
    plan = Plan(samples=1800, slice_s=1.0, until_steady=True)
    assert plan.least_s == 180.0
    assert replace(plan, until_steady=False).least_s == 1800.0
    assert Plan(samples=16).least_s == 16.0


def test_a_seed_block_is_a_hash_or_a_header_with_work() -> None:
    assert proof.parse_seed_block(BLOCK.upper()) == (BLOCK, None)
    for wrong in ("", "12", "zz" * 32, "00" * 80):
        with pytest.raises(ConfigError, match="--seed-block"):
            proof.parse_seed_block(wrong)


def test_the_target_is_fixed_for_the_work_expected() -> None:
    target = proof.choose_target(1e9)
    assert 1e9 * (target + 1) / 2**256 == pytest.approx(proof.SHARES)
    assert proof.choose_target(0) == proof.EASIEST


def test_an_invalid_case_is_not_asked_for_proof(made: dict[str, Any]) -> None:
    result = store.from_dict(made, "x")
    result.cases[0].gate = replace(result.cases[0].gate, passed=False)
    assert len(proof.check(result)) == 1
