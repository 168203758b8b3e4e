"""A block that was found just now goes where its session is."""

from dataclasses import replace

from miner.sources.base import Health
from miner.work.found import Answer, FoundBlock
from tests.unit.protocol.stratum_lines import jobs, notify, share_of, subscribed
from tests.unit.sources.pool.members import Rig


def test_a_new_block_goes_to_the_pool_it_was_found_for() -> None:
    rig = Rig("abc")
    rig["a"].says(Health.DOWN)
    share = share_of(jobs(subscribed().receive(notify(), 0.0))[0])
    block = FoundBlock("b", "ab" * 32, 7, bytes(80), "stratum", "{}", "0a", origin=share)
    rig.failover.send(block)
    assert (rig["a"].blocks, rig["b"].blocks) == ([], [block])
    rig.failover.send(replace(block, source="c"))
    assert [verdict.answer for verdict in rig.log.verdicts] == [Answer.UNKNOWN]
