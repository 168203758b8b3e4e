"""One round of SHA-256."""

from miner.bitcoin.sha256 import (
    INITIAL_STATE,
    MASK,
    K,
    State,
    big_sigma0,
    big_sigma1,
    ch,
    compress,
    maj,
    rotr,
    small_sigma0,
    small_sigma1,
)  # fmt: skip
from miner.learn.chain import FAMOUS, by_height
from miner.learn.task import Case, Task, cases

Words = list[int]


class Seen:
    """What one compression went through, by the miner's readable SHA-256."""

    def __init__(self) -> None:
        self.states, self.schedule = list[State](), list[int]()

    def start(self, state: State, schedule: list[int]) -> None:
        self.states, self.schedule = [state], schedule

    def round(self, index: int, t1: int, t2: int, state: State) -> None:
        self.states.append(state)

    def end(self, state: State) -> None:
        """The final additions are no round."""


def right(state: Words, k: int, w: int) -> Words:
    """By FIPS 180-4, with the miner's own functions."""
    a, b, c, d, e, f, g, h = state
    t1 = (h + big_sigma1(e) + ch(e, f, g) + k + w) & MASK
    t2 = (big_sigma0(a) + maj(a, b, c)) & MASK
    return [(t1 + t2) & MASK, a, b, c, (d + t1) & MASK, e, f, g]


def rotl(word: int, bits: int) -> int:
    return rotr(word, 32 - bits)


def unbounded(state: Words, k: int, w: int) -> Words:
    a, b, c, d, e, f, g, h = state
    t1 = h + big_sigma1(e) + ch(e, f, g) + k + w
    return [t1 + big_sigma0(a) + maj(a, b, c), a, b, c, d + t1, e, f, g]


def left(state: Words, k: int, w: int) -> Words:
    a, b, c, d, e, f, g, h = state
    t1 = h + (rotl(e, 6) ^ rotl(e, 11) ^ rotl(e, 25)) + ch(e, f, g) + k + w
    t2 = (rotl(a, 2) ^ rotl(a, 13) ^ rotl(a, 22)) + maj(a, b, c)
    return [(t1 + t2) & MASK, a, b, c, (d + t1) & MASK, e, f, g]


def shifted(state: Words, k: int, w: int) -> Words:
    a, b, c, d, e, f, g, h = state
    t1 = h + (e >> 6 ^ e >> 11 ^ e >> 25) + ch(e, f, g) + k + w
    t2 = (a >> 2 ^ a >> 13 ^ a >> 22) + maj(a, b, c)
    return [(t1 + t2) & MASK, a, b, c, (d + t1) & MASK, e, f, g]


def sigmas(state: Words, k: int, w: int) -> Words:
    a, b, c, d, e, f, g, h = state
    t1 = h + big_sigma0(e) + ch(e, f, g) + k + w
    return [(t1 + big_sigma1(a) + maj(a, b, c)) & MASK, a, b, c, (d + t1) & MASK, e, f, g]


def small(state: Words, k: int, w: int) -> Words:
    a, b, c, d, e, f, g, h = state
    t1 = h + small_sigma1(e) + ch(e, f, g) + k + w
    return [(t1 + small_sigma0(a) + maj(a, b, c)) & MASK, a, b, c, (d + t1) & MASK, e, f, g]


def functions(state: Words, k: int, w: int) -> Words:
    a, b, c, d, e, f, g, h = state
    t1 = h + big_sigma1(e) + maj(e, f, g) + k + w
    return [(t1 + big_sigma0(a) + ch(a, b, c)) & MASK, a, b, c, (d + t1) & MASK, e, f, g]


def without_d(state: Words, k: int, w: int) -> Words:
    new = right(state, k, w)
    return [*new[:4], (new[4] - state[3]) & MASK, *new[5:]]


def same_d(state: Words, k: int, w: int) -> Words:
    new = right(state, k, w)
    return [*new[:4], state[3], *new[5:]]


def both_sums(state: Words, k: int, w: int) -> Words:
    new = right(state, k, w)
    return [*new[:4], (state[3] + new[0]) & MASK, *new[5:]]


def unmoved(state: Words, k: int, w: int) -> Words:
    new = right(state, k, w)
    return [new[0], *state[1:4], new[4], *state[5:]]


def without_k(state: Words, k: int, w: int) -> Words:
    return right(state, 0, w)


def made() -> tuple[Case, ...]:
    seen = Seen()
    compress(INITIAL_STATE, by_height(FAMOUS)[:64], seen)

    def at(t: int) -> tuple[Words, int, int]:
        return list(seen.states[t]), K[t], seen.schedule[t]

    return cases(right, first=at(0), second=at(1), middle=at(20), last=at(63),
                 ones=([MASK] * 8, MASK, MASK))  # fmt: skip


TASK = Task(
    "sha_round(state: list[int], k: int, w: int) -> list[int]",
    right,
    made,
    {
        "unbounded": unbounded, "left": left, "shifted": shifted, "sigmas": sigmas,
        "small": small, "functions": functions, "without-d": without_d, "same-d": same_d,
        "both-sums": both_sums, "unmoved": unmoved, "without-k": without_k,
    },
    in_hex=("state", "k", "w", "answer"),
)  # fmt: skip
