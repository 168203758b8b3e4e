"""Encrypted frames: lengths, cuts, caps, and every bit changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miner.errors import LocalProtocolError, RemoteProtocolError
from miner.protocol.sv2.crypto import Cipher
from miner.protocol.sv2.frames import (
    MAX_PAYLOAD,
    MINING_CAP,
    Frame,
    FrameReader,
    seal,
    sealed_length,
)
from tests.fakes.sv2_noise import Box
from tests.unit.protocol.sv2.vectors import VECTORS

KEY = bytes(range(32))
LENGTHS = VECTORS["frame_lengths"]["plain_to_cipher_payload"]


def test_lengths_of_the_specification() -> None:
    assert {str(plain): sealed_length(int(plain)) for plain in LENGTHS} == LENGTHS


@pytest.mark.parametrize("size", [1, 100, 65518, 65519, 65520, 131038, 131039, 200_000])
def test_blocks_of_large_payloads(size: int) -> None:
    payload = bytes(size)
    sealed = seal(Cipher(KEY), Frame(1, 2, payload))
    assert len(sealed) == 22 + sealed_length(size)
    assert sealed == Box(KEY).seal_frame(b"\x01\x00\x02", payload)
    assert FrameReader(Cipher(KEY)).feed(sealed) == [Frame(1, 2, payload)]


@given(
    st.lists(
        st.builds(
            Frame,
            st.integers(0, 0x7FFF),
            st.integers(0, 255),
            st.binary(min_size=1, max_size=200),
            st.booleans(),
        ),
        max_size=5,
    ),
    st.lists(st.integers(1, 60), min_size=1, max_size=20),
)
def test_cut_anywhere_the_frames_are_the_same(frames: list[Frame], cuts: list[int]) -> None:
    cipher = Cipher(KEY)
    data = b"".join(seal(cipher, frame) for frame in frames)
    reader, found, step = FrameReader(Cipher(KEY)), [], 0
    while data:
        size = cuts[step % len(cuts)]
        found += reader.feed(data[:size])
        data, step = data[size:], step + 1
    assert found == frames


def test_byte_by_byte() -> None:
    frame = Frame(0, 0x20, b"prev hash", channel=True)
    sealed = seal(Cipher(KEY), frame)
    reader = FrameReader(Cipher(KEY))
    found = [reader.feed(sealed[at : at + 1]) for at in range(len(sealed))]
    assert found == [[]] * (len(sealed) - 1) + [[frame]]


def test_every_changed_bit_is_noticed() -> None:
    sealed = seal(Cipher(KEY), Frame(0, 1, b"payload"))
    for place in range(len(sealed)):
        for bit in range(8):
            changed = bytearray(sealed)
            changed[place] ^= 1 << bit
            with pytest.raises(RemoteProtocolError, match="cannot be decrypted"):
                FrameReader(Cipher(KEY)).feed(bytes(changed))


def test_frames_out_of_order_are_refused() -> None:
    cipher = Cipher(KEY)
    seal(cipher, Frame(0, 1, b"one"))
    second = seal(cipher, Frame(0, 1, b"two"))
    with pytest.raises(RemoteProtocolError, match="lost step"):
        FrameReader(Cipher(KEY)).feed(second)


@pytest.mark.parametrize("cap", [MINING_CAP, 100])
def test_a_length_beyond_the_cap_is_refused_at_its_header(cap: int) -> None:
    header = bytes(3) + (cap + 1).to_bytes(3, "little")
    with pytest.raises(RemoteProtocolError, match=f"{cap + 1} bytes, at most {cap}"):
        FrameReader(Cipher(KEY), cap).feed(Cipher(KEY).encrypt(header))
    assert FrameReader(Cipher(KEY), cap).feed(seal(Cipher(KEY), Frame(0, 1, bytes(cap))))


def test_an_empty_frame_can_be_read_but_is_never_sent() -> None:
    sealed = Box(KEY).seal_frame(b"\x00\x00\x04", b"")
    assert FrameReader(Cipher(KEY)).feed(sealed) == [Frame(0, 4, b"")]
    for size in (0, MAX_PAYLOAD + 1):
        with pytest.raises(LocalProtocolError, match=f"{size} bytes"):
            seal(Cipher(KEY), Frame(0, 4, bytes(size)))
