"""Numbers as people read and write them: SI rates, times, chances, money; no locale."""

import math
import re

PREFIXES = tuple((1000.0**power, name) for power, name in enumerate("kMGTPEZY", 1))[::-1]
YEAR_S = 31_557_600.0  # 365.25 days
SCALES = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
LONGEST_S = 1e9  # longer than anyone mines
SPANS = ((YEAR_S, "years"), (86400.0, "days"), (3600.0, "hours"), (60.0, "minutes"), (1.0, "s"))


def significant(value: float, digits: int = 4) -> str:
    """Rounded to significant digits; powers of ten outside 0.001 .. 99 999."""
    if value == 0:
        return "0"
    if not 1e-3 <= abs(value) < 1e5:
        return f"{value:.{digits - 1}e}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
    rounded = float(f"{value:.{digits - 1}e}")  # it may have a digit more: 9.999 is 10.0
    places = digits - 1 - math.floor(math.log10(abs(rounded)))
    return f"{round(value, places):.{max(places, 0)}f}"


def si(value: float | None, unit: str = "", digits: int = 4) -> str:
    """12.34 MH/s; whole numbers without a point, small ones with the bare unit; "-" for None."""
    if value is None:
        return f"- {unit}".rstrip()
    factor, prefix = prefix_of(value, digits)
    scaled = value / factor
    whole = abs(scaled) < 1000 and scaled == int(scaled)
    return f"{f'{scaled:.0f}' if whole else significant(scaled, digits)} {prefix}{unit}".rstrip()


def prefix_of(value: float, digits: int = 4) -> tuple[float, str]:
    """The factor and its letter; a number that rounds up to the next prefix has that one."""
    rounds_up = 1 - 0.5 * 10.0**-digits
    return next((pair for pair in PREFIXES if abs(value) >= pair[0] * rounds_up), (1.0, ""))


def rate(value: float | None) -> str:
    return "n/a" if value is None else si(value, "H/s")


def interval(low: float, high: float, about: float) -> str:
    """[12.29, 12.38] in the unit that `about` is printed in."""
    factor, _ = prefix_of(about)
    return f"[{significant(low / factor)}, {significant(high / factor)}]"


def energy(j_per_th: float | None) -> str:
    """Joules for a terahash (10^12 hashes)."""
    if j_per_th is None:
        return "n/a"
    return f"{significant(j_per_th, 3)} J/TH"


def ratio(value: float | None) -> str:
    """Three digits are plenty: the rows are not known better."""
    return "n/a" if value is None else f"{large(value)} x"


def large(value: float) -> str:
    """Three digits; in words where there would be a power of ten: 97.4 million, not 9.74e7."""
    return many(value) if 1e5 <= value < 1e15 else significant(value, 3)


def percent(value: float, digits: int = 0, sign: str = "") -> str:
    """A share of one: 38 %. `sign`: "+" for a change."""
    return f"{100 * value:{sign}.{digits}f} %"


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
            return f"{large(seconds / size)} {name}"
    if seconds >= 1e-3:
        return f"{significant(seconds * 1e3, 3)} ms"
    return f"{significant(seconds * 1e6, 3)} µs"


def chance(value: float) -> str:
    """A probability: in per cent, and as one in N where it is small."""
    if value <= 0:
        return "0"
    if value >= 0.01:
        return f"{100 * value:.3g} %"
    return f"1 in {large(1 / value)}"


def money(value: float, currency: str) -> str:
    if value >= 1000:
        text = f"{value:,.0f}".replace(",", " ") if value < 1e9 else large(value)
    else:
        text = significant(value, 3)
    return f"{text} {currency}"


def duration(seconds: float | None) -> str:
    """A time that runs, in two units at most: 3 d 4 h, 250 ms, 12,000 years; "-" for None."""
    if seconds is None:
        return "-"
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    if seconds >= 2 * YEAR_S:
        years = seconds / YEAR_S
        return f"{years:,.0f} years" if years < 1e15 else f"{years:.1e} years"
    whole = round(seconds)
    parts: list[str] = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        if whole >= size or (parts and len(parts) < 2):
            parts.append(f"{whole // size} {unit}")
            whole %= size
        if len(parts) == 2:
            break
    return " ".join(part for part in parts if not part.startswith("0 ")) or "0 s"


def seconds_of(text: str) -> float:
    """A time as people type it: 500ms, 60s, 1.5h, 2d, or a bare number of seconds.

    Raises ValueError, whose text goes on after the value: "is not a time such as ...".
    """
    match = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]+)?)(ms|s|m|h|d)?", text)
    if match is None:
        raise ValueError("is not a time such as 0.5, 60s or 10m")
    seconds = float(match[1]) * SCALES[match[2] or "s"]
    if seconds > LONGEST_S:
        raise ValueError("is a longer time than anyone mines")
    return seconds
