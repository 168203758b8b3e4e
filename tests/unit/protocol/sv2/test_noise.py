"""The handshake: six recorded from the reference implementation, and everything it must refuse."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from miner.protocol.sv2 import noise
from miner.protocol.sv2.crypto import KeyPair, new_key
from miner.protocol.sv2.frames import Frame, FrameReader, seal
from miner.protocol.sv2.noise import (
    CertificateNotValid,
    HandshakeRefused,
    Initiator,
    WrongAuthority,
    hkdf2,
)
from tests.fakes import sv2_noise
from tests.unit.protocol.sv2.vectors import VECTORS, unhex

ORDER = 2**256 - 0x14551231950B75FC4402DA1732FC9BEBF  # of the curve
CASES: list[dict[str, Any]] = VECTORS["noise_nx"]["cases"]


def initiator(case: dict[str, Any], authority: bytes | None = None) -> Initiator:
    secret, act1, pinned = unhex(case, "initiator_ephemeral_secret", "act1", "authority_xonly")
    return Initiator(KeyPair(secret, act1), pinned if authority is None else authority)


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_a_recorded_handshake_both_ways(case: dict[str, Any]) -> None:
    act1, act2 = unhex(case, "act1", "act2")
    client = initiator(case)
    assert client.act1 == act1
    done = client.finish(act2, case["now"])
    assert done.static_x.hex() == case["responder_static_xonly"]
    assert done.certificate.signed_hash(done.static_x).hex() == case["certificate_signed_hash"]
    for row in case["transport"]:
        plain, sealed = unhex(row, "plain", "cipher")
        if row["from"] == "initiator":
            assert done.sending.nonce == row["n"]
            assert done.sending.encrypt(plain) == sealed
        else:
            assert done.receiving.nonce == row["n"]
            assert done.receiving.decrypt(sealed) == plain


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_our_own_server_answers_as_the_recorded_one(case: dict[str, Any]) -> None:
    """The double of later tests is judged by the same recordings."""
    act1, act2, signed, static = unhex(
        case, "act1", "act2", "certificate", "responder_static_ellswift"
    )
    secret, static_secret = unhex(case, "responder_ephemeral_secret", "responder_static_secret")
    answer, from_client, to_client = sv2_noise.respond(
        act1,
        sv2_noise.Key(secret, act2[:64]),
        sv2_noise.Key(static_secret, static),
        signed,
    )
    assert answer == act2
    assert from_client.key.hex() == case["initiator_to_responder_key"]
    assert to_client.key.hex() == case["responder_to_initiator_key"]


@pytest.mark.parametrize("early", [True, False])
def test_the_certificates_time_to_the_second(early: bool) -> None:
    case = CASES[0]
    (act2,) = unhex(case, "act2")
    good, bad = (-10, -11) if early else (3610, 3611)
    initiator(case).finish(act2, case["now"] + good)
    with pytest.raises(CertificateNotValid) as caught:
        initiator(case).finish(act2, case["now"] + bad)
    assert caught.value.off_by_s == (11 if early else -11)
    assert "11 s" in str(caught.value)


def test_a_clock_far_behind_is_named() -> None:
    case = CASES[0]
    with pytest.raises(CertificateNotValid, match="your clock is 47 s behind the certificate's"):
        initiator(case).finish(bytes.fromhex(case["act2"]), case["now"] - 47)


def test_another_authority_is_refused() -> None:
    case, other = CASES[0], bytes.fromhex(CASES[1]["authority_xonly"])
    assert other.hex() != case["authority_xonly"]
    for wrong in (other, bytes(32), b"\xff" * 32):
        with pytest.raises(WrongAuthority, match="this server is not signed by that key"):
            initiator(case, wrong).finish(bytes.fromhex(case["act2"]), case["now"])


def test_without_a_key_anybody_is_taken() -> None:
    case = CASES[0]
    secret, act1, act2 = unhex(case, "initiator_ephemeral_secret", "act1", "act2")
    done = Initiator(KeyPair(secret, act1), None).finish(act2, 0)
    assert done.static_x.hex() == case["responder_static_xonly"]


def test_every_bit_of_the_answer_matters() -> None:
    case = CASES[0]
    act2 = bytes.fromhex(case["act2"])
    for place in range(len(act2)):
        for bit in (0x01, 0x80):
            changed = bytearray(act2)
            changed[place] ^= bit
            with pytest.raises(HandshakeRefused):
                initiator(case).finish(bytes(changed), case["now"])


@pytest.mark.parametrize("size", [0, 1, 64, 144, 233, 235, 1000])
def test_an_answer_of_another_length(size: int) -> None:
    with pytest.raises(HandshakeRefused, match=f"{size} bytes, want 234"):
        initiator(CASES[0]).finish(bytes(size), 0)


@pytest.mark.parametrize("version", [1, 0xFFFF])
def test_another_version_of_certificates(version: int) -> None:
    authority = b"\x07" * 32
    client = Initiator(new_key(bytes(range(64))), sv2_noise.authority_x(authority))
    static = sv2_noise.Key()
    signed = sv2_noise.certificate(authority, static.public, 0, 2**32 - 1, version)
    act2, _, _ = sv2_noise.respond(client.act1, sv2_noise.Key(), static, signed)
    with pytest.raises(HandshakeRefused, match=f"version {version}, want 0"):
        client.finish(act2, 1_790_000_000)


def test_a_certificate_for_another_servers_key() -> None:
    authority = b"\x07" * 32
    client = Initiator(new_key(bytes(range(64))), sv2_noise.authority_x(authority))
    signed = sv2_noise.certificate(authority, sv2_noise.Key().public, 0, 2**32 - 1)
    act2, _, _ = sv2_noise.respond(client.act1, sv2_noise.Key(), sv2_noise.Key(), signed)
    with pytest.raises(WrongAuthority):
        client.finish(act2, 1_790_000_000)


@given(st.binary(min_size=64, max_size=64), st.binary(max_size=3000))
def test_fresh_handshakes_carry_frames(random: bytes, payload: bytes) -> None:
    authority, static = b"\x07" * 32, sv2_noise.Key()
    assume(0 < int.from_bytes(random[:32], "big") < ORDER)  # else no secret key
    client = Initiator(new_key(random), sv2_noise.authority_x(authority))
    signed = sv2_noise.certificate(authority, static.public, 1000, 2000)
    act2, from_client, to_client = sv2_noise.respond(client.act1, sv2_noise.Key(), static, signed)
    done = client.finish(act2, 1500)
    frame = Frame(0, 0x55, payload + b"x", channel=True)
    assert from_client.open_frames(seal(done.sending, frame)) == [(b"\0\x80\x55", payload + b"x")]
    sealed = to_client.seal_frame(b"\0\x80\x55", payload + b"x")
    assert FrameReader(done.receiving).feed(sealed) == [frame]


def test_hkdf_starts_from_the_name() -> None:
    row = VECTORS["protocol_name"]
    assert noise.PROTOCOL_NAME.decode() == row["name"]
    first, second = hkdf2(bytes.fromhex(row["sha256"]), b"")
    assert len(first) == len(second) == 32 and first != second


@pytest.mark.parametrize(
    ("received", "word"),
    [
        (b'{"id":null,"method":"mining.notify"}\n', "Stratum v1 port"),
        (b"HTTP/1.1 400 Bad Request\r\n", "speaks HTTP"),
        (b"<html>", "speaks HTTP"),
        (b"", "hung up"),
        (b"\x01\x02", "after 2 of 234 bytes"),
        (bytes(234), "cannot be decrypted"),
    ],
)
def test_what_a_wrong_port_is_called(received: bytes, word: str) -> None:
    assert word in noise.no_answer_text(received)


def test_certificates_are_compared_by_every_field() -> None:
    case = CASES[0]
    certificate = noise.Certificate.parse(bytes.fromhex(case["certificate"]))
    x = bytes.fromhex(case["responder_static_xonly"])
    authority = bytes.fromhex(case["authority_xonly"])
    certificate.check(x, authority, case["now"])
    for changed in (
        replace(certificate, valid_from=certificate.valid_from - 1),
        replace(certificate, not_valid_after=certificate.not_valid_after + 1),
        replace(certificate, signature=bytes(64)),
    ):
        with pytest.raises(WrongAuthority):
            changed.check(x, authority, case["now"])
