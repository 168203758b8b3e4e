"""Measures what a page and its readers cost mining: 64 streams, 4 scrapers, 100 stalled readers.

The run is a real one on a pool of this process, with its workers and the listeners' thread apart:
hashes a second of the workers' own CPU time, with readers and without by turns; the CPU time of the
listeners' thread; a scrape's time; memory with the web view and without; 200 half-open clients.
Linux alone: a thread's CPU time is read from /proc. Use: figures.py web [--pairs N] [--seconds S].
"""

import argparse
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

from miner import paths
from miner.cli.listening import Listening
from miner.run import config
from miner.run.run import Run
from miner.state.history import COARSE_ROWS, FINE_ROWS, History, Row
from tests.fakes import browser
from tests.fakes.pool import FakePool

HARD = "1e9"  # no share in the time of a measurement
ROOT = Path(__file__).resolve().parents[3]
READERS = """
import selectors, socket, sys, time
host, port, kind, count = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
head = " HTTP/1.1\\r\\nHost: localhost\\r\\n"
ask = {
    "stream": f"GET /api/v1/events{head}\\r\\n",
    "stalled": f"GET /api/v1/history{head}\\r\\n",  # of a day: more than the system buffers
    "half": f"GET /{head}",
    "scrape": f"GET /metrics{head}Connection: close\\r\\n\\r\\n",
}[kind].encode()
def link():
    one = socket.socket()
    if kind == "stalled":
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    one.connect((host, port))
    one.sendall(ask)
    return one
if kind == "scrape":
    while True:
        for _ in range(count):
            one = link()
            while one.recv(65536):
                pass
            one.close()
        time.sleep(10)
links = [link() for _ in range(count)]
print("ready", flush=True)
while kind != "stream":  # they take nothing, and come again when they were closed
    time.sleep(11)
    for one in links:
        one.close()
    links = [link() for _ in range(count)]
chosen = selectors.DefaultSelector()
for one in links:
    chosen.register(one, selectors.EVENT_READ)
while True:
    for key, _ in chosen.select():
        if not key.fileobj.recv(65536):
            chosen.unregister(key.fileobj)
"""


class Moment(NamedTuple):
    """Hashes, CPU seconds of the workers and of the listeners, and the wall clock."""

    hashes: int
    workers_s: float
    listeners_s: float
    wall_s: float


class Mining:
    """A run with a page, in this process."""

    def __init__(self, url: str, backend: str, web: bool = True) -> None:
        flags = {"pool": (url,), "user": ("figures",), "backend": (backend,)}
        place = {"web": "127.0.0.1:0"} if web else {}
        self.run = Run(config.load({**flags, **place, "idle": False}, {}))
        self.listening = Listening(self.run.config, self.run)
        self.run.open()
        self.listening.start()
        self.run.start()
        time.sleep(2.0)

    @property
    def port(self) -> int:
        return int(self.listening.port("--web"))

    def now(self) -> Moment:
        return Moment(
            self.run.snapshot().run.hashes, cpu_s("worker "), cpu_s("listeners"), time.monotonic()
        )

    def stop(self) -> None:
        self.run.stop()
        self.listening.stop()


def cpu_s(name: str) -> float:
    """Of this process's threads whose name begins so."""
    ids = [one.native_id for one in threading.enumerate() if one.name.startswith(name)]
    files = (Path(f"/proc/self/task/{number}/schedstat") for number in ids)
    return sum(int(file.read_text().split()[0]) for file in files) / 1e9


@contextmanager
def readers(port: int, **kinds: int) -> Iterator[None]:
    """Clients in processes of their own."""
    started = []
    for kind, count in kinds.items():
        command = [sys.executable, "-c", READERS, "127.0.0.1", str(port), kind, str(count)]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        if kind != "scrape":
            assert started[-1].stdout is not None
            started[-1].stdout.readline()
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


class Stretch(NamedTuple):
    """What some seconds came to."""

    hashes_a_cpu_s: float
    listeners: float  # share of one core


def stretch(mining: Mining, seconds: float) -> Stretch:
    before = mining.now()
    time.sleep(seconds)
    after = mining.now()
    hashes = (after.hashes - before.hashes) / (after.workers_s - before.workers_s)
    return Stretch(
        hashes, (after.listeners_s - before.listeners_s) / (after.wall_s - before.wall_s)
    )


def turns(mining: Mining, pairs: int, seconds: float, **kinds: int) -> None:
    """With readers and without; which comes first changes from pair to pair."""
    ratios, costs = [], []
    for number in range(pairs):
        told = {}
        for among in (False, True) if number % 2 else (True, False):
            told[among] = among_readers(mining, seconds, kinds if among else {})
        ratios.append(told[True].hashes_a_cpu_s / told[False].hashes_a_cpu_s)
        costs.append(told[True].listeners)
    named = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    middle = statistics.median(ratios)
    spread = statistics.median(abs(one - middle) for one in ratios)
    print(f"{named}: hashes a CPU second {middle:.4f} of none (MAD {spread:.4f}, {pairs} pairs);")
    print(f"  listeners' thread {100 * statistics.median(costs):.2f} % of a core", flush=True)


