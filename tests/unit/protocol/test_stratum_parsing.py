"""Each parser of a pool's words alone: what is taken, the first value beyond, and what is said."""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from miner.errors import RemoteProtocolError
from miner.protocol.pool import Redirect
from miner.protocol.stratum import messages as parse
from miner.protocol.stratum.messages import Subscription
from tests.unit.protocol.stratum_lines import GOLDEN

NAMES = ("job_id", "prevhash", "coinb1", "coinb2", "branch", "version", "nbits", "ntime", "clean")


def refused(parser: Callable[..., object], *given: Any) -> str:
    """The parser's words about a bad value."""
    with pytest.raises(RemoteProtocolError) as caught:
        parser(*given)
    return str(caught.value)


def golden(**changes: Any) -> list[Any]:
    return list((dict(zip(NAMES, GOLDEN, strict=True)) | changes).values())


# -- shared by all ----------------------------------------------------------------------------
def test_params_are_an_array_of_enough_entries() -> None:
    assert parse.items("m", ["a", "b"], 2) == ["a", "b"]
    assert refused(parse.items, "m", ["a"], 2) == "m: 1 params, want at least 2"
    assert refused(parse.items, "m", {"a": 1}, 0) == "m: params are {'a': 1}, want an array"


def test_hex_is_strict_and_the_wanted_size_is_named() -> None:
    assert parse.hex_bytes("x", "") == b""
    assert parse.hex_bytes("x", "00fF") == b"\x00\xff"
    assert parse.hex_bytes("x", "00ff", 2) == b"\x00\xff"
    assert refused(parse.hex_bytes, "x", 7) == "x is 7, want hex text"
    assert refused(parse.hex_bytes, "x", "0") == "x is '0', want an even number of hex digits"
    assert refused(parse.hex_bytes, "x", "00", 2) == "x is '00', want 4 hex digits"
    assert refused(parse.hex_bytes, "x", "000000", 2) == "x is '000000', want 4 hex digits"


def test_numbers_are_eight_big_endian_digits() -> None:
    assert parse.number32("n", "00000102") == 0x102
    assert parse.number32("n", "ffffffff") == 2**32 - 1
    assert "want 8 hex digits" in refused(parse.number32, "n", "0000001")
    assert "want 8 hex digits" in refused(parse.number32, "n", "000000102")


@pytest.mark.parametrize(("text", "size"), [("x", 1), ('"', 2), ("\n", 2), ("✓", 6), ("😀", 12)])
def test_a_text_is_measured_as_json(text: str, size: int) -> None:
    assert parse.short_text("t", text * 20, 20 * size) == text * 20
    assert f"longer than {20 * size - 1} bytes" in refused(
        parse.short_text, "t", text * 20, 20 * size - 1
    )


@pytest.mark.parametrize(
    ("parser", "given"),
    [
        (parse.items, ("m", "y" * 200, 1)), (parse.hex_bytes, ("x", ["y" * 200])),
        (parse.hex_bytes, ("x", "y" * 200)), (parse.short_text, ("t", ["y" * 200], 9)),
        (parse.short_text, ("t", "y" * 200, 9)), (parse.parse_difficulty, (["y" * 200],)),
        (parse.parse_difficulty, ([-(10**200)],)), (parse.parse_configure, ("y" * 200,)),
        (parse.parse_notify, (golden(branch="y" * 200),)),
        (parse.parse_notify, (golden(clean="y" * 200),)),
        (parse.parse_extranonce2_size, ("n", "y" * 200)),
        (parse.parse_reconnect, (["y" * 300],)), (parse.parse_reconnect, (["a", "y" * 200],)),
        (parse.parse_reconnect, (["a", 1, "y" * 200],)),
    ],
)  # fmt: skip
def test_an_error_shows_80_characters_of_a_value(
    parser: Callable[..., object], given: tuple[Any, ...]
) -> None:
    said = refused(parser, *given)
    assert "..." in said
    shown = said[: said.index("...") + 3]
    assert any(shown.endswith(start + "...") for start in ("y" * 75, "0" * 75))
    assert said.count("y") <= 80 and said.count("0") <= 80


# -- mining.set_difficulty ----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("value", "difficulty"),
    [
        (1, 1), (Decimal("0.1"), Fraction(1, 10)), (2**64, 2**64),
        (Decimal("2e80"), 2 * 10**80), (Decimal("2e-80"), Fraction(2, 10**80)),
        (Decimal("9e81"), 10**80), (10**300, 10**80),
        (Decimal("9e-81"), Fraction(1, 10**80)), (Decimal("1e-300"), Fraction(1, 10**80)),
    ],
)  # fmt: skip
def test_a_difficulty_is_exact_up_to_80_powers_of_ten(
    value: object, difficulty: Fraction | int
) -> None:
    assert parse.parse_difficulty([value]) == difficulty


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0 is not above 0"), (-1, "-1 is not above 0"), (Decimal("-0.5"), "-0.5 is not above"),
        (True, "True is not a number"), ("1", "1 is not a number"), (None, "None is not a number"),
    ],
)  # fmt: skip
def test_another_difficulty_is_refused_with_its_value(value: object, words: str) -> None:
    assert words in refused(parse.parse_difficulty, [value])


