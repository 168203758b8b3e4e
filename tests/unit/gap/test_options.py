"""Figures that people type in: wild ones are refused, the others are labelled as given."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from miner.cli.main import cli
from miner.errors import ConfigError
from miner.gap import arithmetic, economics, hardware, twogaps
from miner.measure import export
from tests.unit.measure.test_result import sample

TABLE, FIGURES = hardware.load(), economics.load()


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MINER_HOME", str(tmp_path / "home"))
    export.write(sample(), tmp_path / "r.json")
    return tmp_path / "r.json"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--tokens 1e-300", "--tokens 1e-300 is not between 0.001 and 1e"),
        ("--tokens 30 --tokens-watts 1e-300", "--tokens-watts 1e-300 is not between"),
        ("--tokens-watts 60", "--tokens N"),
        ("--difficulty 1e300", "--difficulty 1e+300 is not between"),
        ("--price inf", "--price inf is not between"),
        ("--hashprice 0", "--hashprice 0 is not between"),
        ("--watts 1e-300", "--watts 1e-300 is not between 0.001 and 1,000,000"),
    ],
)
def test_a_wild_figure_is_one_line(file: Path, words: str, said: str) -> None:
    """A picture of 1e-300 tokens/s ended in a traceback, after the pages were drawn."""
    done = CliRunner().invoke(cli, ["gap", "--from", str(file), *words.split()])
    assert isinstance(done.exception, ConfigError)
    assert said in str(done.exception)


@pytest.mark.parametrize(
    "words",
    ["--tokens 0.001", "--tokens 1e9 --watts 0.001", "--difficulty 1e-10", "--difficulty 1e25"],
)
def test_the_wildest_allowed_can_be_drawn(file: Path, words: str) -> None:
    plot = file.with_suffix(".svg")
    done = CliRunner().invoke(
        cli, ["gap", "--from", str(file), "--plot", str(plot), *words.split()]
    )
    assert done.exit_code == 0, done.exception
    assert plot.stat().st_size > 1000


def test_own_tokens_with_their_watts_give_a_gap_per_joule() -> None:
    """The same silicon, two uses: 50 tokens/s at 100 W, the H100 PCIe 144.49 at 350 W."""
    own = arithmetic.own_from(sample())
    found = twogaps.bars(own, TABLE, FIGURES, 50.0, 100.0)
    mine = {bar.quantity: bar for bar in found if bar.label.startswith("this computer, 50 tok")}
    assert mine["in tokens/s"].ratio == pytest.approx(144.49 / 50)
    assert mine["per joule"].ratio == pytest.approx((144.49 / 350) / (50 / 100))
    assert {bar.origin for bar in mine.values()} == {twogaps.GIVEN}
    assert "rating" in mine["per joule"].caveat
    assert twogaps.sentence(found) == twogaps.sentence(twogaps.bars(own, TABLE, FIGURES))


def test_a_source_is_more_than_a_host_for_everything() -> None:
    price = FIGURES["btc_price"].origin
    assert price == "2026-10-03, github.com/marceloceccon/bitcoinmining, quoting mempool.space"
    assert FIGURES["tariff_us_residential"].origin.endswith("electricchoice.com, quoting EIA")
    assert FIGURES["network_hashrate_7d"].origin.endswith("quoting Hashrate Index")
    for figure in FIGURES.values():
        assert not figure.origin.endswith("github.com"), figure.key
