"""One way to solve exercise header."""


def parse_header(raw: bytes) -> dict[str, int | str]:
    def number(start: int) -> int:
        return int.from_bytes(raw[start : start + 4], "little")

    def hash_hex(start: int) -> str:
        return raw[start : start + 32][::-1].hex()

    return {
        "version": number(0),
        "previous": hash_hex(4),
        "merkle_root": hash_hex(36),
        "time": number(68),
        "nbits": number(72),
        "nonce": number(76),
    }
