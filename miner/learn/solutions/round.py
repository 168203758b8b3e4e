"""One way to solve exercise round."""

MASK = 0xFFFFFFFF


def rotr(word: int, bits: int) -> int:
    return (word >> bits | word << 32 - bits) & MASK


def sha_round(state: list[int], k: int, w: int) -> list[int]:
    a, b, c, d, e, f, g, h = state
    choose = (e & f) ^ (~e & g)
    majority = (a & b) ^ (a & c) ^ (b & c)
    t1 = h + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + choose + k + w
    t2 = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + majority
    return [(t1 + t2) & MASK, a, b, c, (d + t1) & MASK, e, f, g]
