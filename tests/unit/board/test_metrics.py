"""The board for Prometheus: one series a miner, nothing made up."""

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from miner.board.metrics import registry
from miner.board.row import BoardState, MinerRow, Reading, Seen, State, totals


def test_each_miner_has_its_label_and_unknown_values_have_no_sample() -> None:
    rows = (
        MinerRow("axe", "axeos", "h", State.MINING, "", 90.0, Reading(rate_10s_hs=5.0, accepted=3)),
        MinerRow('od"d\n', "xmrig", "h:81", State.PAUSED, "", 91.0, Reading(power_w=2.5)),
        MinerRow("gone", "axeos", "h:82", State.OFFLINE, "x", 80.0, Reading(rate_10s_hs=7.0)),
        MinerRow("w", "ckpool", "/l", State.MINING, "", 92.0, Reading(seen=Seen.POOL)),
    )  # fmt: skip
    text = generate_latest(registry(lambda: BoardState(rows, totals(rows), 100.0, 1))).decode()
    told = {
        (sample.name, sample.labels["miner"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert told["homehash_board_miner_online", "axe"] == 1.0
    assert told["homehash_board_miner_online", "gone"] == 0.0
    assert told["homehash_board_last_seen_timestamp_seconds", "gone"] == 80.0
    assert told["homehash_board_hashrate_hashes_per_second", "axe"] == 5.0
    assert ("homehash_board_hashrate_hashes_per_second", "gone") not in told
    assert told["homehash_board_power_watts", 'od"d\n'] == 2.5
    assert told["homehash_board_shares_total", "axe"] == 3.0
    assert ("homehash_board_shares_total", "w") not in told
