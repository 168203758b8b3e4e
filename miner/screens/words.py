"""Numbers and snapshots in words; every screen for people uses these."""

from miner.status import BackendRow, StatusSnapshot

PREFIXES = ("", "k", "M", "G", "T", "P", "E", "Z", "Y")
YEAR_S = 365.25 * 86400


def si(number: float | None) -> str:
    """Three significant digits and a prefix: 61.2 M; "-" when not known."""
    if number is None:
        return "-"
    power = 0
    while abs(number) >= 999.5 and power < len(PREFIXES) - 1:
        number, power = number / 1000, power + 1
    if power == 0 and number and abs(number) < 0.01:
        return f"{number:.2e} "
    digits = (
        0 if abs(number) >= 99.95 or number == int(number) else 1 if abs(number) >= 9.995 else 2
    )
    return f"{number:.{digits}f} {PREFIXES[power]}"


def duration(seconds: float | None) -> str:
    """Two units at most: 3 d 4 h, 250 ms, 12,000 years."""
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


def summary(now: StatusSnapshot) -> str:
    """The line printed every minute and at the end."""
    parts = [
        f"{now.state}: {si(now.rate_1min_hs)}H/s (session {si(now.rate_session_hs)}H/s)",
        f"{si(float(now.hashes))}hashes in {duration(now.elapsed_s)}",
        f"blocks {now.blocks_accepted} accepted, {now.blocks_rejected} rejected",
    ]
    if now.accepted != now.blocks_accepted or now.rejected != now.blocks_rejected:
        parts.append(f"shares {now.accepted} accepted, {now.rejected} rejected, {now.stale} stale")
    if now.best_difficulty_session is not None:
        parts.append(f"best difficulty {si(now.best_difficulty_session).strip()}")
    if now.below_benchmark:
        parts.append(benchmark(now))
    if now.blocks_waiting:
        parts.append(f"{now.blocks_waiting} in the journal without a verdict")
    return ", ".join(parts)


def rates(now: StatusSnapshot) -> str:
    windows = (
        (now.rate_10s_hs, "10 s"),
        (now.rate_1min_hs, "1 min"),
        (now.rate_15min_hs, "15 min"),
        (now.rate_session_hs, "session"),
    )
    return "   ".join(f"{window} {si(rate)}H/s" for rate, window in windows)


def by_shares(now: StatusSnapshot) -> str:
    """The rate that the found shares speak for, with its standard deviation."""
    if now.rate_from_shares_hs is None or now.rate_from_shares_error_hs is None:
        return "by shares: none found yet"
    error = si(now.rate_from_shares_error_hs)
    return f"by {now.shares_found} shares {si(now.rate_from_shares_hs)}± {error}H/s"


def benchmark(now: StatusSnapshot) -> str:
    """The live rate beside the saved benchmark; empty when there is none."""
    if now.rate_benchmark_hs is None:
        return ""
    share = 100 * now.rate_1min_hs / now.rate_benchmark_hs
    text = f"{share:.0f} % of the benchmark's {si(now.rate_benchmark_hs)}H/s"
    if now.below_benchmark:
        text += ": below it; other programs, heat, or battery? `miner bench` tells"
    return text


def sensors(row: BackendRow) -> str:
    """A graphics card's temperature, power and clock; empty for a device without sensors."""
    if row.sensors is None:
        return ""
    told = row.sensors
    values = ((told.temperature_c, "°C"), (told.power_w, "W"), (told.clock_mhz, "MHz"))
    return ", ".join(
        f"{'n/a' if value is None else f'{value:.0f}'} {unit}" for value, unit in values
    )


def work(now: StatusSnapshot) -> str:
    height = "-" if now.height is None else str(now.height)
    share = f"share {si(now.share_difficulty)}".strip()
    block = f"block {si(now.network_difficulty)}".strip()
    return f"height {height}   job {duration(now.job_age_s)} old   difficulty: {share}, {block}"


def results(now: StatusSnapshot) -> str:
    reasons = ", ".join(
        f"{reason or 'no reason'} {count}" for reason, count in now.rejected_reasons
    )
    rejected = f"{now.rejected} rejected" + (f" ({reasons})" if reasons else "")
    return (
        f"{now.accepted} accepted, {rejected}, {now.stale} stale, {now.unknown} unknown   "
        f"blocks {now.blocks_accepted}   answers in {duration(now.latency_median_s)}"
    )


def chances(now: StatusSnapshot) -> str:
    return (
        f"best {si(now.best_difficulty_session).strip()} (ever "
        f"{si(now.best_difficulty_ever).strip()})   on average a share in "
        f"{duration(now.expected_share_s)}, a block in {duration(now.expected_block_s)}"
    )
