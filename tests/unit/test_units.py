"""Numbers and times in words, and back."""

import pytest

from miner import units


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, "- H/s"), (0, "0 H/s"), (7, "7 H/s"), (0.5, "0.500 H/s"), (999, "999 H/s"),
        (1000, "1 kH/s"), (61_234_567, "61.2 MH/s"), (999_999, "1.00 MH/s"), (999_499, "999 kH/s"),
        (4.66e-10, "4.66e-10 H/s"), (1.3e14, "130 TH/s"), (1e30, "1.00e6 YH/s"),
        (-61_234_567, "-61.2 MH/s"),
    ],
)  # fmt: skip
def test_numbers_have_three_digits_and_a_prefix(number: float | None, text: str) -> None:
    assert units.si(number, "H/s", 3) == text


def test_a_number_without_a_unit_ends_with_its_prefix() -> None:
    assert (units.si(61_234_567), units.si(5), units.si(None)) == ("61.23 M", "5", "-")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"), (0.25, "250 ms"), (59, "59 s"), (61, "1 min 1 s"), (3600, "1 h"),
        (90_000, "1 d 1 h"), (3e11, "9,506 years"), (1e30, "3.2e+22 years"),
    ],
)  # fmt: skip
def test_times_have_two_units(seconds: float | None, text: str) -> None:
    assert units.duration(seconds) == text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("0.5", 0.5), ("500ms", 0.5), ("60s", 60), ("1.5h", 5400), ("2d", 172_800)],
)
def test_a_time_is_read_as_it_is_typed(text: str, seconds: float) -> None:
    assert units.seconds_of(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "s", "-1", "1e3", "1 s", "1y", "1.s", ".5", "٣s", "9" * 13])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time such as"):
        units.seconds_of(text)


def test_a_time_beyond_reason_is_refused() -> None:
    with pytest.raises(ValueError, match="longer time than anyone mines"):
        units.seconds_of("999999999d")
