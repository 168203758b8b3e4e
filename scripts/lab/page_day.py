"""Does a tab that shows the page for a day stay as small as it was? `page_day.py [--devices N]`

A made-up run is replayed at 600 times its speed to the real page in Chromium: 24 hours in 144
seconds, a snapshot each minute of the run. After each two hours garbage is collected, then the
tab's heap and its nodes are read. Exit code 1 when the median of either is in the last third of the
day more than a tenth above that of the middle third: the page's rings fill while the day goes on.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

import bootstrap

SPEED, EVENT_S, HOUR_S = 600.0, 0.1, 3600.0
MOST_GROWTH = 1.10


def main() -> None:
    bootstrap.enter(extras=("web", "test"))
    from tests.fakes.browser import open_browser, screen

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=12)
    parser.add_argument("--hours", type=int, default=24)
    asked = parser.parse_args()
    day = Day(asked.devices)
    with tempfile.TemporaryDirectory() as folder:
        driver = open_browser(Path(folder))
        try:
            screen(driver, 1280)
            driver.get(day.url)
            rows = [measured(driver, day, hour) for hour in range(2, asked.hours + 1, 2)]
        finally:
            driver.quit()
            day.close()
    sys.exit(judge(rows))


class Day:
    """The server, whose clock runs fast."""

    def __init__(self, devices: int) -> None:
        from miner.views import api
        from tests.fakes.browser import Served
        from tests.fakes.scene import Scene

        self._began, self._wall_s = time.monotonic(), time.time()
        clock = SimpleNamespace(time=lambda: self._wall_s + self.now_s)
        vars(api)["time"] = clock  # by which it tells the time of an answer
        scene = Scene(devices=devices, pools=3, start_s=self._wall_s, day_s=25 * HOUR_S)
        self._served = Served(scene, age_s=0.0, clock=lambda: self.now_s, every_s=EVENT_S)
        self.url = self._served.url
        self.close = self._served.close

    @property
    def now_s(self) -> float:
        """Of the run."""
        return (time.monotonic() - self._began) * SPEED


def measured(driver: Any, day: Day, hour: int) -> tuple[int, float, int]:
    """Hour, MB of heap and nodes of the tab at this hour of the run."""
    while day.now_s < hour * HOUR_S:
        time.sleep(0.2)
    for _ in range(2):
        driver.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
    driver.execute_cdp_cmd("Performance.enable", {})
    told = {
        one["name"]: one["value"]
        for one in driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    }
    row = hour, told["JSHeapUsedSize"] / 1e6, int(told["Nodes"])
    up = driver.execute_script("return document.getElementById('foot').textContent")
    print(f"hour {row[0]:2}  heap {row[1]:6.2f} MB  nodes {row[2]:5}  ({up[:50]})", flush=True)
    return row


def judge(rows: list[tuple[int, float, int]]) -> int:
    """The last third of the day beside the middle one."""
    third = len(rows) // 3
    middle, last = rows[third : 2 * third], rows[2 * third :]
    heap, nodes = (
        median(row[place] for row in last) / median(row[place] for row in middle)
        for place in (1, 2)
    )
    print(f"last third against the middle one: heap x {heap:.3f}, nodes x {nodes:.3f}")
    return int(max(heap, nodes) > MOST_GROWTH)


if __name__ == "__main__":
    main()
