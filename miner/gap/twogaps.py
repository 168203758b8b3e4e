"""The two gaps: hall over home, in mining and in on-device AI, on one axis of ratios.

What this program measured and what it quotes are told apart; each bar carries its caveat.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from miner import units
from miner.gap.arithmetic import Own, best
from miner.gap.economics import Figure
from miner.gap.hardware import HardwareRow

MINING, AI = "Mining (SHA-256d)", "AI on the device (language models)"
MEASURED, QUOTED, GIVEN = "measured here", "quoted", "given by user"


@dataclass(frozen=True, slots=True)
class Bar:
    """Hall machine over home machine; above 1 the hall is better. `low` opens a range."""

    group: str
    label: str
    ratio: float
    quantity: str  # "per joule", "in tokens/s" ...
    origin: str  # MEASURED or QUOTED
    source: str  # with date
    caveat: str
    low: float | None = None

    @property
    def factor(self) -> str:
        """The ratio as printed, two digits."""
        few = self.ratio < 1000
        high = units.significant(self.ratio, 2) if few else units.many(float(f"{self.ratio:.1e}"))
        return f"{units.significant(self.low, 2)} to {high} x" if self.low else f"{high} x"


def bars(
    own: Own,
    table: list[HardwareRow],
    figures: Mapping[str, Figure],
    tokens: float | None = None,
    watts: float | None = None,
) -> list[Bar]:
    """Every bar that can be drawn: the energy bar of this computer needs measured joules.

    `tokens`: the user's own tokens/s with the same model, one stream; `watts`: the draw meanwhile.
    Both are labelled as given.
    """
    given = [] if tokens is None else _given_bars(tokens, watts, figures)
    return [*_own_bars(own, table), *_mining_bars(table), *given, *_ai_bars(figures)]


def _given_bars(tokens: float, watts: float | None, figures: Mapping[str, Figure]) -> list[Bar]:
    """Tokens a second and, where the draw is known, a joule: the same silicon, its other use."""
    hall, power = figures["ai_tokens_llama3_8b_h100_pcie"], figures["ai_power_h100_pcie"]
    label = f"this computer, {tokens:g} tokens/s"
    found = [
        Bar(AI, label, hall.value / tokens, "in tokens/s", GIVEN, f"H100; {hall.origin}",
            ONE_STREAM)
    ]  # fmt: skip
    if watts is not None:
        ratio = hall.value / power.value / (tokens / watts)
        found.append(
            Bar(AI, f"{label} at {watts:g} W", ratio, "per joule", GIVEN,
                f"H100, {power.value:g} W; {hall.origin}; {power.origin}",
                "watts given against the card's rating, without its server; one user only")
        )  # fmt: skip
    return found


def _own_bars(own: Own, table: list[HardwareRow]) -> list[Bar]:
    hall = best(table, "asic")
    source = f"this computer, {own.measured[:10]}; {hall.name} {hall.released}"
    found = [
        Bar(
            MINING, "this computer", hall.hashrate_hs / own.rate_hs, "per second",
            MEASURED, source, "one box against one box; the hall machine draws kilowatts",
        )
    ]  # fmt: skip
    if own.j_per_th is not None and hall.j_per_th is not None:
        caveat = f"{own.boundary} ({own.energy_source}) against nominal at the wall"
        origin = GIVEN if own.given else MEASURED
        ratio = own.j_per_th / hall.j_per_th
        found.append(Bar(MINING, own.called, ratio, "per joule", origin, source, caveat))
    return found


HOME_ROWS = (
    (
        "Desktop PC on a power meter (2010)",
        "a whole PC against an ASIC's rating: up to 4 times come from that",
    ),
    ("GeForce GTX 1060 6 GB", "board rating; of the GPUs the one with fewest joules"),
    ("Bitaxe Gamma 601 (BM1370)", "board against wall; nobody makes such a chip at home"),
    ("Avalon Q", "nobody makes such a chip at home"),
)


def _mining_bars(table: list[HardwareRow]) -> list[Bar]:
    hall = best(table, "asic")
    by_name = {row.name: row for row in table}
    found = []
    for name, caveat in HOME_ROWS:
        row = by_name.get(name)
        if row and row.j_per_th and hall.j_per_th:
            ratio = row.j_per_th / hall.j_per_th
            short = name.partition(" (")[0]
            found.append(
                Bar(
                    MINING, f"{short} ({row.released})", ratio, "per joule", QUOTED,
                    f"hardware table; {hall.name} {hall.released}", caveat,
                )
            )  # fmt: skip
    return found


ONE_STREAM = "llama.cpp, 8B 4-bit, one user only: flatters home"


def _ai_bars(figures: Mapping[str, Figure]) -> list[Bar]:
    def at(key: str) -> float:
        return figures[key].value

    tokens = "ai_tokens_llama3_8b_"
    one, batched = figures[tokens + "h100_pcie"], figures["ai_tokens_llama_7b_h100_batch64"]
    found = [
        Bar(AI, f"{name}, one stream", one.value / at(tokens + key), "in tokens/s", QUOTED,
            f"H100; {one.origin}", ONE_STREAM)
        for name, key in (("Apple M1", "m1_7core"), ("Apple M3 Max", "m3_max"),
                          ("RTX 4090", "rtx_4090"))
    ]  # fmt: skip
    found.append(
        Bar(AI, "Apple M3 Max, batched", batched.value / at(tokens + "m3_max"), "in tokens/s",
            QUOTED, f"H100, 64 users; {batched.origin}",
            "other model, FP8, maker's own figure: order of magnitude only")
    )  # fmt: skip
    watt, low = figures["ai_cloud_over_local_per_watt_min"], "ai_cloud_over_local_per_joule_low"
    joule = figures["ai_cloud_over_local_per_joule_high"]
    flow = figures["ai_dataflow_over_local_per_joule_high"]
    boundary = "single-turn queries; accelerator boundary, not the hall"
    return [
        *found,
        Bar(AI, "local accelerator, at least", watt.value, "per watt", QUOTED,
            f"cloud accelerators; {watt.origin}", boundary),
        Bar(AI, "M4 Max, against B200", joule.value, "per joule", QUOTED,
            f"{joule.origin}, as summarised", boundary, low=at(low)),
        Bar(AI, "M4 Max, against SN40L", flow.value, "per joule", QUOTED,
            f"{flow.origin}, as summarised", boundary),
    ]  # fmt: skip


def sentence(found: list[Bar], missing: str = "") -> str:
    """The contrast in a sentence: per joule beside per joule, per second beside per second.
    `missing`: what the joules of this computer leave out."""
    mining = [bar for bar in found if bar.group == MINING and bar.quantity == "per joule"]
    own = next((bar for bar in mining if bar.origin in (MEASURED, GIVEN)), None)
    here = "of this computer no joules are known (--watts from a wall meter)"
    if own is not None:
        how = "measured here" if own.origin == MEASURED else "with the watts given"
        here = f"{how} it is {_about(own.ratio)}"
    pc = next((bar for bar in mining if bar.label.startswith("Desktop PC")), None)
    then = f"{_about(pc.ratio)} on a PC of 2010; " if pc else ""
    quoted = [bar for bar in found if bar.group == AI and bar.origin == QUOTED]
    joule = [bar for bar in quoted if bar.quantity == "per joule"]
    alone = [bar for bar in quoted if bar.caveat == ONE_STREAM]
    batched = max(bar.ratio for bar in quoted)
    least = min(min(bar.low or bar.ratio, bar.ratio) for bar in joule)
    return (
        f"Per joule, mining's gap is {then}{here}; AI's is {least:.2g} to "
        f"{max(bar.ratio for bar in joule):.2g}. Per second, in AI, a hall answers one user alone "
        f"{min(bar.ratio for bar in alone):.2g} to {max(bar.ratio for bar in alone):.2g} times as "
        f"fast as the home does, and is about {batched:.0f} times as fast where it serves many at "
        "once. The two gaps are farthest apart where one user asks alone: there AI is nearly at "
        f"home, and mining is not. {missing}"
    ).strip()


def _about(ratio: float) -> str:
    """One digit, in words where it is large."""
    return units.many(float(f"{ratio:.0e}"))


def coverage(figures: Mapping[str, Figure]) -> str:
    """How many queries a local model can serve: quoted, with its limits."""
    then, now = figures["ai_local_coverage_2023"], figures["ai_local_coverage_2025"]
    best_of = figures["ai_local_answer_share"]
    return (
        f"Queries one home device could serve: {then.value:g} % ({then.as_of}) -> {now.value:g} % "
        f"({now.as_of}); best local model for each query: {best_of.value:g} % ({best_of.origin}; "
        "models up to 20 B active parameters, harder tasks excluded). Quoted, not measured here."
    )
