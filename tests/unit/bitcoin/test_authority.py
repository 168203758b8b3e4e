"""Authority keys of Stratum v2 pools, as people copy them."""

import pytest

from miner.bitcoin.address import base58check_encode
from miner.bitcoin.authority import AuthorityError, authority_from_text, authority_text
from tests.unit.protocol.sv2.vectors import VECTORS

ROW = VECTORS["authority_key"]
GOOD = ROW["base58check"]


def test_the_specifications_key() -> None:
    assert authority_from_text(GOOD).hex() == ROW["raw"]
    assert authority_text(bytes.fromhex(ROW["raw"])) == GOOD
    for more in ROW["more"]:
        assert authority_text(authority_from_text(more["base58check"])) == more["base58check"]


def test_every_mistyped_character_is_noticed() -> None:
    for place in range(len(GOOD)):
        wrong = GOOD[:place] + ("2" if GOOD[place] != "2" else "3") + GOOD[place + 1 :]
        with pytest.raises(AuthorityError, match="checksum"):
            authority_from_text(wrong)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "checksum"),
        (GOOD[:-1], "checksum"),
        (GOOD + "1", "checksum"),
        (GOOD.replace("W", "-", 1), "has '-' in it"),
        (GOOD.replace("W", "ä", 1), "has 'ä' in it"),
        ("u95GEReVMjK6k5YqiSFNqqTnKU4ypU2Wm8awa6tmbmDmk1bWt", "old Braiins protocol"),
        (base58check_encode(b"\x01\x00" + bytes(31)), "holds 33 bytes, want 34"),
        (base58check_encode(b"\x02\x00" + bytes(32)), "version 2, want 1"),
        (base58check_encode(b"\x00\x01" + bytes(32)), "version 256, want 1"),
    ],
)
def test_what_is_no_key_says_why(text: str, why: str) -> None:
    with pytest.raises(AuthorityError, match=why):
        authority_from_text(text)
