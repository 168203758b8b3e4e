"""Version rolling: which header versions a job may be mined with.

BIP 320 (draft) gives miners bits 13..28; BIP 323 (draft, 2026) would widen that to 5..28.
"""

BIP320_MASK = 0x1FFFE000
TOP_BITS = 0xE0000000  # BIP 9's fixed prefix: never rolled


def effective_mask(granted: int, configured: int, version: int) -> int:
    """Bits we may add to `version`: granted and configured, not the top three, not set already."""
    return granted & configured & ~TOP_BITS & ~version & 0xFFFFFFFF


def count(mask: int) -> int:
    """How many versions a mask gives, the unrolled one included."""
    return 1 << mask.bit_count()


def spread(index: int, mask: int) -> int:
    """Deposit the low bits of `index` into the bits of `mask`, lowest first; keeps order."""
    bits = 0
    while mask:
        lowest = mask & -mask
        if index & 1:
            bits |= lowest
        index >>= 1
        mask ^= lowest
    return bits


def versions_at(version: int, mask: int, start: int, wants: int) -> tuple[int, ...]:
    """`wants` rolled versions from position `start` of the ascending list, fewer at its end."""
    end = min(start + wants, count(mask))
    return tuple(version | spread(index, mask) for index in range(start, end))


def version_bits(version: int, granted: int) -> int:
    """What a submit carries: header version and granted mask (BIP 310)."""
    return version & granted
