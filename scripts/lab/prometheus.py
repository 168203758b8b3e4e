"""A real Prometheus scrapes a real miner: every series arrives and every alert rule loads.

Needs Debian's `prometheus`. Use: prometheus.py [--binary PATH] [--seconds S]. Prints what arrived;
exits 1 when something of ours is missing.
"""

import argparse
import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import bootstrap

CONFIG = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
scrape_configs:
  - job_name: homehash
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
rule_files: [{rules}]
"""


def fetch(url: str) -> bytes:
    with urlopen(url, timeout=10) as answer:
        return bytes(answer.read())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(server: str, path: str) -> Any:
    return json.loads(fetch(f"{server}/api/v1/{path}"))["data"]


def wait_for(server: str, within_s: float = 60.0) -> None:
    """Until the target is up."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            if [row for row in ask(server, "query?query=up")["result"] if row["value"][1] == "1"]:
                return
        except OSError:
            pass
        time.sleep(0.5)
    sys.exit("prometheus: the miner was not scraped")


def judge(server: str, miner: str, rules: Path) -> bool:
    """Prints what arrived; is all of it there?"""
    text = fetch(f"{miner}/metrics").decode()
    told = {line.split("{")[0].split(" ")[0] for line in text.splitlines() if line[:1] != "#"}
    kept = set(ask(server, "label/__name__/values"))
    print(f"{len(told & kept)} of {len(told)} series names arrived")
    for name in sorted(told - kept):
        print(f"MISSING {name}")
    groups = ask(server, "rules")["groups"]
    loaded = [rule for group in groups for rule in group["rules"]]
    named = re.findall(r"alert: (\w+)", rules.read_text("utf-8"))
    bad = [rule["name"] for rule in loaded if rule["health"] != "ok"]
    print(f"{len(loaded)} of {len(named)} alert rules loaded, {len(bad)} failed {bad}")
    query = quote("sum(rate(homehash_hashes_total[10s]))")
    rate = ask(server, f"query?query={query}")["result"]
    print(f"sum(rate(homehash_hashes_total[10s])) = {rate[0]['value'][1] if rate else 'nothing'}")
    return told <= kept and len(loaded) == len(named) and not bad and bool(rate)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--binary", default=shutil.which("prometheus") or "prometheus")
    parser.add_argument("--seconds", type=float, default=15.0)
    asked = parser.parse_args()
    bootstrap.enter(("web",))
    from importlib import resources

    rules = Path(str(resources.files("miner.views") / "grafana" / "homehash.rules.yml"))
    page, port = free_port(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / "prometheus.yml"
        settings.write_text(CONFIG.format(port=page, rules=rules))
        mine = ["mine", "--web", str(page), "--backend", "hashlib"]
        quiet = subprocess.DEVNULL
        command = [sys.executable, "-P", "-m", "miner", *mine]
        miner = subprocess.Popen(command, stdout=quiet, stderr=quiet)
        store = [f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}"]
        watcher = subprocess.Popen(
            [asked.binary, f"--config.file={settings}", *store], stderr=quiet
        )
        server = f"http://127.0.0.1:{port}"
        try:
            wait_for(server)
            time.sleep(asked.seconds)
            good = judge(server, f"http://127.0.0.1:{page}", rules)
        finally:
            for process in (watcher, miner):
                process.terminate()
                process.wait(20)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
