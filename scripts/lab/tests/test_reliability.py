"""Each measure in its short form: the code that gives the figures works, and finds no failure."""

from pathlib import Path

import pytest
from lab.reliability import command, measure, measures
from lab.reliability.measure import NotRun, Row, Run, Size


@pytest.mark.parametrize("taken", measures.TABLE, ids=lambda taken: taken.name)
def test_short_form(taken: measures.Measure, tmp_path: Path) -> None:
    if taken.in_suite:
        pytest.skip(f"the suite has it already: {taken.in_suite}")
    try:
        rows = taken.load()(Run(Size.TEST, 1, tmp_path))
    except NotRun as why:
        pytest.skip(str(why))
    assert rows
    for row in rows:
        assert row.n > 0, row
        assert row.failures == 0, measure.table(rows)


def test_every_figure_of_the_list_has_a_measure() -> None:
    named = [taken.name.partition(" ")[0] for taken in measures.TABLE]
    assert sorted(set(named), key=lambda name: int(name[1:])) == [f"M{n}" for n in range(1, 16)]


def test_bounds_are_binomial() -> None:
    assert Row("M0", "", "", "", 300).bound == 0.01
    assert Row("M0", "", "", "", 0).bound == 1.0
    assert measure.upper_bound(1, 10) == pytest.approx(0.3942, abs=1e-4)
    assert measure.upper_bound(5, 100) == pytest.approx(0.1023, abs=1e-4)
    assert measure.upper_bound(10, 10) == pytest.approx(1.0)


def test_what_did_not_run_is_not_good() -> None:
    row = measure.not_run("M0", "figure", "goal", "no such tool")
    assert not row.good
    assert "not run" in measure.table([row])
    assert "NOT RUN: no such tool" in measure.table([row])


def test_the_last_line_names_what_missed_and_what_did_not_run() -> None:
    good = Row("M1", "one", "", "", 3)
    missed = Row("M2", "two", "", "", 3, reached=False)
    absent = measure.not_run("M3", "three", "", "no such tool")
    assert command.verdict([good], 61.2) == "1 of 1 figures reached in 61 s"
    assert command.verdict([good, missed, absent], 61.2) == (
        "1 of 3 figures reached in 61 s. MISSED: M2 two. NOT RUN: M3 three"
    )


def test_slope_and_quantile() -> None:
    assert measure.slope([0, 1, 2, 3], [1, 3, 5, 7]) == pytest.approx(2)
    assert measure.slope([1, 1], [1, 2]) == 0
    assert measure.quantile(list(range(100)), 0.99) == 99
    assert measure.quantile([5.0], 0.5) == 5.0
