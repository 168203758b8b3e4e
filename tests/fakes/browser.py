"""A page of ours in a real browser: Debian's chromium, and a server over a made-up run."""

import asyncio
import shutil
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from miner.state.snapshot import Snapshot
from miner.views.feed import Feed
from miner.views.web.app import App, Reach
from miner.views.web.server import WebServer
from tests.fakes.scene import Scene

DRIVER, BROWSER = shutil.which("chromedriver"), shutil.which("chromium")
CHANGES = 1_000_000  # of one scene
NEEDS_BROWSER = pytest.mark.skipif(
    not (DRIVER and BROWSER), reason="no chromium and chromedriver on PATH"
)

# WCAG 2: the contrast of every text with what lies behind it.
CONTRAST = """
const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
  .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
  .reduce((sum, c, n) => sum + c * [0.2126, 0.7152, 0.0722][n], 0);
const parse = (text) => text.match(/[\\d.]+/g).map(Number);
const behind = (node) => {
  for (let at = node; at; at = at.parentElement) {
    const colour = parse(getComputedStyle(at).backgroundColor);
    if (colour.length < 4 || colour[3] === 1) return colour.slice(0, 3);
  }
  return [255, 255, 255];
};
const poor = [];
for (const node of document.querySelectorAll("body *")) {
  const own = [...node.childNodes].some((kid) => kid.nodeType === 3 && kid.textContent.trim());
  if (!own || !node.offsetParent || node.closest("[hidden], noscript, .skip")) continue;
  const [one, two] = [parse(getComputedStyle(node).color).slice(0, 3), behind(node)].map(light);
  const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
  if (ratio < 4.5) poor.push(`${node.tagName}.${node.className} ${ratio.toFixed(2)} ${node.textContent.slice(0, 30)}`);
}
return poor;
"""  # noqa: E501

# On a phone: what a finger cannot hit, what an eye cannot read, what is cut off, what has no name.
MISFITS = """
const [touch, letter] = arguments;
const all = (what) => [...document.querySelectorAll(what)];
const name = (node) => (node.outerHTML || node).slice(0, 120);
const small = all("a, button, select, summary, input, textarea")
  .filter((one) => one.offsetParent)
  .filter((one) => (one.type === "radio" ? one.labels[0] : one).getBoundingClientRect().height < touch);
const faint = all("svg text, svg tspan").filter((one) => {
  const svg = one.ownerSVGElement, width = svg.getBoundingClientRect().width;
  return width && parseFloat(getComputedStyle(one).fontSize) * width / svg.viewBox.baseVal.width < letter;
});
const outside = all("svg text").filter((one) => {
  const box = one.getBBox();
  return box.x < -1 || box.x + box.width > one.ownerSVGElement.viewBox.baseVal.width + 1;
});
const unnamed = all("input, select, textarea")
  .filter((one) => !one.labels.length || !one.labels[0].textContent.trim());
const wide = document.documentElement.scrollWidth > innerWidth ? ["the page scrolls sideways"] : [];
return [...small, ...faint, ...outside, ...unnamed, ...wide].map(name);
"""  # noqa: E501


def open_browser(folder: Path, scripts: bool = True) -> Any:
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(BROWSER)
    for flag in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--disable-dev-shm-usage", f"--user-data-dir={folder}", "--window-size=1000,900",
    ):  # fmt: skip
        options.add_argument(flag)
    if not scripts:
        blocked = {"profile.managed_default_content_settings.javascript": 2}
        options.add_experimental_option("prefs", blocked)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options, webdriver.ChromeService(str(DRIVER)))


def until(true: Callable[[], Any], within_s: float = 20.0) -> Any:
    """What `true` gives when it is true at last."""
    deadline = time.monotonic() + within_s
    while not (found := true()):
        assert time.monotonic() < deadline, f"not within {within_s} s"
        time.sleep(0.05)
    return found


def screen(driver: Any, width: int, scheme: str = "light", motion: str = "no-preference") -> None:
    """A screen of this width that prefers this colour scheme."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    wishes = {"prefers-color-scheme": scheme, "prefers-reduced-motion": motion}
    features = [{"name": name, "value": value} for name, value in wishes.items()]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


class Served:
    """The web view of a scene, on loopback."""

    def __init__(
        self,
        scene: Scene,
        age_s: float = 3600.0,
        port: int = 0,
        clock: Callable[[], float] = time.monotonic,
        every_s: float | None = None,
    ) -> None:
        """`every_s`: ticks beside those of each second, for a clock that runs fast."""
        self.age_s, self._clock, self._every_s = age_s, clock, every_s
        self._began = clock()
        self._start_s, self._shown = time.time() - age_s, 0
        self.show(scene)
        self._made: tuple[Scene, int, Snapshot] | None = None
        self._socket = socket.create_server(("127.0.0.1", port))
        self.port = int(self._socket.getsockname()[1])
        feed = Feed(self.snapshot, clock=clock)
        self.app = App(feed, Reach((), False))
        self._server = WebServer(self.app, self._socket)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def show(self, scene: Scene) -> None:
        """From now on this one, as if it had begun `age_s` before this server."""
        self._shown += 1  # a change number is never told twice
        self._scene = replace(scene, start_s=self._start_s), self._shown * CHANGES

    def snapshot(self) -> Snapshot:
        """Of this second; made once."""
        (scene, first), second = self._scene, int(self.age_s + self._clock() - self._began)
        made = self._made
        if made is None or made[0] is not scene or made[1] != second:
            now = scene.snapshot(float(second))
            made = self._made = scene, second, replace(now, change=now.change + first)
        return made[2]

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:
            ticking = group.create_task(self._tick())
            await self._server.serve(self._stop)
            ticking.cancel()

    async def _tick(self) -> None:
        while self._every_s is not None:
            self.app.tick()
            await asyncio.sleep(self._every_s)

    def close(self) -> None:
        until(lambda: self._loop is not None)
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._socket.close()
