"""Who is paid by an extended job's coinbase, and which names give everything away."""

import pytest

from miner.protocol.decode import per_cent
from miner.protocol.sv2.payout import about, address_in
from tests.fakes.jobs import changed
from tests.unit.protocol.sv2.kit import running

PAID = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"  # the fake pool's coinbase pays it
OTHER = "bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry"


@pytest.mark.parametrize(
    ("user", "address"),
    [
        (PAID, PAID),
        (f"{PAID}.desk", PAID),
        (f"sri/solo/{PAID}/desk", PAID),
        (f"sri/solo/{PAID}", PAID),
        (f"sri/donate/5/{PAID}/desk", PAID),
        ("", None),
        ("name", None),
        ("sri", None),
        ("sri/solo", None),
        ("sri/solo/nobody/desk", None),
        (f"sri/donate/{PAID}", None),
        (f"sri/gift/{PAID}", None),
    ],
)
def test_the_address_a_server_would_pay(user: str, address: str | None) -> None:
    found = address_in(user)
    assert (None if found is None else found.text) == address


@pytest.mark.parametrize(
    ("user", "words", "alarm"),
    [
        (f"{PAID}.desk", f"pay 100.00 % to {PAID}", False),
        (f"sri/solo/{PAID}/desk", "100.00 %", False),
        (f"{OTHER}.desk", f"pays 0 % to {OTHER}: normal where a pool pays later", False),
        (f"sri/solo/{OTHER}/desk", "asks for solo mining: leave it", True),
        ("accountname", "'accountname' names no address", True),
        ("", "takes the whole reward", True),
    ],
)
def test_what_a_job_means(user: str, words: str, alarm: bool) -> None:
    word = about(running().mine(), user)
    assert words in word.text and word.alarm is alarm


def test_a_coinbase_that_cannot_be_read_is_said_to_be_so() -> None:
    job = running().mine()
    word = about(changed(job, part2=job.coinbase.part2[:-1]), PAID)
    assert word.alarm and "cannot be read" in word.text


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [(1, 3, "33.33 %"), (9999, 10000, "99.99 %"), (99999, 100000, "99.99 %"), (0, 0, "0.00 %")],
)
def test_per_cent_rounds_down(part: int, whole: int, shown: str) -> None:
    assert per_cent(part, whole) == shown
