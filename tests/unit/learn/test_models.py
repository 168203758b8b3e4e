"""The lessons' statistics against published examples and closed forms."""

from pathlib import Path

import numpy as np
import pytest

from miner.errors import ConfigError
from miner.learn import centralisation as central
from miner.learn import tags
from miner.learn.attack import confirmations_for, exact_success, nakamoto_success, race
from miner.learn.own_node import OwnNode
from miner.learn.payout import (
    hopping_gain,
    last_n_shares,
    pay_per_share,
    proportional,
    reserve_for,
    solo,
)  # fmt: skip
from miner.learn.retarget import MEAN_INTERVAL_S, simulate, steady_target
from miner.work.payout import Outlook

OUTLOOK = Outlook(own_blocks=0.02, pool_blocks=4.0, shares_per_block=5000)
TRIALS = 8_000


@pytest.mark.parametrize(
    ("q", "z", "chance"),
    [
        (0.1, 0, 1.0), (0.1, 1, 0.2045873), (0.1, 5, 0.0009137), (0.1, 10, 0.0000012),
        (0.3, 5, 0.1773523), (0.3, 10, 0.0416605), (0.3, 50, 0.0000006), (0.5, 9, 1.0), (0, 1, 0),
    ],
)  # fmt: skip
def test_the_papers_own_figures(q: float, z: int, chance: float) -> None:
    assert nakamoto_success(q, z) == pytest.approx(chance, abs=6e-8)


@pytest.mark.parametrize(("q", "z"), [(0.10, 5), (0.15, 8), (0.20, 11), (0.25, 15), (0.30, 24)])
def test_the_papers_table_of_confirmations(q: float, z: int) -> None:
    assert confirmations_for(q, 0.001) == z


def test_races_agree_with_the_exact_form() -> None:
    for q, z in ((0.1, 1), (0.3, 3), (0.45, 2)):
        exact = exact_success(q, z)
        assert race(q, z, 4000, 7) == pytest.approx(exact, abs=4 * (exact / 4000) ** 0.5)


def test_a_share_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match=r"share 1\.5"):
        nakamoto_success(1.5, 1)
    with pytest.raises(ValueError, match="no number"):
        confirmations_for(0.5, 0.1)


def test_every_scheme_pays_the_same_on_average_with_the_spread_of_theory() -> None:
    rng = np.random.default_rng(2011)
    schemes = [
        solo(OUTLOOK, TRIALS, rng),
        pay_per_share(OUTLOOK, TRIALS, rng),
        proportional(OUTLOOK, TRIALS, rng),
        last_n_shares(OUTLOOK, 100, TRIALS, rng),
        last_n_shares(OUTLOOK, 1000, TRIALS, rng),
    ]
    for scheme in schemes:
        error = scheme.want_sd / TRIALS**0.5
        assert abs(scheme.mean - scheme.want_mean) < 4 * error, scheme
        assert scheme.sd == pytest.approx(scheme.want_sd, rel=0.25), scheme
    assert schemes[4].sd < schemes[3].sd < schemes[0].sd


def test_hopping_pays_28_percent_at_rosenfelds_point() -> None:
    assert hopping_gain(0.435, 400_000, 3) == pytest.approx(1.28, abs=0.02)
    assert hopping_gain(50.0, 100_000, 3) == pytest.approx(1.0, abs=0.02)


def test_reserve_of_a_pps_operator() -> None:
    assert reserve_for(0.05, 0.001) == pytest.approx(69.08, abs=0.01)


def test_mean_interval_of_a_steady_network() -> None:
    waits = [one.interval_s for one in simulate(500, lambda n: 1e18, 5, steady_target(1e18))[1:]]
    assert sum(waits) / len(waits) == pytest.approx(MEAN_INTERVAL_S, abs=4)


def test_concentration_of_known_distributions() -> None:
    assert central.nakamoto([51, 49]) == 1 and central.nakamoto([50, 50]) == 2
    assert central.hhi([1]) == 10_000 and central.hhi([1, 1, 1, 1]) == pytest.approx(2500)
    assert central.gini([0, 0, 0, 1]) == pytest.approx(0.75)
    assert central.entropy_bits([1, 1]) == 1 and central.entropy_bits([1, 0]) == 0
    assert central.merged({"a": 1, "b": 2, "c": 3}, ["a", "c"], "x") == {"b": 2, "x": 4}


@pytest.mark.parametrize("text", ['{"a": 3, "b": 1}', "# blocks\na, 3\nb,1\n"])
def test_the_learners_own_counts(text: str, tmp_path: Path) -> None:
    (tmp_path / "pools").write_text(text)
    assert central.load(tmp_path / "pools") == {"a": 3, "b": 1}


@pytest.mark.parametrize(
    "text", ["", "{", "a", "a,x", "a,-1", "a,0", '{"a": [1]}', "a,nan", "a,inf"]
)
def test_bad_counts_are_refused_by_name(text: str, tmp_path: Path) -> None:
    (tmp_path / "pools").write_text(text)
    with pytest.raises(ConfigError, match="pools"):
        central.load(tmp_path / "pools")


def test_tags_of_the_blocks_of_a_node() -> None:
    with OwnNode() as own:
        for seed in range(3):
            own.submit_share(own.mine(seed)[0])
        found = tags.count(own.node.url, own.node.cookie_file)
    assert sum(found.values()) == 3
    assert all("/homehash lesson/" in tag for tag in found)
