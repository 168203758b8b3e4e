"""Which signets a miner without keys can mine (BIP 325): those an empty solution satisfies."""

import pytest

from miner.errors import SourceRefused
from miner.protocol.gbt.job import refuse_signed_signet
from tests.faults import fault

OPEN = [
    "51", "60", "4f", "0101", "6151", "0051", "5161", "028000", "02ffff", "020180",
    "4b" + "01" * 75,  # the longest push by opcode alone
    "6102abab", "5129" + "ab" * 41,  # no witness programs, though alike
]  # fmt: skip
CLOSED = [
    "", "00", "0100", "0180", "020000", "020080", "5100", "010200",
    "512103ad5e0edad18cb1f0fc0d28a3d4f1f3e445640337489abb10404f2d1e086be43051ae",
    "0014" + "ab" * 20, "5120" + "ab" * 32, "0020" + "ab" * 32, "51024e73",
    "a914" + "ab" * 20 + "87", "6a", "ac", "51ac", "5175", "zz", "5", "4c0101", "02ff",
    "0061", "6002abab", "5128" + "ab" * 40, "4c" + "01" * 76, "4b" + "01" * 74,
]  # fmt: skip


@pytest.mark.parametrize("challenge", OPEN)
@fault("G08")
def test_open_challenges_are_mined(challenge: str) -> None:
    refuse_signed_signet(challenge)


@pytest.mark.parametrize("challenge", [*CLOSED, None, 7, []])
@fault("G08")
def test_signed_or_unclear_challenges_are_refused_naming_grind(challenge: object) -> None:
    with pytest.raises(SourceRefused, match="grind"):
        refuse_signed_signet(challenge)
