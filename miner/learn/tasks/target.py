"""The target that nbits stands for."""

from miner.bitcoin.header import Header
from miner.bitcoin.target import EASIEST_NBITS, target_from_nbits
from miner.learn.chain import FAMOUS, by_height, real_headers
from miner.learn.task import Case, Task, cases


def unshortened(nbits: int) -> int:
    return (nbits & 0xFFFFFF) << 8 * (nbits >> 24)


def bits(nbits: int) -> int:
    return (nbits & 0xFFFFFF) << (nbits >> 24) - 3


def off_by_one(nbits: int) -> int:
    return (nbits & 0xFFFFFF) << 8 * ((nbits >> 24) - 2)


def unmasked(nbits: int) -> int:
    return nbits << 8 * ((nbits >> 24) - 3)


def decimal(nbits: int) -> int:
    return int((nbits & 0xFFFFFF) * 10 ** ((nbits >> 24) - 3))


def reversed_bytes(nbits: int) -> int:
    return target_from_nbits(int.from_bytes(nbits.to_bytes(4, "little"), "big"))


def floating(nbits: int) -> float:
    return float((nbits & 0xFFFFFF) * 256.0 ** ((nbits >> 24) - 3))


def whole_float(nbits: int) -> int:
    """The rounding of floats shows only where more than 53 bits are divided."""
    exponent, digits = nbits >> 24, nbits & 0xFFFFFF
    whole: int = 256 ** abs(exponent - 3)
    return digits * whole if exponent >= 3 else round(digits / whole)


def negative_shift(nbits: int) -> int:
    return (nbits & 0xFFFFFF) << 8 * ((nbits >> 24) - 3)


def made() -> tuple[Case, ...]:
    newest = Header.parse(by_height(max(real_headers()))).nbits
    return cases(
        target_from_nbits,
        first=(EASIEST_NBITS["main"],),
        famous=(Header.parse(by_height(FAMOUS)).nbits,),
        newest=(newest,),
        regtest=(EASIEST_NBITS["regtest"],),
        three=(0x03123456,),
        small=(0x021234CB,),
    )


TASK = Task(
    "target(nbits: int) -> int",
    target_from_nbits,
    made,
    {
        "three": unshortened, "off-by-one": off_by_one, "bits": bits, "unmasked": unmasked,
        "decimal": decimal, "reversed": reversed_bytes, "float": floating,
        "negative": negative_shift, "rounded": whole_float,
    },
    in_hex=("nbits", "answer"),
)  # fmt: skip
