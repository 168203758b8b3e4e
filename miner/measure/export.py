"""A result as JSON, CSV (one case a row) or Markdown: all from the same object."""

import csv
import io
import json
from collections.abc import Callable, Iterable
from pathlib import Path

from miner import units
from miner.errors import ConfigError
from miner.measure import environment, stats
from miner.measure.result import CaseResult, Result
from miner.measure.store import to_dict

COLUMNS = (
    "created", "backend", "variant", "device", "threads", "versions", "slices", "median_hs",
    "ci95_low_hs", "ci95_high_hs", "mean_hs", "sd_hs", "mad_hs", "verdict", "j_per_th_gross",
    "j_per_th_net", "boundary", "energy_source", "partial", "basis", "length", "burst_hs",
    "sustained_hs", "cpu_time_hs", "shares", "cpu", "version", "commit",
)  # fmt: skip


def write(result: Result, path: Path) -> None:
    """Choose the form by suffix. Raises ConfigError: other suffix, or not writable."""
    make = FORMS.get(path.suffix.lower())
    if make is None:
        raise ConfigError(f"--export {path}: the name must end in {', '.join(FORMS)}")
    try:
        path.write_text(make(result), "utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error}") from error


def check_target(path: Path, forms: Iterable[str], option: str) -> None:
    """Can this file be written? Asked before minutes of measuring. Raises ConfigError."""
    if path.suffix.lower() not in forms:
        raise ConfigError(f"{option} {path}: the name must end in {', '.join(forms)}")
    if not path.absolute().parent.is_dir():
        raise ConfigError(f"{option} {path}: its folder does not exist")
    there = path.exists()
    try:
        with path.open("ab"):
            pass
        if not there:
            path.unlink()
    except OSError as error:
        raise ConfigError(
            f"{option} {path} cannot be written: {error.strerror or error}"
        ) from error


def to_json(result: Result) -> str:
    return json.dumps(to_dict(result), indent=1) + "\n"


def to_csv(result: Result) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for case in result.cases:
        writer.writerow(_cells(result, case))
    return out.getvalue()


def _cells(result: Result, case: CaseResult) -> list[object]:
    found, energy = case.summary(result.seed), case.energy
    low, high = found.ci95 if found and found.ci95 else (None, None)
    rates = (found.median, low, high, found.mean, found.sd, found.mad) if found else (None,) * 6
    joules = (
        (energy.gross_j_per_th, energy.net_j_per_th, energy.boundary, energy.source)
        if energy
        else (None,) * 4
    )
    return [
        result.created, case.backend, case.variant, case.device, case.threads, case.versions,
        len(case.slices), *rates, case.trust().word, *joules, result.partial, case.basis,
        case.length, case.burst_hs, case.sustained_hs,
        stats.centre(case.cpu_rates()) if case.cpu_rates() else None,
        len(case.proof.shares) if case.proof else 0,
        result.environment.get("cpu"), result.version, result.commit,
    ]  # fmt: skip


def to_markdown(result: Result) -> str:
    lines = [
        f"# homehash {result.version} benchmark, {result.created}",
        "",
        "| case | median | 95 % | sd | slices | trust | J/TH gross | J/TH net | boundary |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for case in result.cases:
        lines.append("| " + " | ".join(rate_cells(result, case)) + " |")
    env = result.environment
    lines += ["", f"{env.get('cpu')}, {env.get('os')}, {env.get('kernel')}, {env.get('python')}."]
    for case in result.cases:
        if words := environment.compiled(env, case.variant, case.shape):
            lines.append(f"{case.label} was compiled by {words}.")
    lines += [text for case in result.cases for text in burst_and_sustained(case)]
    if result.partial:
        lines.append("Interrupted: partial results.")
    lines += [reason for case in result.cases for reason in case.trust().reasons]
    return "\n".join(lines) + "\n"


def burst_and_sustained(case: CaseResult) -> list[str]:
    """Both side by side where a run was long enough to have the second."""
    if case.sustained_hs is None:
        return []
    return [
        f"{case.label}: burst {units.rate(case.burst_hs)} (first 16 s), sustained "
        f"{units.rate(case.sustained_hs)} (later half of {units.span(case.seconds)})"
    ]


def rate_cells(result: Result, case: CaseResult) -> list[str]:
    """What every table prints of a case; a rate never stands without its trust."""
    found, energy, trust = case.summary(result.seed), case.energy, case.trust()
    if found is None:
        return [case.label, "INVALID" if not case.gate.passed else "n/a", "", "", "0",
                trust.word, "", "", ""]  # fmt: skip
    return [
        case.label,
        units.rate(found.median),
        units.interval(*found.ci95, found.median) if found.ci95 else "n/a (< 8 slices)",
        units.percent(found.relative_sd, 1),
        str(found.n),
        trust.word,
        units.energy(energy.gross_j_per_th) if energy else "n/a",
        units.energy(energy.net_j_per_th) if energy else "n/a",
        f"{energy.boundary} ({energy.source})" if energy else "",
    ]


FORMS: dict[str, Callable[[Result], str]] = {
    ".json": to_json,
    ".csv": to_csv,
    ".md": to_markdown,
}
