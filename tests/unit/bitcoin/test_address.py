"""Addresses of every kind; the vectors are BIP 173's, BIP 350's and well-known ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miner.bitcoin.address import (
    CHAINS,
    AddressError,
    WrongChain,
    base58check_decode,
    base58check_encode,
    decode,
    describe,
    encode_segwit,
    hrp_of,
    p2wsh_address,
    script_from_address,
)  # fmt: skip

GOOD = [
    ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "main",
     "76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac"),
    ("3P14159f73E4gFr7JterCCQh9QjiTjiZrG", "main",
     "a914e9c3dd0c07aac76179ebc76a6c78d4d67c6c160a87"),
    ("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "main",
     "0014751e76e8199196d454941c45d1b3a323f1433bd6"),
    ("tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7", "testnet4",
     "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262"),
    ("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0", "main",
     "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"),
    ("mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", "regtest",
     "76a914243f1394f44554f4ce3fd68649c19adc483ce92488ac"),
]  # fmt: skip

BAD = [
    ("", "characters"), ("x" * 91, "characters"),
    ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "checksum"),
    ("1A1zP1eP5QGefi2DMPTfTL5SLmv7Divf0a", "base58"), ("bc1 qw508", "characters"),
    # BIP 173 and BIP 350, invalid addresses
    ("tc1qw508d6qejxtdg4y5r3zarvary0c5xw7kg3g4ty", "base58"),
    ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "checksum"),
    ("BC13W508D6QEJXTDG4Y5R3ZARVARY0C5XW7KN40WF2", "checksum"),
    ("bc1rw5uspcuh", "checksum"),
    ("tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sL5k7", "case"),
    ("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd", "bech32m"),
    ("BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P", "invalid"),
    ("bc1gmk9yu", "too short"),
    ("bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4", "not bech32"),
    ("bc1pw5dgrnzv", "invalid"),
    ("tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vpggkg4j", "padding"),
    # valid, but nobody could be stopped from taking the coins
    ("BC1SW50QGDZ25J", "no spending rules"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "chain", "script"), GOOD)
def test_known_addresses(text: str, chain: str, script: str) -> None:
    assert script_from_address(text, chain).hex() == script
    assert describe(bytes.fromhex(script), chain) in (text, text.lower())


@pytest.mark.parametrize(("text", "why"), BAD)
def test_bad_addresses_say_why(text: str, why: str) -> None:
    with pytest.raises(AddressError, match=why):
        decode(text)


@pytest.mark.parametrize(("text", "chain", "_script"), GOOD)
def test_an_address_of_another_chain_is_refused(text: str, chain: str, _script: str) -> None:
    for other in CHAINS:
        if other not in decode(text).chains:
            with pytest.raises(WrongChain, match=other):
                script_from_address(text, other)


@given(st.sampled_from(CHAINS), st.sampled_from([(0, 20), (0, 32), (1, 32)]), st.data())
def test_segwit_round_trip_and_every_typo_is_seen(
    chain: str, kind: tuple[int, int], data: st.DataObject
) -> None:
    program = data.draw(st.binary(min_size=kind[1], max_size=kind[1]))
    text = encode_segwit(hrp_of(chain), kind[0], program)
    assert describe(script_from_address(text, chain), chain) == text
    place = data.draw(st.integers(len(hrp_of(chain)) + 1, len(text) - 1))
    typo = data.draw(
        st.sampled_from([c for c in "qpzry9x8gf2tvdw0s3jn54khce6mua7l" if c != text[place]])
    )
    with pytest.raises(AddressError):
        decode(text[:place] + typo + text[place + 1 :])


@given(st.binary(min_size=1, max_size=40))
def test_base58check_round_trip(payload: bytes) -> None:
    assert base58check_decode(base58check_encode(payload)) == payload


def test_default_payout_is_p2wsh_of_op_true() -> None:
    address = p2wsh_address(b"\x51", "regtest")
    assert address == "bcrt1qft5p2uhsdcdc3l2ua4ap5qqfg4pjaqlp250x7us7a8qqhrxrxfsqseac85"
    assert len(script_from_address(address, "regtest")) == 34


def bech32m(version: int, groups: list[int]) -> str:
    """A mainnet address of any version and any five-bit groups, its checksum right (BIP 350)."""
    values = [version, *groups]
    check = 1
    for value in [3, 3, 0, 2, 3, *values, 0, 0, 0, 0, 0, 0]:  # "bc" expanded
        check, top = (check & 0x1FFFFFF) << 5 ^ value, check >> 25
        for bit, term in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= term * (top >> bit & 1)
    values += [(check ^ 0x2BC830A3) >> shift & 31 for shift in (25, 20, 15, 10, 5, 0)]
    return "bc1" + "".join("qpzry9x8gf2tvdw0s3jn54khce6mua7l"[value] for value in values)


@pytest.mark.parametrize(
    ("size", "why"), [(0, "address of 0 characters"), (90, "checksum"), (91, "of 91 characters")]
)
def test_an_address_has_up_to_90_characters(size: int, why: str) -> None:
    with pytest.raises(AddressError, match=why):
        decode("x" * size)


@pytest.mark.parametrize(
    ("groups", "why"),
    [
        (0, "too short"), (1, "padding"),  # 5 bits
        (3, "padding"), (4, "witness v2 of 2 bytes has no spending"),  # 7 and 4 bits left over
        (6, "padding"), (9, "padding"),  # 6 and 5 bits left over, though a whole byte is there
        (64, "witness v2 of 40 bytes has no spending"), (66, "witness v2 of 41 bytes is invalid"),
    ],
)  # fmt: skip
def test_witness_programs_are_2_to_40_whole_bytes(groups: int, why: str) -> None:
    with pytest.raises(AddressError, match=why):
        decode(bech32m(2, [0] * groups))


@pytest.mark.parametrize(
    ("version", "why"), [(1, "no spending"), (16, "no spending"), (17, "v17 of 2 bytes is invalid")]
)
def test_witness_versions_end_at_16(version: int, why: str) -> None:
    with pytest.raises(AddressError, match=why):
        decode(encode_segwit("bc", version, b"ab"))


def test_padding_bits_are_zero() -> None:
    with pytest.raises(AddressError, match="padding"):
        decode(bech32m(2, [0, 0, 0, 1]))  # the last of four bits left over
    with pytest.raises(AddressError, match="padding"):
        decode(bech32m(2, [0, 0, 0, 8]))  # the first
    with pytest.raises(AddressError, match="no spending"):
        decode(bech32m(2, [0, 0, 0, 16]))  # the last bit of the program


@pytest.mark.parametrize("version", [1, 2, 16])
@pytest.mark.parametrize("size", [2, 3, 39, 40])
def test_scripts_of_any_witness_version_are_shown_as_addresses(version: int, size: int) -> None:
    script = bytes([0x50 + version, size]) + b"\xaa" * size
    assert describe(script, "main") == encode_segwit("bc", version, b"\xaa" * size)


HASH = "aa" * 20


@pytest.mark.parametrize(
    "script",
    [
        "", "51", "5101aa", "5129" + "aa" * 41,  # witness programs of 1 and 41 bytes
        "5102aa", "5103aaaa",  # a push that is longer than what follows
        "5002aaaa", "5014" + HASH, "6102aaaa",  # neither OP_0 nor OP_1 .. OP_16
        "0002aaaa", "0015aa" + HASH, "0013" + HASH[2:],  # v0 has 20 or 32 bytes
        "76a914" + HASH + "88ad", "76a814" + HASH + "88ac", "76a914" + HASH + "88ac00",
        "a914" + HASH + "88", "a814" + HASH + "87", "a914" + HASH + "8700",
    ],
)  # fmt: skip
def test_scripts_without_an_address_are_shown_as_hex(script: str) -> None:
    assert describe(bytes.fromhex(script), "main") == script


@pytest.mark.parametrize(
    ("chain", "start"), [("main", "3"), *((chain, "2") for chain in CHAINS if chain != "main")]
)
def test_script_hashes_are_shown_with_the_prefix_of_their_chain(chain: str, start: str) -> None:
    text = describe(bytes.fromhex(f"a914{HASH}87"), chain)
    assert text.startswith(start)
    assert script_from_address(text, chain).hex() == f"a914{HASH}87"


@pytest.mark.parametrize(("size", "good"), [(19, False), (20, True), (21, False)])
def test_a_base58_address_holds_a_prefix_and_20_bytes(size: int, good: bool) -> None:
    text = base58check_encode(bytes(1 + size))
    if good:
        assert decode(text).kind == "p2pkh"
    else:
        with pytest.raises(AddressError, match=f"{1 + size} bytes inside, want 21"):
            decode(text)


@pytest.mark.parametrize("prefix", [1, 4, 6, 110, 112, 195, 197, 255])
def test_a_base58_prefix_of_another_coin_is_named(prefix: int) -> None:
    with pytest.raises(AddressError, match=f"prefix {prefix} is of no Bitcoin network"):
        decode(base58check_encode(bytes([prefix]) + bytes(20)))
