"""A browser joins `miner class` and finds blocks that Bitcoin Core's own rules accept."""

import re
import signal
from pathlib import Path

import pytest

from tests.e2e.conftest import Start
from tests.e2e.test_class import heights
from tests.fakes.browser import NEEDS_BROWSER, open_browser, until

pytest.importorskip("pbk", reason="no kernel wheel for this Python")
pytestmark = NEEDS_BROWSER
HASHES = 2**22  # a block: some seconds of a browser


def test_a_browser_finds_a_block_that_the_kernel_accepts(miner: Start, tmp_path: Path) -> None:
    places = ("--port", "127.0.0.1:0", "--web", "127.0.0.1:0", "--desk", "0")
    teacher = miner("class", "--easy", "--block-hashes", str(HASHES), *places)
    address = re.search(r"http://127\.0\.0\.1:[0-9]+/", teacher.until("phones: "))
    assert address is not None
    driver = open_browser(tmp_path / "profile")
    text = "return document.getElementById(arguments[0]).textContent"
    try:
        driver.get(address[0])
        driver.execute_script("document.getElementById('name').value = 'Phone'")
        driver.execute_script("document.getElementById('start').click()")
        until(lambda: heights(teacher, "Phone"), 60.0)
        found = heights(teacher, "Phone")[0]
        until(lambda: f"You found block {found}" in driver.execute_script(text, "log"))
        until(lambda: int(driver.execute_script(text, "blocks")) >= 1)
        assert driver.execute_script(text, "state") == "Mining"
        shown = until(
            lambda: re.search(r"Block ([0-9]+)\.", driver.execute_script(text, "work-told"))
        )
        assert int(shown[1]) > found, "the next block's work came by itself"
        assert driver.get_log("browser") == []
    finally:
        driver.quit()
    assert teacher.stop(signal.SIGINT) == 0
