"""What a node's answer to submitblock means, in plain words, and what to do with the block.

Words: BIP 22, BIP 23 and Bitcoin Core's validation.cpp. A found block is let go only on a word
that is final; every unknown word keeps it.
"""

from dataclasses import dataclass
from enum import Enum

from miner.errors import (
    ConnectFailed,
    MinerError,
    RpcAuthError,
    RpcBusy,
    RpcError,
    RpcForbidden,
    RpcNotReady,
)
from miner.text import scrub


class Ruling(Enum):
    """The next step for a submitted block."""

    ACCEPTED = "accepted"
    CONFIRM = "confirm"  # success once getblockheader knows the hash
    SIDE = "side"  # valid so far, not on the best chain: watch its confirmations
    RETRY = "retry"  # not judged: send again soon
    DEAD = "dead"  # refused for good
    ELSEWHERE = "elsewhere"  # of a chain that the node does not know: it has no say
    NOT_SENT = "not sent"  # on an easy chain: a newer one takes its turn
    UNKNOWN = "unknown"  # the answer is lost or strange: ask for the header, then send again


@dataclass(frozen=True, slots=True)
class Judgement:
    """A ruling, the node's own word and its meaning."""

    ruling: Ruling
    reason: str  # scrubbed
    explanation: str


CONFIRM = {
    "duplicate": "the node already has this block: an earlier send arrived",
}
SIDE = {
    "inconclusive": "stored, but another block at this height was first; it counts if its branch "
    "becomes the longest",
    "duplicate-inconclusive": "the node has this block but has not judged it yet",
}
RETRY = {
    "time-too-new": "the block's time is over two hours ahead of the node's clock: check both "
    "clocks; it becomes valid as time passes",
    "prev-blk-not-found": "the node does not know the parent block yet; another node may",
}
DEAD = {
    "high-hash": "the hash is above the target: not enough work",
    "bad-diffbits": "the header's difficulty is not what the chain asks for",
    "bad-txnmrklroot": "the header's merkle root does not match the transactions",
    "bad-txns-duplicate": "a transaction appears twice",
    "bad-txns-nonfinal": "a transaction is not final yet",
    "bad-txns-inputs-missingorspent": "a transaction spends coins that are gone",
    "bad-txns-premature-spend-of-coinbase": "a transaction spends a reward younger than 100 blocks",
    "bad-txns-vout-negative": "an output has a negative value",
    "bad-txns-vout-toolarge": "an output is above 21 million coins",
    "bad-txns-BIP30": "a transaction repeats the id of an unspent one",
    "bad-witness-nonce-size": "the coinbase witness must hold exactly one item of 32 bytes",
    "bad-witness-merkle-match": "the witness commitment does not match the transactions",
    "unexpected-witness": "a witness is present where the chain does not allow one",
    "bad-signet-blksig": "the signet signature is missing or wrong: only its signers mine it",
    "bad-blk-length": "the block is too long or has no transaction",
    "bad-blk-weight": "the block is above 4,000,000 weight units",
    "bad-blk-sigops": "the block has too many signature checks",
    "bad-cb-missing": "the first transaction is not a coinbase",
    "bad-cb-multiple": "there is more than one coinbase",
    "bad-cb-length": "the coinbase script is not 2 to 100 bytes long",
    "bad-cb-height": "the coinbase does not carry the block's height (BIP 34)",
    "bad-cb-amount": "the coinbase pays out more than subsidy and fees",
    "time-too-old": "the block's time is not after the median of the last 11 blocks",
    "time-timewarp-attack": "the first block of a period is too far before its parent (BIP 94)",
    "bad-prevblk": "the parent block is invalid",
    "duplicate-invalid": "the node knows this block and found it invalid",
    "rejected": "refused without a reason",
    "stale-prevblk": "another block was found first",
    "stale-work": "the work had already been replaced",
    "unknown-work": "the server no longer knows this work",
    "unknown-user": "the server does not know this user",
}
DEAD_PREFIXES = {
    "bad-txns-": "a transaction breaks the rules",
    "bad-version": "the chain no longer accepts this block version",
    "bad-": "the block breaks a consensus rule",
    "mandatory-script-verify-flag-failed": "a transaction's script fails",
    "block-script-verify-flag-failed": "a transaction's script fails",
}
TABLES = (
    (Ruling.CONFIRM, CONFIRM),
    (Ruling.SIDE, SIDE),
    (Ruling.RETRY, RETRY),
    (Ruling.DEAD, DEAD),
)
UNDECODABLE = -22  # RPC_DESERIALIZATION_ERROR


def judge(answer: object, chain: str) -> Judgement:
    """Rule on a result of submitblock; never raises. A server of several chains answers an
    object: ours is taken."""
    if isinstance(answer, dict) and chain in answer:
        answer = answer[chain]
    if answer is None:
        return Judgement(Ruling.ACCEPTED, "", "accepted")
    if not isinstance(answer, str):
        kind = type(answer).__name__
        return Judgement(Ruling.UNKNOWN, scrub(answer, 80), f"not a verdict but of type {kind}")
    word = answer.partition("(")[0].strip()
    for ruling, table in TABLES:
        if word in table:
            return Judgement(ruling, scrub(answer), table[word])
    for prefix, meaning in DEAD_PREFIXES.items():
        if word.startswith(prefix):
            return Judgement(Ruling.DEAD, scrub(answer), meaning)
    return Judgement(Ruling.UNKNOWN, scrub(answer), "a word this program does not know: kept")


def judge_error(error: MinerError) -> Judgement:
    """Rule on a submitblock call that raised. Only -22 is final."""
    reason = scrub(str(error))
    if isinstance(error, RpcNotReady):
        return Judgement(Ruling.RETRY, reason, "the node is not ready: sent again when it is")
    if isinstance(error, RpcError) and error.code == UNDECODABLE:
        return Judgement(Ruling.DEAD, reason, "the node cannot decode the block")
    if isinstance(error, RpcError):
        return Judgement(Ruling.RETRY, reason, "the node failed before it judged the block")
    if isinstance(error, ConnectFailed | RpcBusy | RpcAuthError | RpcForbidden):
        return Judgement(Ruling.RETRY, reason, "not delivered: sent again")
    return Judgement(Ruling.UNKNOWN, reason, "no answer: the node may or may not have the block")


def explain(reason: str) -> str:
    """A verdict word in plain words; empty for one this program does not know."""
    if not reason:
        return "accepted"
    judgement = judge(reason, "")
    return "" if judgement.ruling is Ruling.UNKNOWN else judgement.explanation
