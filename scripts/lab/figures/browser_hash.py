"""Measures hashing in a browser: MH/s a core of JavaScript and of WebAssembly, in chromium.

The class's own page and its own worker, one of it, scan ranges of a third of a second under a
target that nothing meets; the first second of each way is left out. WebAssembly needs the compiler
wheel, or an installation that was built with it. Use: figures.py browser_hash [--samples N].
"""

import argparse
import contextlib
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import build_backend.wasm

from tests.fakes import browser
from tests.fakes.asking import listening
from tests.fakes.class_site import with_module

SAMPLE = """
const [wasm, samples, done] = arguments;
const worker = new Worker("/hasher.js"), rates = [], header = new Uint8Array(76).fill(7);
let path = "", count = 1 << 16, start = 0, warm = 0;
const next = () => { worker.postMessage({ kind: "scan", header, target: "0".repeat(64), start, count }); start += count; };
worker.onmessage = ({ data }) => {
	if (data.kind === "broken") return done({ path: "broken", why: data.why, rates });
	if (data.kind === "ready") path = data.path;
	else {
		const rate = data.hashes / data.ms / 1000;
		if (warm > 1000) rates.push(rate);
		warm += data.ms;
		count = Math.round(333000 * rate);
		if (start + count > 2 ** 32) start = 0;
	}
	if (rates.length < samples) return next();
	worker.terminate();
	done({ path, rates });
};
worker.postMessage({ kind: "open", wasm });
"""  # noqa: E501


def module() -> bytes | None:
    """WebAssembly made here, where the compiler wheel is."""
    compiler = build_backend.wasm.compiler()
    return None if compiler is None else build_backend.wasm.build(compiler)


@contextlib.contextmanager
def page() -> Iterator[Any]:
    """The class's page in a browser."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        listening(with_module(module())) as site,
    ):
        driver = browser.open_browser(Path(folder))
        try:
            driver.set_script_timeout(120)
            driver.get(f"{site.origin}/")
            yield driver
        finally:
            driver.quit()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--samples", type=int, default=30)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not (browser.DRIVER and browser.BROWSER):
        print("figures.py browser_hash: no chromium and chromedriver on PATH", file=sys.stderr)
        return 1
    with page() as driver:
        for wanted in ("js", "wasm"):
            told = driver.execute_async_script(SAMPLE, wanted == "wasm", options.samples)
            rates = told["rates"]
            if told["path"] != wanted:
                print(f"{wanted:5} not here: {told}")
            elif options.json:
                print(json.dumps({"path": wanted, "mhs": rates}))
            else:
                middle = statistics.median(rates)
                mad = statistics.median(abs(rate - middle) for rate in rates)
                least, most = min(rates), max(rates)
                print(
                    f"{wanted:5} {middle:6.2f} MH/s a core, MAD {mad:.2f},"
                    f" {least:.2f} to {most:.2f} ({len(rates)} samples of 0.33 s)"
                )
    return 0