def among_readers(mining: Mining, seconds: float, kinds: dict[str, int]) -> Stretch:
    with readers(mining.port, **kinds):
        time.sleep(1.0)
        return stretch(mining, seconds)


def scrapes(mining: Mining, count: int) -> None:
    """Over one connection each; the server's own CPU time is what it costs mining."""
    url, walls = f"http://127.0.0.1:{mining.port}/metrics", []
    before = mining.now()
    for _ in range(count):
        began = time.perf_counter()
        with urlopen(url) as answer:
            size = len(answer.read())
        walls.append(time.perf_counter() - began)
    cost_s = (mining.now().listeners_s - before.listeners_s) / count
    middle = statistics.median(walls)
    print(f"a scrape of {size} bytes: {1e3 * cost_s:.2f} ms of CPU, {1e3 * middle:.2f} ms in all")


def memory(url: str, backend: str, *more: str) -> float:
    """MiB that a real `miner mine` has resident after some seconds."""
    command = [sys.executable, "-P", "-m", "miner", "mine", "--pool", url, "--user", "figures"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "MINER_HOME": home}
        process = subprocess.Popen(
            [*command, "--backend", backend, *more], env=environment, **quiet
        )  # type: ignore[call-overload]
        time.sleep(6.0)
        text = Path(f"/proc/{process.pid}/status").read_text()
        process.terminate()
        process.wait()
    found = re.search(r"VmRSS:\s+(\d+) kB", text)
    assert found is not None
    return int(found[1]) / 1024


def a_day() -> str:
    """A full history, as a run keeps it in its file."""
    began, rest = time.time() - 86_400, (6.1e7, 6e7, 6.2e7, 9, 0, 55.5, 65.5, 0.05)
    fine, coarse = (
        [[began + 60 * n, *rest] for n in range(rows)] for rows in (FINE_ROWS, COARSE_ROWS)
    )
    return json.dumps({"schema": 1, "columns": Row._fields, "fine": fine, "coarse": coarse})


def kept() -> float:
    """MiB of a full history."""
    tracemalloc.start()
    history = History(0.0)
    for ring in (history.fine, history.coarse):
        for step in range(ring.rows):
            ring.add(Row(1.6e9 + 5.0 * step, 6.1e7 + step, 6e7, 6.2e7, 1.0, 0.0, 55.5, 65.5, 0.1))
    rows = tuple(history.fine.since()), tuple(history.coarse.since())
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [len(one) for one in rows] == [FINE_ROWS, COARSE_ROWS]
    return size / 2**20


def paints(port: int, count: int = 9) -> None:
    """Chromium's first contentful paint: from the click to the first text on the screen."""
    if not (browser.DRIVER and browser.BROWSER):
        print("first paint: not measured, there is no chromium here")
        return
    ask = (
        "return performance.getEntriesByName('first-contentful-paint').map((one) => one.startTime)"
    )
    with tempfile.TemporaryDirectory() as folder:
        driver = browser.open_browser(Path(folder))
        try:
            found = []
            for _ in range(count):
                driver.get(f"http://127.0.0.1:{port}/")
                (told,) = browser.until(lambda: driver.execute_script(ask))
                found.append(told)
        finally:
            driver.quit()
    print(f"first paint: median {statistics.median(found):.0f} ms, most {max(found):.0f} ({count})")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--backend", default="native")
    asked = parser.parse_args()
    with FakePool(difficulty=HARD) as pool, tempfile.TemporaryDirectory() as home:
        os.environ["MINER_HOME"] = home
        paths.state_dir().mkdir(parents=True)
        (paths.state_dir() / "history.json").write_text(a_day())
        mining = Mining(pool.url, asked.backend)
        try:
            turns(mining, asked.pairs, asked.seconds, stream=64, scrape=4, stalled=100)
            turns(mining, asked.pairs, asked.seconds, stream=1)
            turns(mining, asked.pairs, asked.seconds, half=200)
            scrapes(mining, 200)
            paints(mining.port)
        finally:
            mining.stop()
        without = memory(pool.url, asked.backend)
        with_web = memory(pool.url, asked.backend, "--web", f"127.0.0.1:{free_port()}")
    print(
        f"memory: {without:.1f} MiB, with the web view {with_web:.1f} (+{with_web - without:.1f})"
    )
    print(f"a full history: {kept():.2f} MiB")
