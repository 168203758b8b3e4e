"""Addresses of every kind: base58check, bech32 (BIP 173) and bech32m (BIP 350) to scripts.

`chain` is Bitcoin Core's name: main, test, testnet4, signet, regtest.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from miner.bitcoin.encoding import sha256d

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
BECH32_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
BECH32_CONSTANT, BECH32M_CONSTANT = 1, 0x2BC830A3
MAX_ADDRESS = 90  # characters, BIP 173

TEST_CHAINS = ("test", "testnet4", "signet")  # they share every prefix
CHAINS = ("main", *TEST_CHAINS, "regtest")
P2PKH_PREFIX = {0: ("main",), 111: (*TEST_CHAINS, "regtest")}
P2SH_PREFIX = {5: ("main",), 196: (*TEST_CHAINS, "regtest")}
HRP = {"bc": ("main",), "tb": TEST_CHAINS, "bcrt": ("regtest",)}


class AddressError(ValueError):
    """The text is no address; the message says why."""


class WrongChain(AddressError):
    """A well-formed address of another chain."""


@dataclass(frozen=True, slots=True)
class Address:
    """A decoded address."""

    text: str
    kind: str  # p2pkh, p2sh, p2wpkh, p2wsh, p2tr, or "witness vN"
    chains: tuple[str, ...]  # chains on which this text is valid
    script: bytes  # the output script it stands for


def script_from_address(text: str, chain: str) -> bytes:
    """The output script of an address on `chain`.

    Raises AddressError when malformed, WrongChain when it belongs to another chain.
    """
    address = decode(text)
    if chain not in address.chains:
        raise WrongChain(
            f"address {text} is for {' or '.join(address.chains)}, but the chain is {chain}"
        )
    return address.script


def decode(text: str) -> Address:
    """Decode any kind; raises AddressError with the reason."""
    if not text or len(text) > MAX_ADDRESS:
        raise AddressError(f"address of {len(text)} characters: want 1 to {MAX_ADDRESS}")
    if not text.isascii() or not text.isalnum():
        raise AddressError(f"address {text!r} has characters no address has")
    if text.lower().rpartition("1")[0] in HRP:
        return _decode_segwit(text)
    return _decode_base58(text)


def _decode_base58(text: str) -> Address:
    payload = base58check_decode(text)
    if len(payload) != 21:
        raise AddressError(f"address {text}: {len(payload)} bytes inside, want 21")
    prefix, program = payload[0], payload[1:]
    if prefix in P2PKH_PREFIX:
        script = b"\x76\xa9\x14" + program + b"\x88\xac"
        return Address(text, "p2pkh", P2PKH_PREFIX[prefix], script)
    if prefix in P2SH_PREFIX:
        return Address(text, "p2sh", P2SH_PREFIX[prefix], b"\xa9\x14" + program + b"\x87")
    raise AddressError(f"address {text}: prefix {prefix} is of no Bitcoin network")


def base58check_decode(text: str) -> bytes:
    """The bytes before the four checksum bytes. Raises AddressError."""
    number = 0
    for character in text:
        digit = BASE58.find(character)
        if digit < 0:
            raise AddressError(f"address {text}: {character!r} is not base58, nor is it bech32")
        number = number * 58 + digit
    zeros = len(text) - len(text.lstrip("1"))
    data = bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
    if len(data) < 5 or sha256d(data[:-4])[:4] != data[-4:]:
        raise AddressError(f"address {text}: checksum does not match, a character is mistyped")
    return data[:-4]


def base58check_encode(payload: bytes) -> str:
    """The inverse of base58check_decode."""
    data = payload + sha256d(payload)[:4]
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = BASE58[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def _polymod(values: Iterable[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(BECH32_GENERATOR):
            check ^= generator if top >> bit & 1 else 0
    return check


def _expand_hrp(hrp: str) -> list[int]:
    return [ord(c) >> 5 for c in hrp] + [0] + [ord(c) & 31 for c in hrp]


def _decode_segwit(text: str) -> Address:
    if text not in (text.lower(), text.upper()):
        raise AddressError(f"address {text} mixes upper and lower case")
    hrp, _, data_text = text.lower().rpartition("1")
    values = [BECH32.find(character) for character in data_text]
    if -1 in values:
        raise AddressError(f"address {text}: {data_text[values.index(-1)]!r} is not bech32")
    if len(values) < 8:
        raise AddressError(f"address {text} is too short")
    constant, version = _polymod(_expand_hrp(hrp) + values), values[0]
    if constant not in (BECH32_CONSTANT, BECH32M_CONSTANT):
        raise AddressError(f"address {text}: checksum does not match, a character is mistyped")
    if constant != (BECH32M_CONSTANT if version else BECH32_CONSTANT):
        want = "bech32m" if version else "bech32"
        raise AddressError(f"address {text}: witness version {version} needs {want}'s checksum")
    program = _regroup(values[1:-6], text)
    return Address(text, _witness_kind(version, program, text), HRP[hrp], _script(version, program))


def _regroup(values: list[int], text: str) -> bytes:
    """Five-bit groups to bytes; at most four zero bits of padding (BIP 173)."""
    number = 0
    for value in values:
        number = number << 5 | value
    size, spare = divmod(5 * len(values), 8)
    if spare > 4 or number & (1 << spare) - 1:
        raise AddressError(f"address {text}: padding is not zero or too long")
    return (number >> spare).to_bytes(size, "big")


def _witness_kind(version: int, program: bytes, text: str) -> str:
    kinds = {(0, 20): "p2wpkh", (0, 32): "p2wsh", (1, 32): "p2tr"}
    kind = kinds.get((version, len(program)))
    if kind:
        return kind
    if version == 0 or version > 16 or not 2 <= len(program) <= 40:
        raise AddressError(f"address {text}: witness v{version} of {len(program)} bytes is invalid")
    raise AddressError(
        f"address {text}: witness v{version} of {len(program)} bytes has no spending rules yet, "
        "anyone could take the coins"
    )


def _script(version: int, program: bytes) -> bytes:
    return bytes([0x50 + version if version else 0, len(program)]) + program


def encode_segwit(hrp: str, version: int, program: bytes) -> str:
    """The bech32 (version 0) or bech32m address of a witness program."""
    number, bits = int.from_bytes(program, "big"), 8 * len(program)
    groups = -(-bits // 5)
    number <<= 5 * groups - bits
    values = [version] + [number >> 5 * (groups - 1 - i) & 31 for i in range(groups)]
    constant = BECH32M_CONSTANT if version else BECH32_CONSTANT
    check = _polymod(_expand_hrp(hrp) + values + [0] * 6) ^ constant
    values += [check >> 5 * (5 - i) & 31 for i in range(6)]
    return hrp + "1" + "".join(BECH32[value] for value in values)


def hrp_of(chain: str) -> str:
    """The bech32 prefix of a chain."""
    return next(hrp for hrp, chains in HRP.items() if chain in chains)


def p2wsh_address(script: bytes, chain: str) -> str:
    """The address that pays to a witness script."""
    return encode_segwit(hrp_of(chain), 0, hashlib.sha256(script).digest())


def describe(script: bytes, chain: str) -> str:
    """The address of an output script on `chain`, or its hex when it has none."""
    if len(script) == 25 and script[:3] == b"\x76\xa9\x14" and script[23:] == b"\x88\xac":
        return base58check_encode(bytes([0 if chain == "main" else 111]) + script[3:23])
    if len(script) == 23 and script[:2] == b"\xa9\x14" and script[22:] == b"\x87":
        return base58check_encode(bytes([5 if chain == "main" else 196]) + script[2:22])
    if 4 <= len(script) <= 42 and script[1] == len(script) - 2:
        if script[0] == 0 and len(script) in (22, 34):
            return encode_segwit(hrp_of(chain), 0, script[2:])
        if 0x51 <= script[0] <= 0x60:  # OP_1 .. OP_16
            return encode_segwit(hrp_of(chain), script[0] - 0x50, script[2:])
    return script.hex()
