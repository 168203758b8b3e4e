"""Numbers as people read them: SI rates, long times, chances, money; ASCII digits, no locale."""

import math

PREFIXES = ((1e21, "Z"), (1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
YEAR_S = 31_557_600.0  # 365.25 days
SPANS = ((YEAR_S, "years"), (86400.0, "days"), (3600.0, "hours"), (60.0, "minutes"), (1.0, "s"))


def significant(value: float, digits: int = 4) -> str:
    """Rounded to significant digits; powers of ten outside 0.001 .. 99 999."""
    if value == 0:
        return "0"
    if not 1e-3 <= abs(value) < 1e5:
        return f"{value:.{digits - 1}e}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
    places = digits - 1 - math.floor(math.log10(abs(value)))
    return f"{round(value, places):.{max(places, 0)}f}"


def si(value: float, unit: str, digits: int = 4) -> str:
    """12.34 MH/s; small numbers keep the bare unit."""
    for factor, prefix in PREFIXES:
        if abs(value) >= factor * 0.9999:
            return f"{significant(value / factor, digits)} {prefix}{unit}"
    return f"{significant(value, digits)} {unit}"


def rate(value: float | None) -> str:
    return "n/a" if value is None else si(value, "H/s")


def interval(low: float, high: float, about: float) -> str:
    """[12.29, 12.38] in the unit that `about` is printed in."""
    factor = next((f for f, _ in PREFIXES if abs(about) >= f * 0.9999), 1.0)
    return f"[{significant(low / factor)}, {significant(high / factor)}]"


def energy(j_per_th: float | None) -> str:
    """Joules for a terahash (10^12 hashes)."""
    if j_per_th is None:
        return "n/a"
    return f"{significant(j_per_th, 3)} J/TH"


def ratio(value: float | None) -> str:
    """Three digits are plenty: the rows are not known better."""
    return "n/a" if value is None else f"{significant(value, 3)} x"


def many(value: float) -> str:
    """A count in words of the thousand, million, billion kind."""
    for size, name in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"), (1e3, "thousand")):
        if value >= size:
            return f"{float(significant(value / size, 3)):g} {name}"
    return f"{float(significant(value, 3)):g}"


def span(seconds: float) -> str:
    """A duration in its largest fitting unit."""
    for size, name in SPANS:
        if seconds >= size:
            return f"{significant(seconds / size, 3)} {name}"
    if seconds >= 1e-3:
        return f"{significant(seconds * 1e3, 3)} ms"
    return f"{significant(seconds * 1e6, 3)} µs"


def chance(value: float) -> str:
    """A probability: in per cent, and as one in N where it is small."""
    if value <= 0:
        return "0"
    if value >= 0.01:
        return f"{100 * value:.3g} %"
    return f"1 in {significant(1 / value, 3)}"


def money(value: float, currency: str) -> str:
    if value >= 1000:
        text = f"{value:,.0f}".replace(",", " ") if value < 1e9 else significant(value, 3)
    else:
        text = significant(value, 3)
    return f"{text} {currency}"
