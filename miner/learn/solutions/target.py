"""One way to solve exercise target."""


def target(nbits: int) -> int:
    exponent = nbits >> 24
    digits = nbits & 0xFFFFFF
    if exponent >= 3:
        return digits << 8 * (exponent - 3)
    return digits >> 8 * (3 - exponent)
