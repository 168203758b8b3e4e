"""Numbers and snapshots in words; every view for people uses these."""

from miner.devices.gpu import Sensors
from miner.state.luck import Luck
from miner.state.rates import Rates
from miner.state.snapshot import Odds, Snapshot
from miner.units import chance, duration, si


def hashrate(rate_hs: float | None) -> str:
    """Three digits: 61.2 MH/s."""
    return si(rate_hs, "H/s", 3)


def number(value: float | None) -> str:
    """Three digits: 1.4 M."""
    return si(value, digits=3)


def summary(now: Snapshot) -> str:
    """The line printed every minute and at the end."""
    run, shares, blocks = now.run, now.shares, now.blocks
    parts = [speed(now)]
    if not run.paced:
        parts.append(f"{si(float(run.hashes), 'hashes', 3)} in {duration(run.elapsed_s)}")
    parts.append(f"blocks {blocks.accepted} accepted, {blocks.rejected} rejected")
    if shares.accepted != blocks.accepted or shares.rejected != blocks.rejected:
        counts = f"{shares.accepted} accepted, {shares.rejected} rejected, {shares.stale} stale"
        parts.append(f"shares {counts}")
    if shares.best_session is not None:
        parts.append(f"best difficulty {number(shares.best_session)}")
    if run.below_benchmark:
        parts.append(benchmark(now))
    if blocks.waiting:
        parts.append(f"{blocks.waiting} in the journal without a verdict")
    return ", ".join(parts)


def speed(now: Snapshot) -> str:
    """State and rate. While blocks are paced never the rate of waiting: the computer's own."""
    run = now.run
    if run.paced:
        return f"{run.activity.value}: {computer(now)}"
    minute, session = run.rates.rate_1min_hs, run.rate_session_hs
    return f"{run.activity.value}: {hashrate(minute)} (session {hashrate(session)})"


def computer(now: Snapshot) -> str:
    """The speed measured between paced blocks, and what this chain asks for."""
    hashes = now.odds.block_hashes
    asks = "" if hashes is None else f"; this chain needs {number(round(hashes, 2))} hashes a block"
    if now.run.rate_computer_hs is None:
        return f"this computer: not measured yet{asks}"
    return f"this computer: {hashrate(now.run.rate_computer_hs)}, measured between blocks{asks}"


def rates(told: Rates, session_hs: float | None) -> str:
    windows = (
        (told.rate_10s_hs, "10 s"),
        (told.rate_1min_hs, "1 min"),
        (told.rate_15min_hs, "15 min"),
        (session_hs, "session"),
    )
    return "   ".join(f"{window} {hashrate(rate)}" for rate, window in windows)


def benchmark(now: Snapshot) -> str:
    """The live rate beside the saved benchmark; empty when there is none."""
    run = now.run
    if run.rate_benchmark_hs is None:
        return ""
    share = 100 * run.rates.rate_1min_hs / run.rate_benchmark_hs
    text = f"{share:.0f} % of the benchmark's {hashrate(run.rate_benchmark_hs)}"
    if run.below_benchmark:
        text += ": below it; other programs, heat, or battery? `miner bench` tells"
    return text


def sensors(told: Sensors | None) -> str:
    """Temperature, power and clock of a device, as far as they are told."""
    if told is None:
        return ""
    values = ((told.temperature_c, "°C"), (told.power_w, "W"), (told.clock_mhz, "MHz"))
    return ", ".join(f"{value:.0f} {unit}" for value, unit in values if value is not None)


def luck(told: Luck) -> str:
    """Shares found against those expected, with the band that is nothing unusual."""
    if told.ratio is None or told.low is None or told.high is None:
        return "nothing to compare yet"
    text = f"{told.found_shares} found, {told.expected_shares:.3g} expected"
    if told.expected_shares < 0.5 and not told.found_shares:
        return f"{text}: too early to say"
    usual = f"{100 * told.low:.0f} to {100 * told.high:.0f} % is usual"
    return f"{100 * told.ratio:.0f} % ({text}; {usual})"


def results(now: Snapshot) -> str:
    shares = now.shares
    reasons = ", ".join(
        f"{reason or 'no reason'} {count}" for reason, count in shares.rejected_reasons
    )
    parts = [f"{shares.accepted} accepted", f"{shares.rejected} rejected"]
    parts[1] += f" ({reasons})" if reasons else ""
    more = {
        "stale": shares.stale,
        "unknown": shares.unknown,
        "open": shares.pending,
        "surplus": shares.surplus,
        "dropped": shares.dropped,
        "not sent": shares.not_sent,
    }
    return ", ".join(parts + [f"{count} {name}" for name, count in more.items() if count])


def chances(told: Odds) -> str:
    if told.block_s is None:
        return "not known without a rate"
    return f"on average a share in {duration(told.share_s)}, a block in {duration(told.block_s)}"


def mainnet(told: Odds) -> str | None:
    """What the rate means on mainnet; None where nothing is known."""
    if told.mainnet_block_a_year is None or told.mainnet_difficulty is None:
        return None
    difficulty = number(told.mainnet_difficulty)
    return (
        f"at mainnet's difficulty ({difficulty}) that is a block in "
        f"{duration(told.mainnet_block_s)} on average: {chance(told.mainnet_block_a_year)} a year"
    )
