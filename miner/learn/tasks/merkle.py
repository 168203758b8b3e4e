"""The merkle root of a block's transactions."""

import hashlib
from collections.abc import Callable

from miner.bitcoin.encoding import display_hex, from_display_hex, sha256d
from miner.bitcoin.merkle import merkle_root
from miner.learn.chain import read
from miner.learn.task import Case, Task, cases

GENESIS = "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"
# Block 100,000, of December 2010; its root is in its header.
BLOCK_100000 = (
    "8c14f0db3df150123e6f3dbbf30f8b955a8249b62ac1d1ff16284aefa3d06d87",
    "fff2525b8931402dd09222c50775608f75787bd2b87e56995a7bdd30f79702c4",
    "6359f0868171b1d194cbee1af2f16ea598ae8fad666d9b012c8ed2b79a236ec4",
    "e9a66845e05d5abc0ad04ec80f774a7e585c6e8db975962d069a522137b80c1d",
)
ROOT_100000 = "f3e94742aca4b5ef85488dc37c06c3282295ffec960994b2c0d5ac2a25a95766"

Pair = Callable[[bytes, bytes], bytes]
Level = list[bytes]


def right(txids: list[str]) -> str:
    """By the miner's own function."""
    return display_hex(merkle_root([from_display_hex(one) for one in txids]))


def joined(one: bytes, two: bytes) -> bytes:
    return sha256d(one + two)


def doubled(level: Level) -> Level:
    return [*level, level[-1]]


def folded(level: Level, pair: Pair = joined, odd: Callable[[Level], Level] = doubled) -> bytes:
    """A tree with a mistake in how two are paired, or in what an odd level becomes."""
    while len(level) > 1:
        whole = odd(level) if len(level) % 2 else level
        level = [pair(whole[i], whole[i + 1]) for i in range(0, len(whole) - 1, 2)]
        level += whole[-1:] * (len(whole) % 2)
    return level[0]


def inside(txids: list[str]) -> Level:
    return [from_display_hex(one) for one in txids]


def unreversed(txids: list[str]) -> str:
    return folded([bytes.fromhex(one) for one in txids]).hex()


def half_reversed(txids: list[str]) -> str:
    return folded(inside(txids)).hex()


def back_reversed(txids: list[str]) -> str:
    return display_hex(folded([bytes.fromhex(one) for one in txids]))


def once(txids: list[str]) -> str:
    return display_hex(folded(inside(txids), lambda a, b: hashlib.sha256(a + b).digest()))


def turned(txids: list[str]) -> str:
    return display_hex(folded(inside(txids), lambda a, b: joined(b, a)))


def text(txids: list[str]) -> str:
    def pair(one: str, two: str) -> str:
        return sha256d((one + two).encode()).hex()

    level = list(txids)
    while len(level) > 1:
        level = [*level, level[-1]] if len(level) % 2 else level
        level = [pair(level[i], level[i + 1]) for i in range(0, len(level), 2)]
    return level[0]


def carried(txids: list[str]) -> str:
    return display_hex(folded(inside(txids), odd=list))


def dropped(txids: list[str]) -> str:
    return display_hex(folded(inside(txids), odd=lambda level: level[:-1]))


def zeros(txids: list[str]) -> str:
    return display_hex(folded(inside(txids), odd=lambda level: [*level, bytes(32)]))


def first_level(txids: list[str]) -> str:
    level = inside(txids)
    level = doubled(level) if len(level) % 2 and len(level) > 1 else level
    return display_hex(folded(level, odd=list))


def single(txids: list[str]) -> str:
    level = inside(txids)
    return display_hex(folded(doubled(level) if len(level) == 1 else level))


def made() -> tuple[Case, ...]:
    others = [one["txid"] for one in read("template_40.json")["template"]["transactions"]]
    return cases(
        right,
        two=(others[:2],),
        block=(list(BLOCK_100000),),
        one=([GENESIS],),
        three=(others[2:5],),
        six=(others[5:11],),
        many=(others[11:24],),
    )


TASK = Task(
    "merkle_root(txids: list[str]) -> str",
    right,
    made,
    {
        "unreversed": unreversed, "half-reversed": half_reversed, "back-reversed": back_reversed,
        "once": once, "text": text, "turned": turned, "dropped": dropped, "carried": carried,
        "zeros": zeros, "first-level": first_level, "single": single,
    },
)  # fmt: skip
