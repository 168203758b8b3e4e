"""Messages as bytes: recorded ones, round trips of all, and what is cut or out of range."""

import math
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miner.errors import LocalProtocolError, RemoteProtocolError
from miner.protocol.sv2 import messages, wire
from miner.protocol.sv2.frames import Frame
from miner.protocol.sv2.messages import CODECS, KNOWN, Message, encode, parse
from tests.unit.protocol.sv2.vectors import VECTORS

OURS = {  # the recorder's names where ours differ
    "requested_extensions": "wanted",
    "supported_extensions": "supported",
    "coinbase_output_max_additional_size": "max_additional_size",
    "coinbase_output_max_additional_sigops": "max_additional_sigops",
    "transaction_list": "transactions",
}
RECORDED = [
    row
    for name, session in VECTORS["transcripts"].items()
    if name != "source"
    for row in (session["messages"] if isinstance(session, dict) else session)
]


def comparable(value: Any) -> Any:
    """Ours as the recorder wrote it: hex for bytes and for targets."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        return [comparable(item) for item in value]
    return value


@pytest.mark.parametrize("row", RECORDED, ids=lambda row: f"{row['from']}-{row['name']}")
def test_recorded_messages(row: dict[str, Any]) -> None:
    payload, extension = bytes.fromhex(row["payload"]), row["extension_type"]
    frame = Frame(extension & 0x7FFF, row["msg_type"], payload, bool(extension & 0x8000))
    message = parse(frame)
    assert message is not None
    ours = {field.name: getattr(message, field.name) for field in fields(message)}
    for name, wanted in row["fields"].items():
        value = ours[OURS.get(name, name)]
        if isinstance(wanted, str) and isinstance(value, int):
            value = value.to_bytes(32, "little")
        assert comparable(value) == wanted, name
    again = encode(message)
    assert payload.startswith(again.payload)
    extra = payload[len(again.payload) :]
    assert extra in (b"", messages.worker_field("w1"))
    assert encode(message, extra) == frame


@pytest.mark.parametrize("row", VECTORS["messages"]["rows"], ids=lambda row: row["name"])
def test_the_template_providers_own_vectors(row: dict[str, Any]) -> None:
    payload = bytes.fromhex(row["payload"])
    frame = Frame(0, row["msg_type"], payload)
    if row["name"] == "SubmitSolution":  # it announces 93 bytes and carries 116
        message = parse(frame)
        assert isinstance(message, messages.SubmitSolution) and len(message.coinbase_tx) == 93
        return
    parsed = parse(frame)
    assert parsed is not None
    assert encode(parsed).payload == payload
    if "header" in row:
        header = bytes(2) + bytes([row["msg_type"]]) + len(payload).to_bytes(3, "little")
        assert header.hex() == row["header"]


@pytest.mark.parametrize("row", VECTORS["tlv"]["rows"], ids=lambda row: row["value"])
def test_fields_of_the_worker_extension(row: dict[str, Any]) -> None:
    assert messages.worker_field(bytes.fromhex(row["value"]).decode()).hex() == row["bytes"]


def test_a_long_device_name_is_cut_between_characters() -> None:
    field = messages.worker_field("ä" * 40)
    assert field[5:].decode() == "ä" * 16
    assert messages.worker_field("x" + "ä" * 40)[5:].decode() == "x" + "ä" * 15


def values_of(codec: wire.Codec) -> st.SearchStrategy[Any]:
    """Values this codec can write."""
    ints = {wire.U8: 8, wire.U16: 16, wire.U32: 32, wire.U64: 64, wire.U256: 256}
    if codec in ints:
        return st.integers(0, 2 ** ints[codec] - 1)
    plain: dict[wire.Codec, st.SearchStrategy[Any]] = {
        wire.HASH: st.binary(min_size=32, max_size=32),
        wire.BOOL: st.booleans(),
        wire.F32: st.floats(0, wire.MAX_FLOAT32, width=32),
        wire.STR: st.text(max_size=60),
        wire.B0_32: st.binary(max_size=32),
        wire.B0_255: st.binary(max_size=255),
        wire.B0_64K: st.binary(max_size=400),
    }
    return plain[codec]


SHAPES: dict[str, st.SearchStrategy[Any]] = {
    "min_ntime": st.none() | st.integers(0, 2**32 - 1),
    "merkle_path": st.lists(st.binary(min_size=32, max_size=32), max_size=5).map(tuple),
    "channel_ids": st.lists(st.integers(0, 2**32 - 1), max_size=5).map(tuple),
    "transactions": st.lists(st.binary(max_size=50), max_size=5).map(tuple),
}
U16_LISTS = st.lists(st.integers(0, 2**16 - 1), max_size=5).map(tuple)


@st.composite
def any_message(draw: st.DrawFn) -> Message:
    kind = draw(st.sampled_from(sorted(KNOWN.values(), key=lambda kind: kind.__name__)))
    values = []
    for name, codec in CODECS[kind]:
        if name in ("wanted", "supported", "unsupported", "required"):
            values.append(draw(U16_LISTS))
        elif name in SHAPES and not (name == "min_ntime" and codec is wire.U32):
            values.append(draw(SHAPES[name]))
        else:
            values.append(draw(values_of(codec)))
    return kind(*values)


@given(any_message(), st.binary(max_size=10))
def test_round_trip_of_every_message(message: Message, extra: bytes) -> None:
    frame = encode(message, extra)
    assert parse(frame) == message
    assert frame.channel is type(message).KIND.channel


@given(any_message(), st.integers(1, 50))
def test_cut_messages_name_a_field(message: Message, missing: int) -> None:
    frame = encode(message)
    short = frame._replace(payload=frame.payload[: max(len(frame.payload) - missing, 0)])
    with pytest.raises(RemoteProtocolError, match=f"{type(message).__name__}: "):
        parse(short)


@given(st.integers(0, 3), st.integers(0, 255), st.binary(max_size=300), st.booleans())
def test_junk_is_refused_or_read_never_worse(
    extension: int, number: int, payload: bytes, channel: bool
) -> None:
    try:
        message = parse(Frame(extension, number, payload, channel))
    except RemoteProtocolError:
        return
    assert (message is None) == ((extension, number) not in KNOWN)


@pytest.mark.parametrize("raw", ["0000c07f", "0000807f", "000080ff", "000080bf", "010080ff"])
def test_rates_that_are_no_rates(raw: str) -> None:
    reader = wire.Reader(bytes.fromhex(raw))
    with pytest.raises(RemoteProtocolError, match="want a number that is finite"):
        wire.F32.read(reader)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1.0])
def test_no_such_rate_is_sent(value: float) -> None:
    with pytest.raises(LocalProtocolError):
        wire.F32.write(value)


def test_a_rate_beyond_32_bits_is_sent_as_the_largest() -> None:
    assert wire.F32.write(1e300) == bytes.fromhex("ffff7f7f")


@pytest.mark.parametrize(
    ("codec", "raw", "what"),
    [
        (wire.B0_32, "21" + "00" * 33, "33 bytes, at most 32"),
        (wire.optional(wire.U32), "02" + "00" * 4, "marked 2"),
        (wire.optional(wire.U32), "01" + "00" * 3, "wants 4 bytes, 3 are left"),
        (wire.B0_16M, "ffffff00", "wants 16777215 bytes, 1 are left"),
        (wire.sequence(2, wire.HASH), "ffff" + "00" * 31, "wants 32 bytes, 31 are left"),
    ],
)
def test_bounds_of_types(codec: wire.Codec, raw: str, what: str) -> None:
    with pytest.raises(RemoteProtocolError, match=what):
        codec.read(wire.Reader(bytes.fromhex(raw)))


@pytest.mark.parametrize(
    ("codec", "value"),
    [
        (wire.U8, 256), (wire.U32, -1), (wire.U256, 2**256), (wire.HASH, bytes(31)),
        (wire.B0_32, bytes(33)), (wire.STR, "x" * 256), (wire.sequence(1, wire.U8), (0,) * 256),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_never_sent(codec: wire.Codec, value: Any) -> None:
    with pytest.raises(LocalProtocolError):
        codec.write(value)


def test_bool_reads_its_lowest_bit_alone() -> None:
    assert [wire.BOOL.read(wire.Reader(bytes([raw]))) for raw in (0, 1, 2, 0xFF)] == [
        False, True, False, True,
    ]  # fmt: skip
