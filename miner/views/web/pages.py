"""The page and its files: a fixed table read once, so that no path of a request reaches a disk."""

import hashlib
from html import escape
from importlib import resources
from importlib.resources.abc import Traversable
from typing import NamedTuple

from miner import units
from miner.state.snapshot import Snapshot
from miner.views import words
from miner.views.health import Health

FIRST = "<!-- first numbers -->"  # where the page wants them
INDEX = "index.html"
MEDIA = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
}


class File(NamedTuple):
    body: bytes
    media: str
    tag: str


def static_files() -> dict[str, File]:
    """Every file of `static/` by its path below it; of kinds that are not in MEDIA none."""
    return dict(walk(resources.files("miner.views.web") / "static", ""))


def walk(folder: Traversable, prefix: str) -> list[tuple[str, File]]:
    found: list[tuple[str, File]] = []
    for item in folder.iterdir():
        kind = item.name[item.name.rfind(".") :]
        if item.is_dir():
            found += walk(item, f"{prefix}{item.name}/")
        elif kind in MEDIA:
            body = item.read_bytes()
            tag = hashlib.sha256(body).hexdigest()[:32]
            found.append((prefix + item.name, File(body, MEDIA[kind], tag)))
    return found


def first_numbers(now: Snapshot, health: Health) -> str:
    """A table for browsers without script, and for the moment before it runs. Our own words and
    numbers alone: no text of a pool, user or machine is ever in the page."""
    run, shares, blocks, job = now.run, now.shares, now.blocks, now.job
    rate_hs = run.rate_computer_hs if run.paced else run.rates.rate_1min_hs
    height = "–" if job is None or job.height is None else f"{job.height:,}"
    best = shares.best_session
    rows = (
        ("state", f"{health.word}: {health.reason}"),
        (
            "speed, measured between blocks" if run.paced else "rate over 1 min",
            words.hashrate(rate_hs),
        ),
        ("hashes", units.si(float(run.hashes), "", 3)),
        ("shares accepted / rejected", f"{shares.accepted:,} / {shares.rejected:,}"),
        ("blocks accepted", f"{blocks.accepted:,}")  # each scan finds rivals, needless
        if run.paced
        else ("blocks found / accepted", f"{blocks.found:,} / {blocks.accepted:,}"),
        ("best difficulty", "–" if best is None else words.number(best)),
        ("height of the block being made", height),
        ("running for", units.duration(run.elapsed_s)),
    )
    lines = (f"<tr><th scope=row>{escape(name)}<td>{escape(told)}" for name, told in rows)
    return "<table>" + "".join(lines) + "</table>"
