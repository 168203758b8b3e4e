"""Times a full template: 5,000 transactions, about 4,000,000 weight units, from bytes to Job.

    python3 scripts/figures.py template [--runs 11] [--transactions 5000]

Prints the median and spread of each step, and the longest time another thread could not run (the
interpreter's lock held): what hashing would feel. "http" fetches the template from a server in
another process through the same adapter as mining; "submit" sends the full block to it.
"""

import argparse
import hashlib
import http.server
import itertools
import json
import multiprocessing
import random
import statistics
import threading
import time
from typing import Any

from miner.bitcoin.coinbase import commitment_script, witness_root
from miner.bitcoin.tx import Transaction, TxIn, TxOut
from miner.protocol.gbt.job import MiningPlan, make_job, proposal_hex
from miner.protocol.gbt.template import Template, parse_template
from miner.secret import Secret
from miner.transport.credentials import UserPassword
from miner.transport.endpoint import Endpoint
from miner.transport.rpc import Rpc

WEIGHT = 3_990_000


def transactions(count: int, seed: int = 1) -> list[dict[str, Any]]:
    """Mixed one- and two-input transactions, four in five with witnesses."""
    rng = random.Random(seed)
    size = WEIGHT // count
    entries = []
    for index in range(count):
        segwit = index % 5 != 0
        witness = (rng.randbytes(max(0, size - 4 * 125)),) if segwit else ()
        script = b"" if segwit else rng.randbytes(max(0, size // 4 - 125))
        outputs = tuple(TxOut(rng.randrange(10**8), rng.randbytes(22)) for _ in range(2))
        tx = Transaction((TxIn(rng.randbytes(32), index, script, 0, witness),), outputs)
        entries.append(
            {
                "data": tx.serialize().hex(),
                "txid": tx.txid[::-1].hex(),
                "hash": tx.wtxid[::-1].hex(),
                "depends": [],
                "fee": 1000,
                "sigops": 4,
                "weight": tx.weight,
            }
        )
    return entries


def template(count: int, seed: int = 1) -> dict[str, Any]:
    entries = transactions(count, seed)
    root = witness_root([bytes.fromhex(entry["hash"])[::-1] for entry in entries])
    return {
        "capabilities": ["proposal"],
        "version": 0x20000000,
        "rules": ["csv", "!segwit", "taproot"],
        "vbavailable": {},
        "vbrequired": 0,
        "previousblockhash": hashlib.sha256(b"tip").hexdigest(),
        "transactions": entries,
        "coinbaseaux": {},
        "coinbasevalue": 312_500_000 + 1000 * count,
        "longpollid": "x",
        "target": f"{0xFFFF << 208:064x}",
        "mintime": 1_700_000_000,
        "mutable": ["time", "transactions", "prevblock"],
        "noncerange": "00000000ffffffff",
        "sigoplimit": 80000,
        "sizelimit": 4000000,
        "weightlimit": 4000000,
        "curtime": 1_700_000_600,
        "bits": "1d00ffff",
        "height": 900_000,
        "default_witness_commitment": commitment_script(root).hex(),
    }


class Watcher:
    """A thread that wants the interpreter every half millisecond; notes the longest it had to wait.

    It stands for a hashing thread that comes back from C between two batches.
    """

    def __enter__(self) -> "Watcher":
        self.longest = 0.0
        self._stop = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        time.sleep(0.01)
        self.longest = 0.0
        return self

    def __exit__(self, *_: object) -> None:
        self._stop = True
        self._thread.join()

    def _run(self) -> None:
        while not self._stop:
            before = time.perf_counter()
            time.sleep(0.0005)
            self.longest = max(self.longest, time.perf_counter() - before - 0.0005)


def run_once(body: bytes, before: Template | None) -> tuple[dict[str, float], Template]:
    marks = [time.perf_counter()]
    reply = json.loads(body)
    marks.append(time.perf_counter())
    parsed = parse_template(reply, "main", before)
    marks.append(time.perf_counter())
    job = make_job(parsed, MiningPlan(b"\x51"), source="bench", job_id="1", clean=True)
    marks.append(time.perf_counter())
    assert not parsed.alarms
    assert len(job.coinbase.branch) == max(1, len(parsed.transactions)).bit_length()
    steps = [b - a for a, b in itertools.pairwise(marks)]
    named = dict(zip(("json", "template", "job"), steps, strict=True))
    return named | {"template + job": steps[1] + steps[2], "all": sum(steps)}, parsed


class Server(http.server.BaseHTTPRequestHandler):
    """Answers getblocktemplate with the body it was given, anything else with null."""

    protocol_version = "HTTP/1.1"
    template = b"null"

    def do_POST(self) -> None:
        request = self.rfile.read(int(self.headers["Content-Length"]))
        number = request[-40:].rpartition(b":")[2].strip(b" }")
        result = self.template if b"getblocktemplate" in request[:100] else b"null"
        answer = b'{"result":' + result + b',"error":null,"id":' + number + b"}"
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Quiet."""


def serve(body: bytes, ports: "multiprocessing.Queue[int]") -> None:
    Server.template = body
    with http.server.HTTPServer(("127.0.0.1", 0), Server) as server:
        ports.put(server.server_port)
        server.serve_forever()


def over_http(body: bytes, runs: int) -> None:
    """From the request to the Job, and a block back, as the node threads do it."""
    spawn = multiprocessing.get_context("spawn")
    ports: multiprocessing.Queue[int] = spawn.Queue()
    child = spawn.Process(target=serve, args=(body, ports), daemon=True)
    child.start()
    endpoint = Endpoint("http", "127.0.0.1", ports.get(timeout=60))
    rpc = Rpc(endpoint, UserPassword("bench", Secret("bench")))
    columns: dict[str, list[float]] = {name: [] for name in ("http + job", "stall", "submit")}
    columns["stall of submit"] = []
    for _ in range(runs):
        with Watcher() as watcher:
            started = time.perf_counter()
            parsed = parse_template(rpc.call("getblocktemplate", {"rules": ["segwit"]}), "main")
            job = make_job(parsed, MiningPlan(b"\x51"), source="bench", job_id="1", clean=True)
            columns["http + job"].append(time.perf_counter() - started)
        columns["stall"].append(watcher.longest)
        with Watcher() as watcher:
            started = time.perf_counter()
            rpc.call("submitblock", proposal_hex(job))
            columns["submit"].append(time.perf_counter() - started)
        columns["stall of submit"].append(watcher.longest)
    rpc.close()
    child.terminate()
    child.join()
    show(f"through HTTP and the adapter (median, min .. max of {runs}, ms)", columns)


def show(title: str, columns: dict[str, list[float]]) -> None:
    print(f"\n{title}")
    for name, values in columns.items():
        low, middle, high = min(values), statistics.median(values), max(values)
        print(f"  {name:15} {1000 * middle:7.1f}  {1000 * low:.1f} .. {1000 * high:.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=11)
    parser.add_argument("--transactions", type=int, default=5000)
    options = parser.parse_args()
    body = json.dumps(template(options.transactions)).encode()
    print(f"{options.transactions} transactions, {len(body) / 1e6:.1f} MB of JSON")
    for kind in ("first of its kind", "next with the same transactions"):
        rows, stalls, before = [], [], None
        if kind.startswith("next"):
            _, before = run_once(body, None)
        for _ in range(options.runs):
            with Watcher() as watcher:
                row, _ = run_once(body, before)
            rows.append(row)
            stalls.append(watcher.longest)
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        title = f"{kind} (median, min .. max of {options.runs}, ms)"
        show(title, columns | {"longest stall": stalls})
    over_http(body, options.runs)
