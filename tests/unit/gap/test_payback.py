"""Where it pays, in words that agree with the break-even tariffs and the block's income."""

import pytest

from miner.gap import arithmetic, economics, hardware, payback

from .test_arithmetic import PC_2010

TABLE, FIGURES = hardware.load(), economics.load()
NETWORK = arithmetic.network_from(FIGURES)


def test_words_follow_the_break_even() -> None:
    edge = arithmetic.break_even(8.9, 40.58)
    assert edge == pytest.approx(0.18998, abs=1e-5)
    assert payback.word(8.9, edge / 2, 40.58) == "pays, keeps 50 %"
    assert payback.word(8.9, 0.1805, 40.58) == "pays, keeps 5 %"
    assert payback.word(8.9, edge * 1.2, 40.58) == "loses, 1.2 x"


def test_income_of_a_block_and_break_even_tell_the_same() -> None:
    """At the break-even tariff a block's electricity is all of its income."""
    best = arithmetic.best(TABLE, "asic")
    assert best.j_per_th is not None
    edge = arithmetic.break_even(best.j_per_th, NETWORK.hashprices[0].value)
    cost = arithmetic.kwh(best.j_per_th, NETWORK.hashes) * edge
    assert cost == pytest.approx(NETWORK.income_usd)
    assert NETWORK.income_usd > NETWORK.reward_usd  # fees are in the hashprice


def test_rows_and_sentence() -> None:
    rows = payback.rows(PC_2010, TABLE, NETWORK)
    assert len(rows[0]) == len(payback.columns(NETWORK))
    by_name = {row[0]: row for row in rows}
    assert rows[0][0] == "Antminer S23 XP"
    assert PC_2010.called in by_name  # pale wherever its watts were only given
    homes = payback.columns(NETWORK).index("US homes 0.1805")
    assert by_name["Antminer S21"][homes] == "loses, 1.9 x"
    said = payback.sentence(TABLE, NETWORK)
    assert "40.58 / (24 x 8.9) = 0.190 USD/kWh" in said
    assert [figure.value for _, figure in payback.dollar_tariffs(NETWORK)] == sorted(
        figure.value for _, figure in payback.dollar_tariffs(NETWORK)
    )
