import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from miner.errors import ConfigError
from miner.gap import economics, hardware

HEAD = ",".join(hardware.COLUMNS)
GOOD = "My box,cpu,me,2024-05,1e6,50,5e7,,,https://example.org/box,own meter,P"


def with_cell(column: str, value: str) -> str:
    cells = dict(zip(hardware.COLUMNS, GOOD.split(","), strict=True)) | {column: value}
    return f"{HEAD}\n{','.join(cells.values())}\n"


def test_every_shipped_machine_has_date_source_and_confidence() -> None:
    rows = hardware.load()
    assert len(rows) == len({row.name for row in rows}) >= 110
    for row in rows:
        assert re.fullmatch(r"\d{4}(-\d\d)?", row.released), row
        assert row.source_url.startswith("http"), row
        assert row.note, row
        assert row.confidence in hardware.CONFIDENCE, row
    assert {row.kind for row in rows} == set(hardware.KINDS)


VECTORS = Path(__file__).parents[2] / "vectors"


def test_the_network_of_each_year_is_what_its_block_header_says() -> None:
    """Chance of a hash to meet the header's target, one block in ten minutes."""
    headers = json.loads((VECTORS / "mainnet_headers.json").read_text())["headers"]
    by_hash = {row["hash"]: row for row in headers}
    figures = economics.load()
    derived = [
        one for key, one in figures.items() if re.fullmatch(r"history_hashrate_.*_derived", key)
    ]
    for one in derived:
        header = by_hash[one.source_url.rpartition("/")[2]]
        exponent, mantissa = divmod(int(header["nbits"], 16), 1 << 24)
        target = mantissa << 8 * (exponent - 3)
        assert one.value == pytest.approx(2**256 / (target + 1) / 600, rel=1e-3)
        assert one.as_of == str(datetime.fromtimestamp(header["time"], UTC).date())
        assert f"block {header['height']}: nbits {header['nbits']}" in one.note
    dated = {one.as_of[:4] for key, one in figures.items() if key.startswith("history_hashrate_")}
    assert {str(year) for year in range(2013, 2026)} <= dated


def test_shipped_joules_agree_with_watts_over_rate() -> None:
    for row in hardware.load():
        if row.power_w and row.j_per_th and row.name != "Avalon6":  # its own page disagrees
            assert row.j_per_th == pytest.approx(row.power_w / row.hashrate_hs * 1e12, rel=0.012)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("released", "", "released is empty"),
        ("source_url", "", "source_url is empty"),
        ("source_note", " ", "source_note is empty"),
        ("confidence", "", "confidence is empty"),
        ("confidence", "X", "confidence is 'X'"),
        ("released", "2024-13", "released is '2024-13'"),
        ("source_url", "a friend", "source_url is 'a friend'"),
        ("kind", "abacus", "kind is 'abacus'"),
        ("hashrate_hs", "", "hashrate_hs is empty"),
        ("hashrate_hs", "-1", "hashrate_hs is '-1'"),
        ("power_w", "nan", "power_w is 'nan'"),
        ("power_w", "inf", "power_w is 'inf'"),
    ],
)
def test_a_row_without_its_proof_is_refused(column: str, value: str, said: str) -> None:
    with pytest.raises(ConfigError, match=f"line 2: {said}"):
        hardware.parse(with_cell(column, value), "own.csv")


def test_foreign_tables_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="first line"):
        hardware.parse("a,b\n1,2\n", "own.csv")
    with pytest.raises(ConfigError, match="line 2: 2 cells"):
        hardware.parse(f"{HEAD}\n1,2\n", "own.csv")
    (tmp_path / "hardware.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read"):
        hardware.load(tmp_path)


def test_own_rows_are_added_and_replace_ours(tmp_path: Path) -> None:
    (tmp_path / "hardware.csv").write_text(f"{HEAD}\n{GOOD}\n{GOOD.replace('My box', 'Icarus')}\n")
    rows = {row.name: row for row in hardware.load(tmp_path)}
    assert rows["My box"].own
    assert rows["Icarus"].hashrate_hs == 1e6
    assert len(rows) == len(hardware.load()) + 1


def test_select_filters_and_sorts() -> None:
    rows = hardware.load()
    asics = hardware.select(rows, "asic", None, "efficiency")
    assert [row.name for row in asics[:2]] == ["Antminer S23 XP Hyd", "SealMiner A4 Ultra Hydro"]
    assert asics[0].announced_only
    assert not next(row for row in rows if row.name == "Antminer S23e Hyd 2U").announced_only
    fpgas = hardware.select(rows, "fpga", "2011-2012", "hashrate")
    assert next(row.name for row in fpgas) == "BFL BitForce Mini Rig (FPGA)"
    assert hardware.select(rows, None, "1999", "name") == []
    for bad in ("x", "2013-", "2016-2013"):
        with pytest.raises(ConfigError, match="not a year"):
            hardware.select(rows, None, bad, "name")
    with pytest.raises(ConfigError, match="choose one of"):
        hardware.select(rows, "abacus", None, "name")


def test_every_shipped_figure_has_unit_date_and_source() -> None:
    found = economics.load()
    assert len(found) >= 96
    for figure in found.values():
        assert figure.unit, figure
        assert economics.DATE.fullmatch(figure.as_of), figure
        assert figure.as_of in figure.origin
    assert found["network_difficulty_derived"].origin.startswith("derived, 2026-10-03")


def test_own_figures_replace_ours(tmp_path: Path) -> None:
    row = "btc_price,100000,USD/BTC,2027-01-02,https://example.org/p,mine"
    (tmp_path / "economics.csv").write_text(f"{','.join(economics.COLUMNS)}\n{row}\n")
    assert economics.load(tmp_path)["btc_price"].value == 100000
    (tmp_path / "economics.csv").write_text(
        f"{','.join(economics.COLUMNS)}\n{row.replace('2027-01-02', 'soon')}\n"
    )
    with pytest.raises(ConfigError, match="as_of is 'soon'"):
        economics.load(tmp_path)


def test_a_tariff_is_a_number_or_a_preset() -> None:
    found = economics.load()
    assert economics.tariff(found, "0.3").unit == "USD/kWh"
    assert economics.tariff(found, "0.3 eur").unit == "EUR/kWh"
    assert economics.tariff(found, "germany_household").value == 0.3835
    for bad in ("mars", "-0.1", "paraguay_rise_2024_low"):
        with pytest.raises(ConfigError, match="presets: "):
            economics.tariff(found, bad)
