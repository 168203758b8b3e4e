"""From a node's template to the job of each member: whose name is in it, and what it pays.

In a class every coinbase carries its miner's name, and pays an output made from that name: the hash
of a script that begins with OP_RETURN, which no one can ever spend. In a pool all share one.
"""

import hashlib
from dataclasses import replace
from fractions import Fraction

from miner.bitcoin.coinbase import push
from miner.bitcoin.target import exact_difficulty, target_from_difficulty
from miner.bitcoin.versions import BIP320_MASK
from miner.pool.values import Assignment, Mode, RoomRules
from miner.protocol.gbt.job import OP_RETURN, MiningPlan, make_job
from miner.protocol.gbt.template import Template
from miner.work.job import Job

SOURCE = "class"
EXTRANONCE1_BYTES, EXTRANONCE2_BYTES = 4, 4  # of the eight in the coinbase
LATER_S = 120  # a job may be so much later than its template
POOL_NAME = "class pool"  # whom a shared coinbase names


class Work:
    """One template, and the jobs made of it."""

    def __init__(self, template: Template, rules: RoomRules) -> None:
        self.template, self._rules = template, rules
        self._jobs: dict[str, Job] = {}  # by the name in them

    @property
    def tip(self) -> bytes:
        """The hash it builds on, internal order."""
        return self.template.prev_hash

    @property
    def height(self) -> int:
        """Of the block being made."""
        return self.template.height

    def block_target(self, class_target: int | None) -> int:
        """At or below it a hash is a block here."""
        network = self.template.target
        return network if class_target is None else min(network, class_target)

    def block_difficulty(self, class_target: int | None) -> Fraction:
        return exact_difficulty(self.block_target(class_target))

    def name_for(self, mode: Mode, name: str) -> str:
        """Whose name a member's coinbase carries."""
        return POOL_NAME if mode is Mode.POOL or self._rules.payout is not None else name

    def job(self, name: str) -> Job:
        """The job that pays this name, with room for both extranonces. Raises RemoteProtocolError
        when the node's own parts leave no room."""
        job = self._jobs.get(name)
        if job is None:
            rules = self._rules
            notes = (name.encode(),) if rules.payout is None else ()
            plan = MiningPlan(rules.payout or script_of(name), rules.tag, notes=notes)
            job = make_job(self.template, plan, source=SOURCE, job_id="", clean=False)
            # No bit of the mask is set in the version: all rules by which miners and pools put
            # rolled bits into it then agree.
            mask = job.version_mask | job.version & BIP320_MASK & ~self.template.vbrequired
            job = replace(job, version=job.version & ~mask, version_mask=mask)
            self._jobs[name] = job
        return job

    def assign(  # every part of a job that is its miner's own
        self,
        name: str,
        extranonce1: bytes,
        job_id: str,
        difficulty: Fraction,
        class_target: int | None,
        clean: bool,
        now: float,
    ) -> Assignment:
        """The job for one member. Its time moves on: some miners begin anew with each job, and
        would search the same headers again."""
        base = self.job(name)
        fixed = self.template.ntime_limit == 0 and self._rules.payout is not None
        ntime = base.ntime if fixed else max(base.ntime, min(int(now), base.ntime + LATER_S))
        merkle = replace(base.coinbase, extranonce1=extranonce1, extranonce2_size=EXTRANONCE2_BYTES)
        job = replace(
            base,
            job_id=job_id,
            clean=clean,
            merkle=merkle,
            ntime=ntime,
            share_target=target_from_difficulty(difficulty),
        )
        return Assignment(job, difficulty, self.block_target(class_target))


def script_of(name: str) -> bytes:
    """The output script made from a name: P2WSH of OP_RETURN and the name. Nobody can spend it."""
    program = hashlib.sha256(OP_RETURN + push(name.encode())).digest()
    return b"\x00\x20" + program