# -- mining.notify --------------------------------------------------------------------------
def test_a_notify_is_taken_whole() -> None:
    words = [bytes([n, n + 64, n + 128, n + 192]) for n in range(8)]
    swapped = b"".join(word[::-1] for word in words).hex()
    told = parse.parse_notify(golden(prevhash=swapped, branch=["11" * 32, "22" * 32], clean=True))
    assert told.prev_hash == b"".join(words)
    assert told.branch == (b"\x11" * 32, b"\x22" * 32)
    assert (told.job_id, told.version, told.clean) == ("bf", 2, True)
    assert (told.nbits, told.ntime) == (0x1C2AC4AF, 0x504E86B9)
    assert told.network_target == 0x2AC4AF << 8 * 0x19
    assert told.coinbase1.hex() == GOLDEN[2] and told.coinbase2.hex() == GOLDEN[3]


def test_a_notify_has_nine_fields_or_more() -> None:
    assert "8 params, want at least 9" in refused(parse.parse_notify, golden()[:8])
    assert parse.parse_notify([*golden(), "more"]).clean is False


@pytest.mark.parametrize(("nbits", "good"), [("207fffff", True), ("21008000", False)])
def test_no_target_is_easier_than_that_of_any_chain(nbits: str, good: bool) -> None:
    if good:
        assert parse.parse_notify(golden(nbits=nbits)).network_target == 0x7FFFFF << 232
    else:
        assert f"nbits {nbits} is easier" in refused(parse.parse_notify, golden(nbits=nbits))


def test_a_merkle_branch_of_32_is_taken_and_of_33_refused() -> None:
    assert len(parse.parse_notify(golden(branch=["00" * 32] * 32)).branch) == 32
    said = refused(parse.parse_notify, golden(branch=["00" * 32] * 33))
    assert "33 entries, want an array of 0 to 32" in said
    assert "branch is None" in refused(parse.parse_notify, golden(branch=None))


# -- mining.subscribe, mining.set_extranonce -----------------------------------------------------
@pytest.mark.parametrize(
    ("subscriptions", "session"),
    [
        ([["mining.set_difficulty", "a"], ["mining.notify", "b"]], "b"),
        ([["mining.notify", "a"], ["mining.notify", "b"]], "a"),
        (["mining.notify", "flat"], "flat"), (["mining.set_difficulty", "flat"], ""),
        ([["mining.notify", 7], ["mining.notify", "text"]], "text"),
        ([["mining.notify"], ["mining.notify", "later"]], "later"),
        ([["mining.notify", "three", "words"]], "three"),
        (["mining.notify"], ""), (["mining.notify", "not", "flat"], ""),
        ([None, 7, "mining.notify", {}], ""), ([{}, ["mining.notify", "b"]], "b"),
        ([["mining.notify", "a"], "b"], "a"), ([], ""), (None, ""), ("mining.notify", ""), (7, ""),
        ([["mining.notify", "x" * 256]], "x" * 256), ([["mining.notify", "x" * 257]], ""),
        ([["mining.notify", "✓" * 43]], ""),  # 258 bytes as JSON
    ],
    ids=lambda value: repr(value)[:40],
)  # fmt: skip
def test_the_session_id_stands_beside_mining_notify(subscriptions: Any, session: str) -> None:
    told = parse.parse_subscription([subscriptions, "08000002", 4])
    assert told == Subscription(session, bytes.fromhex("08000002"), 4)


def test_a_subscription_has_three_fields() -> None:
    assert "2 params, want at least 3" in refused(parse.parse_subscription, [[], "00"])
    assert parse.parse_subscription([[], "00", 4, "more"]).extranonce2_size == 4


@pytest.mark.parametrize("size", [0, 1, 31, 32])
def test_extranonces_have_0_to_32_bytes(size: int) -> None:
    assert parse.parse_extranonce2_size("m", size) == size
    assert parse.parse_extranonce1("m", "ab" * size) == b"\xab" * size


@pytest.mark.parametrize("size", [-1, 33, 2**63, True, 4.0, "4", None])
def test_another_extranonce2_size_is_refused_with_its_value(size: object) -> None:
    said = refused(parse.parse_extranonce2_size, "m", size)
    assert said == f"m: extranonce2 size is {size}, want 0 to 32"


def test_an_extranonce1_of_33_bytes_is_refused() -> None:
    assert refused(parse.parse_extranonce1, "m", "ab" * 33) == (
        "m: extranonce1 has 33 bytes, want <= 32"
    )


