"""The web API's answers keep to their schemas and say what the snapshot says."""

import hashlib
import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from importlib import resources
from typing import Any

import jsonschema
import pytest

from miner.bitcoin.header import Header
from miner.state.activity import Activity
from miner.state.history import Row
from miner.state.snapshot import HistoryRow
from miner.work.unit import build_unit
from tests.faults import fault
from tests.unit.views.web.kit import ADDRESS, JOB, Site, served, status

PATHS = ("status", "history", "shares", "block")


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with served(status().snapshot(60.0)) as made:
        yield made


def judge(name: str, value: Any) -> None:
    file = resources.files("miner.views") / "schema" / f"api-{name}.schema.json"
    schema = json.loads(file.read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(value)


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize("moment", ["with work", "before the first job"])
@fault("A10")
def test_answers_keep_to_their_schema(name: str, moment: str) -> None:
    made = status() if moment == "with work" else status(job=None)
    with served(made.snapshot(60.0)) as site:
        reply = site.get(f"/api/v1/{name}")
        assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
        judge(name, reply.json)


@fault("A10")
def test_what_is_not_known_has_no_key(site: Site) -> None:
    """Nowhere null, NaN or infinity, but in the rows of the history."""
    broken = replace(site.now, odds=replace(site.now.odds, block_s=float("inf")))
    with served(broken) as other:
        for name in ("status", "shares", "block"):
            body = other.get(f"/api/v1/{name}").body
            assert b"null" not in body
            json.loads(body, parse_constant=lambda word: pytest.fail(word))
        assert "block_s" not in other.get("/api/v1/status").json["odds"]


def test_the_header_is_that_which_is_hashed(site: Site) -> None:
    block = site.get("/api/v1/block").json
    header = Header.parse(bytes.fromhex(block["header"]["hex"]))
    assert block["header"]["scanned"] is True
    assert (header.nonce, header.version, header.nbits) == (0x01020304, JOB.version, JOB.nbits)
    assert header.merkle_root == JOB.merkle.root_with(bytes(4))
    fields = {one["name"]: one for one in block["header"]["fields"]}
    assert "".join(one["hex"] for one in fields.values()) == block["header"]["hex"]
    assert [one["start"] for one in fields.values()] == [0, 4, 36, 68, 72, 76]
    rolls = [name for name, one in fields.items() if one["rolls"]]
    assert rolls == ["version", "merkle root", "time", "nonce"]
    assert fields["previous hash"]["display"] == JOB.prev_hash[::-1].hex()
    assert block["merkle"]["root"] == block["merkle"]["steps"][-1]["gives"]
    assert block["merkle"]["root"] == header.merkle_root.hex()
    assert block["transactions"] == {"at_least": 3, "at_most": 4}
    assert block["target"]["network_zero_bits"] == 31
    assert (block["best"]["hash"], block["best"]["zero_bits"]) == ("0" * 63 + "1", 255)


def test_a_header_that_nobody_scans_yet_is_shown_as_it_will_be() -> None:
    """Between paced blocks there is a job, and no hash is done."""
    made = status()
    made.hardware.meters[0].unit = None
    with served(made.snapshot(60.0), whole=True) as site:
        block = site.get("/api/v1/block").json
    judge("block", block)
    assert block["header"]["scanned"] is False
    unit = build_unit(JOB, (JOB.version,), bytes(4), JOB.ntime)
    assert block["header"]["hex"] == unit.header(JOB.version, 0).hex()
    assert block["coinbase"]["hex"] == JOB.coinbase.fill(bytes(4)).hex()
    bare = replace(JOB, merkle=replace(JOB.coinbase, branch=()))
    alone = status(job=bare)
    alone.hardware.meters[0].unit = None
    with served(alone.snapshot(60.0)) as site:
        block = site.get("/api/v1/block").json
    assert block["merkle"]["root"] == block["coinbase"]["txid"]
    assert block["transactions"] == {"at_least": 1, "at_most": 1}


def test_every_byte_of_the_coinbase_has_a_name() -> None:
    with served(status().snapshot(60.0), whole=True) as site:
        coinbase = site.get("/api/v1/block").json["coinbase"]
    assert "".join(part["hex"] for part in coinbase["parts"]) == coinbase["hex"]
    assert coinbase["hex"] == JOB.coinbase.fill(bytes(4)).hex()
    assert [part["name"] for part in coinbase["parts"]] == [
        "version",
        "input count",
        "previous output",
        "script length",
        "height",
        "extranonce1",
        "extranonce2",
        "sequence",
        "output count",
        "output 1 value",
        "output 1 script length",
        "output 1 script",
        "locktime",
    ]
    assert [part["name"] for part in coinbase["parts"] if part["rolls"]] == ["extranonce2"]
    assert coinbase["outputs"] == [{"value_sat": 5_000_000_000, "to": ADDRESS, "is_user": True}]


def test_shares_with_their_answers_and_a_command_that_checks(site: Site) -> None:
    told = site.get("/api/v1/shares").json
    answers = [(one["answer"], one["reason"]) for one in told["recent"]]
    assert answers == [("accepted", ""), ("accepted", ""), ("rejected", "low difficulty")]
    assert [one["rank"] for one in told["best"]] == [1, 2, 3]
    header = bytes.fromhex(told["best"][0]["header"])
    done = subprocess.run(told["best"][0]["check"], shell=True, capture_output=True, text=True)
    twice = hashlib.sha256(hashlib.sha256(header).digest()).digest()
    assert done.stdout.strip() == twice[::-1].hex()


def test_history_since_a_time(site: Site) -> None:
    nan = float("nan")
    told = tuple(Row(100.04 + 5 * n, 5e6, 4e6, 6e6, 1.0, 0.0, nan, 65.0, nan) for n in range(5))
    with served(replace(site.now, history=HistoryRow(told, told[:1]))) as other:
        judge("history", other.get("/api/v1/history").json)
        rows = other.get("/api/v1/history").json["fine"]
        assert rows[0] == [100.0, 5e6, 4e6, 6e6, 1.0, 0.0, None, 65.0, None]
        later = other.get(f"/api/v1/history?since={rows[1][0]}").json["fine"]
        assert later == [row for row in rows if row[0] > rows[1][0]]
        for text in ("x", "-1", "nan", "inf", "1e30"):
            assert other.get(f"/api/v1/history?since={text}").status == 400


def test_the_same_moment_is_told_once(site: Site) -> None:
    for name in PATHS:
        first = site.get(f"/api/v1/{name}")
        again = site.get(f"/api/v1/{name}", If_None_Match=first.headers["etag"])
        assert (again.status, again.body) == (304, b"")
        other = site.get(f"/api/v1/{name}", If_None_Match='"old"')
        assert (other.status, other.headers["etag"]) == (200, first.headers["etag"])


def test_a_head_has_no_body(site: Site) -> None:
    whole, head = site.get("/api/v1/status"), site.get("/api/v1/status", method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.body))


