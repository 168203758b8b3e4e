"""Chains are never mixed: address, nodes and blocks must be of one."""

from miner.bitcoin.address import TEST_CHAINS, Address
from miner.errors import SourceRefused
from miner.protocol.gbt.job import KIND
from miner.protocol.stratum.session import KIND as STRATUM
from miner.sources.homes import waits_for
from miner.text import scrub
from miner.work.found import FoundBlock

WARNING, MAX_WARNINGS = 100, 3  # characters of each, and how many are shown


class ChainGuard:
    """`address`: where rewards go, if one was given. `new`: the chain began with this run, so no
    block of an earlier one can be of it."""

    def __init__(self, address: Address | None, *, new: bool) -> None:
        self._address, self._new = address, new
        self._chain = ""  # of the first node that was reached
        self._warnings: dict[str, str] = {}  # by node

    def check(self, node: str, chain: str) -> None:
        """Raise SourceRefused for a node of another chain than the address or the other nodes."""
        if self._address is not None and chain not in self._address.chains:
            raise SourceRefused(
                f"{node} is on {chain}, but {self._address.text} is an address of "
                f"{' or '.join(self._address.chains)}: use an address of {chain}"
            )
        self._chain = self._chain or chain
        if chain != self._chain:
            raise SourceRefused(
                f"{node} is on {chain}, but mining is on {self._chain}: chains are never mixed"
            )

    def warned(self, node: str, warnings: object) -> None:
        """What the node says of its chain: a list of texts, or one text before Core 28."""
        lines = warnings if isinstance(warnings, list) else [warnings]
        told = [scrub(line, WARNING) for line in lines if isinstance(line, str) and line]
        self._warnings[node] = "; ".join(told[:MAX_WARNINGS])

    def note(self, chain: str, node: str) -> str:
        """What a user should know of the address on this chain, and what the node warns of; mostly
        nothing."""
        warnings = self._warnings.get(node)
        told = f"; the node says: {warnings}" if warnings else ""
        if self._address is None or chain not in TEST_CHAINS:
            return told
        others = " and ".join(other for other in self._address.chains if other != chain)
        return f" (the address is valid on {others} too){told}"

    def why_not(self, block: FoundBlock) -> str:
        """Why no node here can judge a block of an earlier run; empty when one may."""
        if block.kind == STRATUM:
            return f"it is pool {block.source}'s: start with --pool"
        if block.kind != KIND:
            return waits_for(block)
        if self._new:
            return "this chain began with this run: start with --node on the block's own chain"
        return ""
