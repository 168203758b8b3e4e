"""Merkle trees as Bitcoin builds them: an odd node is paired with itself. Internal order."""

from collections.abc import Iterable, Sequence

from miner.bitcoin.encoding import sha256d


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The root over 32-byte leaves. Raises ValueError when there is none."""
    if not leaves:
        raise ValueError("a merkle tree needs a leaf")
    level = list(leaves)
    while len(level) > 1:
        level = _pair_up(level)
    return level[0]


def merkle_branch(others: Sequence[bytes]) -> tuple[bytes, ...]:
    """The branch of leaf 0 (the coinbase), from the other leaves in order; leaf 0 is not needed."""
    branch = []
    level = list(others)  # without its first entry, to which the coinbase leads
    while level:
        branch.append(level[0])
        level = _pair_up(level[1:])
    return tuple(branch)


def root_from_branch(leaf: bytes, branch: Iterable[bytes]) -> bytes:
    """The root when leaf 0 is `leaf`."""
    for node in branch:
        leaf = sha256d(leaf + node)
    return leaf


def _pair_up(level: Sequence[bytes]) -> list[bytes]:
    if len(level) % 2:
        level = [*level, level[-1]]
    return [sha256d(level[i] + level[i + 1]) for i in range(0, len(level), 2)]
