"""Where a block of an earlier run can be taken, for people: what it waits for."""

from miner.protocol.gbt import job as gbt
from miner.protocol.stratum.session import KIND as STRATUM
from miner.protocol.sv2 import solution, template
from miner.work.found import FoundBlock

WAITS_FOR = {
    gbt.KIND: "it is a whole block: start with --node on its chain",
    STRATUM: "it needs pool {0.source} to give extranonce1 {0.context} again",
    solution.KIND: "it went to pool {0.source}, whose connection is over: the pool alone knows "
    "its fate, or a node of its chain: name one with --check-node",
    template.KIND: "it needs a node of its chain: start with --node",
}
BODYLESS = "its transactions were never known: it needs template provider {0.source} (--node)"


def waits_for(block: FoundBlock) -> str:
    """What a block of this kind needs, where it cannot be sent now."""
    if block.kind == template.KIND and template.whole_block(block) is None:
        return BODYLESS.format(block)
    return WAITS_FOR.get(block.kind, "this version cannot send it").format(block)