@pytest.mark.parametrize(
    ("params", "told"),
    [
        (["ab"], (b"\xab", None)), (["ab", None], (b"\xab", None)), (["ab", 8], (b"\xab", 8)),
        ([None, 8], (None, 8)), ([None], (None, None)), (["", 0, "more"], (b"", 0)),
    ],
)  # fmt: skip
def test_set_extranonce_may_change_either_part(params: Any, told: Any) -> None:
    assert parse.parse_set_extranonce(params) == told


def test_set_extranonce_wants_something() -> None:
    assert "0 params, want at least 1" in refused(parse.parse_set_extranonce, [])


# -- version masks and mining.configure -----------------------------------------------------------
@pytest.mark.parametrize(
    ("given", "mask"),
    [("1fffe000", 0x1FFFE000), ("2000", 0x2000), ("0", 0), ("ffffffff", 0xFFFFFFFF)],
)
def test_a_mask_may_lack_leading_zeros(given: str, mask: int) -> None:
    assert parse.parse_mask("m", given) == mask
    assert parse.parse_set_version_mask([given]) == parse.parse_set_version_mask(given) == mask
    assert parse.parse_set_version_mask([given, "more"]) == mask


@pytest.mark.parametrize("given", ["", "01fffe000", "xyz", "-1", " 2000", 0x2000, None, ["2000"]])
def test_another_mask_is_refused(given: object) -> None:
    assert "version mask is" in refused(parse.parse_set_version_mask, [given])


def test_set_version_mask_wants_a_mask() -> None:
    assert "0 params, want at least 1" in refused(parse.parse_set_version_mask, [])


def test_configure_tells_what_is_granted_and_what_refused() -> None:
    granted = {"version-rolling": True, "version-rolling.mask": "2000", "info": True}
    assert parse.parse_configure(granted) == (0x2000, ())
    assert parse.parse_configure({}) == (None, ())
    assert parse.parse_configure({"version-rolling": False}) == (None, ("version-rolling: False",))
    told = parse.parse_configure(
        {"version-rolling": "no", "version-rolling.mask": "2000", "info": None, "x.y": False}
    )
    assert told == (None, ("version-rolling: no", "info: None"))
    assert "version mask is None" in refused(parse.parse_configure, {"version-rolling": True})


def test_configure_names_at_most_16_refusals_and_cuts_each() -> None:
    _, refusals = parse.parse_configure({f"{n}" + "n" * 60: "v" * 120 for n in range(20)})
    assert len(refusals) == 16
    assert refusals[0] == "0" + "n" * 36 + "...: " + "v" * 77 + "..."


# -- client.reconnect ------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("params", "told"),
    [
        (["h" * 253], Redirect("h" * 253, None, 0.0)), (["a", 1], Redirect("a", 1, 0.0)),
        (["a", 65535], Redirect("a", 65535, 0.0)), (["a", "00080"], Redirect("a", 80, 0.0)),
        (["a", ""], Redirect("a", None, 0.0)), (["a", 1, ""], Redirect("a", 1, 0.0)),
        (["a", 1, 0], Redirect("a", 1, 0.0)), (["a", 1, "0"], Redirect("a", 1, 0.0)),
        (["a", 1, Decimal("0.5")], Redirect("a", 1, 0.5)),
        (["a", 1, 299], Redirect("a", 1, 299.0)), (["a", 1, 301], Redirect("a", 1, 300.0)),
        (["a", 1, "9" * 20], Redirect("a", 1, 300.0)), (["a", 1, 2, 3], Redirect("a", 1, 2.0)),
    ],
    ids=lambda value: repr(value)[:40],
)  # fmt: skip
def test_a_reconnect_is_taken_up_to_its_bounds(params: Any, told: Redirect) -> None:
    assert parse.parse_reconnect(params) == told


@pytest.mark.parametrize(
    ("params", "words"),
    [
        (["h" * 254], "want a host name"), (["a b"], "host is a b"), ([7], "host is 7"),
        (["a", 0], "port is 0, want 1 to 65535"), (["a", 65536], "port is 65536"),
        (["a", "0"], "port is 0"), (["a", "000080"], "port is 000080"), (["a", "8o"], "port is 8o"),
        (["a", True], "port is True"), (["a", 1, -1], "wait is -1, want seconds"),
        (["a", 1, "9" * 21], "wait is 999"), (["a", 1, "x"], "wait is x"),
        (["a", 1, True], "wait is True"), (["a", 1, "-1"], "wait is -1"),
    ],
    ids=lambda value: repr(value)[:40],
)  # fmt: skip
def test_a_reconnect_beyond_its_bounds_is_refused_by_value(params: Any, words: str) -> None:
    assert words in refused(parse.parse_reconnect, params)
