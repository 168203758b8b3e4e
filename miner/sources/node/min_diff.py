"""The 20-minute rule of testnet3 and testnet4: a block that late may have difficulty 1."""

from miner.bitcoin.target import EASIEST_NBITS
from miner.errors import RemoteProtocolError
from miner.protocol.gbt.template import NODE_TIME_CHAINS, Template
from miner.sources.node.tips import Ask
from miner.work.job import UINT32

DELAY_S = 1201  # testnets: a block this long after its parent may have difficulty 1
PERIOD_BLOCKS = 2016  # the first block of a period has no such exception


class MinDifficulty:
    """When one node's templates get easy. `wait`: mine only then."""

    def __init__(self, wait: bool) -> None:
        self._wait = wait
        self._previous: tuple[bytes, int] = (b"", 0)  # a tip and its header's time

    def held_back(self, template: Template, ask: Ask) -> float | None:
        """Seconds until the next block gets easy, if it is to be waited for; None: mine now.

        Raises RemoteProtocolError when the node does not tell the time of the tip.
        """
        if template.chain not in NODE_TIME_CHAINS:
            return None
        if self._previous[0] != template.prev_hash:
            header = ask("getblockheader", template.prev_hash_hex)
            when = header.get("time") if isinstance(header, dict) else None
            if type(when) is not int or not 0 <= when < UINT32:
                raise RemoteProtocolError("getblockheader gave no time")
            self._previous = (template.prev_hash, when)
        if not self._wait or template.nbits == EASIEST_NBITS[template.chain]:
            return None
        left = self.until_easy(template)
        return float(DELAY_S) if left is None else left

    def until_easy(self, template: Template) -> float | None:
        """Seconds after its fetch at which a template gets easy; None: never, or it is."""
        known, when = self._previous
        if known != template.prev_hash or template.nbits == EASIEST_NBITS.get(template.chain):
            return None
        left = when + DELAY_S - template.curtime
        return float(left) if left > 0 and template.height % PERIOD_BLOCKS else None
