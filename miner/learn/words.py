"""The words the miner prints, in a sentence each, with the lesson that shows them at work."""

from miner.errors import ConfigError
from miner.protocol.gbt.verdicts import explain
from miner.protocol.pool import PLAIN_WORDS

# word: (meaning, lesson)
WORDS: dict[str, tuple[str, str]] = {
    "header": ("the 80 bytes that are hashed", "header"),
    "nonce": ("the 32-bit number at the end of a header, there only to be changed", "header"),
    "version": ("the header's first field; some of its bits may be rolled", "asicboost"),
    "nbits": ("the target in four bytes, as the header carries it", "target"),
    "target": ("the 256-bit number a hash must not exceed", "target"),
    "difficulty": ("how many times smaller the target is than that of difficulty 1", "target"),
    "hash": ("SHA-256 twice over one header: one (version, nonce) pair tried", "sha256"),
    "midstate": ("the state after the first 64 bytes, the same for every nonce", "ladder"),
    "schedule": ("the 64 words that a 64-byte chunk expands to", "asicboost"),
    "versions": ("header versions that share a second chunk, scanned together", "asicboost"),
    "coinbase": ("a block's first transaction: it creates the reward", "coinbase"),
    "extranonce": ("bytes in the coinbase, changed when all nonces are used up", "coinbase"),
    "merkle root": ("one hash over all transactions of a block", "coinbase"),
    "branch": ("the hashes that lead from the coinbase to the merkle root", "coinbase"),
    "witness commitment": ("a coinbase output that commits to all signatures", "coinbase"),
    "template": ("a node's answer to getblocktemplate: what the next block may hold", "verdict"),
    "job": ("what a pool or node asks to be mined, until the next one", "shares"),
    "clean": ("a job's flag: drop older work at once", "shares"),
    "share": ("a hash that meets the pool's target: proof of work done", "shares"),
    "block": ("a hash that meets the network's target, with its transactions", "verdict"),
    "verdict": ("what the node or pool said of a block or share", "verdict"),
    "stale": ("for a job that was already replaced when it arrived", "shares"),
    "surplus": ("a later block of a job that already has an accepted one: not sent", "verdict"),
    "not sent": (
        "a block of an easy chain: the node refuses all, so one goes out each 5 s",
        "verdict",
    ),
    "best difficulty": ("the difficulty of the lowest hash found so far", "shares"),
    "hashrate": ("hashes tried in a second", "ladder"),
    "luck": ("expected work divided by the work it took", "search"),
    "expected time": ("the mean of an exponential law: it says little about one search", "search"),
    "chain": ("blocks that each name the hash of the one before", "why"),
    "proof of work": ("a hash so small that finding it must have cost many tries", "why"),
    "pool": ("miners who share the luck: paid by shares, not by blocks", "pools"),
    "solo": ("mining on one's own node: a whole block or nothing", "pools"),
    "pplns": ("pay per last N shares", "pools"),
    "pps": ("pay per share: the pool carries the luck", "pools"),
    "j/th": ("joules for a million million hashes", "joules"),
    "asic": ("a chip that can do nothing but SHA-256", "joules"),
    "regtest": ("a private test chain where every second hash is a block", "verdict"),
    "retarget": ("every 2016 blocks the target is set anew", "retarget"),
    "reorganisation": ("a node leaves its branch for one with more work", "power"),
    "nakamoto coefficient": ("how many miners together have more than half", "power"),
    "confirmations": (
        "the payment's own block and those on top of it: z blocks after it are z + 1",
        "attack",
    ),
    "backend": ("a way to hash: a CPU's instructions, a graphics card, plain Python", "ladder"),
    "lane": ("one column of a SIMD step: many headers hashed side by side", "ladder"),
    "asicboost": ("several versions share one schedule, which saves work", "asicboost"),
}


def meaning(word: str) -> tuple[str, str]:
    """The sentence and the lesson of a word, a verdict or a pool's reason.

    Raises ConfigError with the nearest words.
    """
    key = " ".join(word.lower().replace("_", " ").split())
    for spelling in (key, key.removesuffix("s"), key.replace("-", " ")):
        if spelling in WORDS:
            return WORDS[spelling]
    for reason, words in PLAIN_WORDS.items():
        if key in (reason.value, reason.value.replace("-", " ")):
            return words, "shares"
    verdict = explain(word.strip())
    if verdict:
        return verdict, "verdict"
    import difflib

    near = difflib.get_close_matches(key, WORDS, 4, 0.5) or sorted(WORDS)[:8]
    raise ConfigError(f"no explanation of {word!r}; near it: {', '.join(near)}")
