"""Numbers and snapshots in words; every screen for people uses these."""

from miner.status import BackendRow, StatusSnapshot
from miner.units import duration, si


def rate(value_hs: float | None) -> str:
    """Three digits: 61.2 MH/s."""
    return si(value_hs, "H/s", 3)


def summary(now: StatusSnapshot) -> str:
    """The line printed every minute and at the end."""
    parts = [
        f"{now.state}: {rate(now.rate_1min_hs)} (session {rate(now.rate_session_hs)})",
        f"{si(float(now.hashes), 'hashes', 3)} in {duration(now.elapsed_s)}",
        f"blocks {now.blocks_accepted} accepted, {now.blocks_rejected} rejected",
    ]
    if now.accepted != now.blocks_accepted or now.rejected != now.blocks_rejected:
        parts.append(f"shares {now.accepted} accepted, {now.rejected} rejected, {now.stale} stale")
    if now.best_difficulty_session is not None:
        parts.append(f"best difficulty {si(now.best_difficulty_session, digits=3)}")
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
    return "   ".join(f"{window} {rate(one)}" for one, window in windows)


def by_shares(now: StatusSnapshot) -> str:
    """The rate that the found shares speak for, with its standard deviation."""
    if now.rate_from_shares_hs is None or now.rate_from_shares_error_hs is None:
        return "by shares: none found yet"
    error = rate(now.rate_from_shares_error_hs)
    return f"by {now.shares_found} shares {rate(now.rate_from_shares_hs)} ± {error}"


def benchmark(now: StatusSnapshot) -> str:
    """The live rate beside the saved benchmark; empty when there is none."""
    if now.rate_benchmark_hs is None:
        return ""
    share = 100 * now.rate_1min_hs / now.rate_benchmark_hs
    text = f"{share:.0f} % of the benchmark's {rate(now.rate_benchmark_hs)}"
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
    share = f"share {si(now.share_difficulty, digits=3)}"
    block = f"block {si(now.network_difficulty, digits=3)}"
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
        f"best {si(now.best_difficulty_session, digits=3)} (ever "
        f"{si(now.best_difficulty_ever, digits=3)})   on average a share in "
        f"{duration(now.expected_share_s)}, a block in {duration(now.expected_block_s)}"
    )
