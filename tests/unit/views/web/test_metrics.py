"""/metrics in both formats, and the files that ship for Prometheus, Grafana and Home Assistant."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as text_0_0_4

from miner.cli.main import cli
from miner.devices.gpu import Sensors
from miner.state.snapshot import Snapshot
from miner.state.sources import Place
from tests.unit.views.web.kit import ADDRESS, Site, served, status

FOLDER = Path(str(resources.files("miner.views") / "grafana"))
ASKS_OPENMETRICS = "application/openmetrics-text; version=1.0.0"
NAME = re.compile(r"\bhomehash_[a-z0-9_]+\b")
TABLE = {  # monitoring's table: name to labels
    "homehash_build_info": {"version", "python", "kernel"},
    "homehash_mining": set(),
    "homehash_hashes_total": {"device", "backend"},
    "homehash_hashrate_hashes_per_second": {"device", "backend"},
    "homehash_shares_total": {"pool", "result"},
    "homehash_share_difficulty_total": {"pool", "result"},
    "homehash_best_share_difficulty": {"scope"},
    "homehash_pool_difficulty": {"pool"},
    "homehash_network_difficulty": set(),
    "homehash_block_height": set(),
    "homehash_pool_connected": {"pool"},
    "homehash_pool_active": {"pool"},
    "homehash_pool_reconnects_total": {"pool"},
    "homehash_pool_failovers_total": {"pool"},
    "homehash_share_latency_seconds_bucket": {"pool", "le"},
    "homehash_jobs_total": {"clean"},
    "homehash_job_age_seconds": set(),
    "homehash_blocks_total": {"status"},
    "homehash_device_temperature_celsius": {"device"},
    "homehash_device_power_watts": {"device"},
    "homehash_device_energy_joules_total": {"device"},
    "homehash_device_clock_hertz": {"device"},
    "homehash_device_faults_total": {"device"},
    "homehash_device_restarts_total": {"device"},
    "homehash_device_false_hits_total": {"device"},
    "homehash_expected_block_seconds": set(),
    "homehash_alarms": set(),
}


def full() -> Snapshot:
    """A run of which everything is known."""
    made = status()
    made.expect_sources([Place("b", "stratum+tcp://pool.example:3333", "pool", 1, "other")])
    made.facts.benchmark_hs = 60e6
    made.hardware.cpu = Sensors(3400.0, 55.0, 65.0)
    for second in range(30):
        made.hardware.meters[0].hashes += 10**6
        made.tick(float(second))
    return made.snapshot(30.0)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with served(full()) as made:
        yield made


def samples(text: str, parse: Any = text_0_0_4) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for family in parse(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample)
    return found


def test_every_family_of_the_table_with_its_labels(site: Site) -> None:
    reply = site.get("/metrics")
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    told = samples(reply.body.decode())
    for name, labels in TABLE.items():
        assert {frozenset(one.labels) for one in told[name]} == {frozenset(labels)}, name
    assert "up" not in told and not any(name.startswith(("python_", "process_")) for name in told)


def test_the_figures_are_the_snapshots(site: Site) -> None:
    told = samples(site.get("/metrics").body.decode())

    def figure(name: str, **labels: str) -> float:
        (found,) = [one.value for one in told[name] if labels.items() <= one.labels.items()]
        return float(found)

    shares = "homehash_shares_total"
    assert figure(shares, pool="pool.example:3333", result="accepted") == 2
    assert figure(shares, pool="pool.example:3333", result="rejected") == 1
    assert figure(shares, pool="pool.example:3333 #2", result="accepted") == 0
    assert figure("homehash_hashes_total") == site.now.run.hashes
    assert figure("homehash_device_clock_hertz") == 3.4e9
    assert figure("homehash_device_energy_joules_total") == pytest.approx(65 * 29)
    assert figure("homehash_share_latency_seconds_count", pool="pool.example:3333") == 3
    assert (
        figure("homehash_share_latency_seconds_bucket", pool="pool.example:3333", le="0.025") == 3
    )
    assert figure("homehash_jobs_total", clean="true") == site.now.job.clean_jobs  # type: ignore[union-attr]


def test_openmetrics_for_who_asks(site: Site) -> None:
    reply = site.get("/metrics", Accept=ASKS_OPENMETRICS)
    assert reply.headers["content-type"].startswith("application/openmetrics-text")
    assert reply.body.endswith(b"# EOF\n")
    told = samples(reply.body.decode(), openmetrics)
    assert told.keys() >= TABLE.keys()


def test_no_user_and_no_stranger_in_a_label() -> None:
    now = full()
    evil = 'x",pool="y"} 1\nhomehash_mining 7 \\'
    row = replace(now.sources[0], url=f"stratum+tcp://{evil}")
    with served(replace(now, sources=(row, now.sources[1]))) as site:
        body = site.get("/metrics").body.decode()
    assert ADDRESS not in body and "desk" not in body
    assert [one.value for one in samples(body)["homehash_mining"]] == [1.0]


def test_what_is_not_known_has_no_sample() -> None:
    made = status(job=None)
    made.facts.paced = True
    with served(made.snapshot(60.0)) as site:
        told = samples(site.get("/metrics").body.decode())
    for name in ("expected_block_seconds", "device_power_watts", "block_height", "pool_difficulty"):
        assert f"homehash_{name}" not in told


def exported() -> set[str]:
    with served(full()) as site:
        return set(samples(site.get("/metrics").body.decode()))


def expressions() -> list[str]:
    board = json.loads((FOLDER / "homehash.json").read_text("utf-8"))
    found = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    rules = (FOLDER / "homehash.rules.yml").read_text("utf-8")
    folded = re.findall(r"expr: (?:>-\n((?: {10}.*\n)+)|(.*))", rules)
    found += ["".join(pair) for pair in folded]
    return found


def test_every_expression_names_exported_families() -> None:
    known = exported()
    told = expressions()
    assert len(told) > 25
    for expression in told:
        names = set(NAME.findall(expression)) - {"homehash"}
        assert names <= known or 'job="homehash"' in expression, (expression, names - known)
        assert names or "up{" in expression


def test_the_dashboard_can_be_imported() -> None:
    board = json.loads((FOLDER / "homehash.json").read_text("utf-8"))
    assert board["schemaVersion"] >= 39
    variables = {one["name"]: one for one in board["templating"]["list"]}
    assert variables["DS"]["type"] == "datasource" and variables["instance"]["multi"]
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    for panel in board["panels"]:
        if panel["type"] != "row":
            assert panel["datasource"]["uid"] == "${DS}"
            assert panel["fieldConfig"]["defaults"]["unit"]


promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool here")


def tool(*arguments: str, text: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["promtool", "check", *arguments], input=text, capture_output=True, cwd=FOLDER, timeout=60
    )


@promtool
def test_promtool_takes_metrics_rules_and_config(site: Site) -> None:
    done = tool("metrics", text=site.get("/metrics").body)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")
    rules = tool("rules", "homehash.rules.yml")
    assert rules.returncode == 0, rules.stderr
    config = tool("config", "prometheus.yml")
    assert config.returncode == 0, config.stderr


def test_home_assistants_sensors_find_their_values() -> None:
    """Each template is worked out on a real answer, as Home Assistant does."""
    yaml = pytest.importorskip("yaml", reason="pyyaml cannot be installed here")
    jinja2 = pytest.importorskip("jinja2", reason="jinja2 is not here")
    text = (resources.files("miner.views") / "homeassistant.yaml").read_text("utf-8")
    (rest,) = yaml.safe_load(text)["rest"]
    assert rest["resource"].endswith("/api/v1/status")
    with served(full()) as site:
        answer = site.get("/api/v1/status").json
    told = {}
    for one in (*rest["sensor"], *rest["binary_sensor"]):
        environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
        said = environment.from_string(one["value_template"]).render(value_json=answer)
        available = environment.from_string(one.get("availability", "True"))
        assert available.render(value_json=answer) == "True", one["name"]
        told[one["unique_id"]] = said
    assert told["homehash_accepted"] == "2" and told["homehash_mining"] == "True"
    assert float(told["homehash_energy"]) == pytest.approx(65 * 29 / 3.6e6, abs=1e-4)
    assert float(told["homehash_power"]) == 65.0
    units = {one["unique_id"]: one.get("unit_of_measurement") for one in rest["sensor"]}
    assert (units["homehash_energy"], units["homehash_power"]) == ("kWh", "W")
    unknown = replace(status().snapshot(60.0))
    with served(unknown) as site:
        answer = site.get("/api/v1/status").json
    for one in rest["sensor"]:
        available = jinja2.Environment().from_string(one.get("availability", "True"))
        known = available.render(value_json=answer) == "True"
        assert known == (one["unique_id"] not in UNKNOWN), one["name"]


UNKNOWN = ("homehash_power", "homehash_energy", "homehash_temperature")


@pytest.mark.parametrize("option", ["--print-grafana", "--print-homeassistant"])
def test_they_are_printed_whole(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["mine", option], standalone_mode=False)
    told = capsys.readouterr()
    name = "homeassistant.yaml" if "home" in option else "grafana/homehash.json"
    assert told.out == (resources.files("miner.views") / name).read_text("utf-8")
    for line in told.err.splitlines():
        assert Path(line.partition(": ")[2].rpartition(": ")[2] or line).exists()