def test_healthy_is_who_counted_hashes_lately() -> None:
    made = status()
    with served(made.snapshot(60.0)) as site:
        assert site.get("/healthz").status == 200
        judge("healthz", site.get("/healthz").json)
        run = site.now.run
        for activity, paused, code in (
            (Activity.STOPPING, False, 503),
            (Activity.PAUSED, True, 200),
        ):
            changed = replace(run, activity=activity, paused=paused)
            site.now = replace(site.now, run=changed, change=site.now.change + 1)
            reply = site.get("/healthz")
            assert reply.status == code, reply.body
            judge("healthz", reply.json)


def test_addresses_are_cut_unless_asked_for(site: Site) -> None:
    pages = [site.get(path).body for path in ("/", *(f"/api/v1/{name}" for name in PATHS))]
    assert ADDRESS.encode() not in b"".join(pages)
    assert f"{ADDRESS[:4]}…{ADDRESS[-4:]}.desk" in site.get("/api/v1/status").body.decode()
    parts = site.get("/api/v1/block").json["coinbase"]["parts"]
    assert "hex" not in next(part for part in parts if part["name"] == "output 1 script")
    assert "hex" not in site.get("/api/v1/block").json["coinbase"]
    with served(site.now, whole=True) as other:
        assert ADDRESS in other.get("/api/v1/status").body.decode()
