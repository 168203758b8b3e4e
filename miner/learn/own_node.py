"""A node of the lesson's own: Bitcoin Core's consensus engine in this process, spoken to as mining
does it, through the same adapter, template parser and verdict table."""

import random
from types import TracebackType
from typing import Any

from miner.bitcoin.address import script_from_address
from miner.errors import MinerError
from miner.learn.mining import PAYOUT
from miner.node.service import Node
from miner.protocol.gbt.job import MiningPlan, block_hex, make_job, template_request
from miner.protocol.gbt.template import Template, parse_template
from miner.protocol.gbt.verdicts import Judgement, judge, judge_error
from miner.transport.credentials import CookieFile
from miner.transport.endpoint import parse_node_url
from miner.transport.rpc import Rpc
from miner.work.found import Share
from miner.work.job import Job
from miner.work.roll import Roller

CHAIN = "regtest"
TAG = b"/homehash lesson/"
MAX_TRIES = 4096  # on regtest two are expected


class OwnNode:
    """A temporary regtest node; leave the `with` block and it is gone."""

    def __init__(self) -> None:
        self.node = Node.start()
        address = parse_node_url(self.node.url, 18443)
        self.rpc = Rpc(address.endpoint, CookieFile(self.node.cookie_file))
        self.plan = MiningPlan(script_from_address(PAYOUT, CHAIN), TAG)

    def template(self) -> tuple[dict[str, Any], Template]:
        """The node's answer to getblocktemplate, raw and parsed."""
        reply = self.rpc.call("getblocktemplate", template_request(CHAIN))
        reply["curtime"] = reply["mintime"]  # not the clock's: the same seed gives the same block
        return reply, parse_template(reply, CHAIN)

    def job(self) -> Job:
        _, template = self.template()
        return make_job(template, self.plan, source="lesson", job_id="1", clean=True)

    def mine(self, seed: int) -> tuple[Share, int]:
        """A block on the tip, not yet sent, and the hashes it took."""
        unit = Roller(self.job(), random.Random(seed).getrandbits(63)).next(1, 0.0)
        if unit is None:
            raise MinerError("a new job has no unit")
        for nonce in range(MAX_TRIES):
            share = Share.from_hit(unit, unit.versions[0], nonce)
            if share is not None:
                return share, nonce + 1
        raise MinerError(f"{MAX_TRIES} tries without a hit on regtest: something is broken")

    def submit(self, raw: bytes) -> Judgement:
        """What the node says of a block."""
        try:
            return judge(self.rpc.call("submitblock", raw.hex()), CHAIN)
        except MinerError as error:
            return judge_error(error)

    def submit_share(self, share: Share) -> Judgement:
        return self.submit(bytes.fromhex(block_hex(share)))

    def __enter__(self) -> "OwnNode":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.rpc.close()
        self.node.stop()
