"""Solo mining on Bitcoin nodes: the newest tip gives the job, every node gets the block.

Each node has a link, which brings its templates, and a submitter. The link with the newest tip
leads: its templates become jobs. Blocks go to all; fates.py says what their answers come to.
"""

import threading
import time
from collections.abc import Callable, Sequence

from miner.errors import ConfigError, MinerError, RemoteProtocolError
from miner.protocol.gbt.job import MiningPlan
from miner.protocol.gbt.template import Template
from miner.protocol.gbt.verdicts import Judgement, Ruling
from miner.protocol.sv2.template import KIND as TEMPLATE_KIND
from miner.protocol.sv2.template import whole_block
from miner.sources.base import Health, SourceSink
from miner.sources.node.chain_guard import ChainGuard
from miner.sources.node.dry_run import DryRuns
from miner.sources.node.fallback import PATIENCE_S, OurChain, offer_again
from miner.sources.node.fates import Fates
from miner.sources.node.jobs import Jobs
from miner.sources.node.link import NodeLink
from miner.sources.node.payout import read_payout
from miner.sources.node.setup import NodeSetup, Timing
from miner.sources.node.states import States
from miner.sources.node.submitter import Submitter
from miner.work.found import Answer, FoundBlock, Share, Verdict

JOIN_S = 0.8  # for threads whose connections were just cut


class NodeSource:
    """A WorkSource over one or more nodes of one chain.

    `payout` is an address, or an output script as bytes. `retries`: failed connections in a row
    before a node is given up; None: never. `new_chain`: it began with this run, so no block of an
    earlier one can be of it. Raises ConfigError for what can be seen to be wrong.
    """

    def __init__(  # every choice and clock is an argument
        self,
        nodes: Sequence[NodeSetup],
        payout: str | bytes,
        *,
        tag: bytes = b"/homehash/",
        roll_versions: bool = True,
        wait_min_diff: bool = False,
        retries: int | None = None,
        new_chain: bool = False,
        timing: Timing | None = None,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        if not nodes:
            raise ConfigError("no node given: name one with --node")
        address, script = read_payout(payout)
        self.name = ", ".join(str(node.endpoint) for node in nodes)
        self._jobs = Jobs(self.name, MiningPlan(script, tag, roll_versions), wall_clock)
        self._guard = ChainGuard(address, new=new_chain)
        timing = timing or Timing()
        links = [NodeLink(node, self, timing, retries, wait_min_diff) for node in nodes]
        self._nodes = {
            link: Submitter(link.name, (link.lane(), link.lane()), self, timing) for link in links
        }
        # Guards what follows. Taken on the nodes' threads alone, never by submit, pack or stop:
        # the sink is called under it, in the order of the templates.
        self._lock = threading.RLock()
        self._sink: SourceSink | None = None
        self._leader: NodeLink | None = None
        self._states, self._fates = States(self.name), Fates(self.name)
        self._ours, self._dry_runs = OurChain(), DryRuns()

    @property
    def links(self) -> list[NodeLink]:
        """One for each node, in the order given."""
        return list(self._nodes)

    @property
    def unfinished(self) -> int:
        """Blocks whose fate is open, sends still to do, dry runs under way."""
        queued = sum(submitter.queued for submitter in self._nodes.values())
        return self._fates.open_count + queued + self._dry_runs.running

    # -- WorkSource -------------------------------------------------------------------------
    def start(self, sink: SourceSink) -> None:
        self._sink = sink
        for link, submitter in self._nodes.items():
            submitter.start()
            link.start()

    def submit(self, share: Share) -> None:
        """Send a block to every node."""
        self.send(self.pack(share))

    def pack(self, share: Share) -> FoundBlock:
        """The whole block."""
        return self._jobs.pack(share)

    def send(self, block: FoundBlock) -> None:
        """To every node; one that is sent again, to every node that knows its parent."""
        if block.kind == TEMPLATE_KIND:
            block = whole_block(block) or block
        again = block.origin is None
        why = self._guard.why_not(block) if again and not self._fates.is_open(block) else ""
        if why:
            judgement = Judgement(Ruling.ELSEWHERE, "kept", why)
            self._tell(self._fates.verdict(block, Answer.PENDING, judgement, None))
        else:
            self._send(block, replayed=again)

    def stop(self, grace_s: float) -> None:
        deadline = time.monotonic() + grace_s
        for link in self._nodes:
            link.stop()
        for submitter in self._nodes.values():
            submitter.wait_open(deadline)
        for submitter in self._nodes.values():
            submitter.stop()
        ended = time.monotonic() + JOIN_S
        self._dry_runs.stop(ended)
        for link, submitter in self._nodes.items():
            submitter.join(ended)
            link.join(ended)

    # -- from the links ---------------------------------------------------------------------
    def on_chain(self, link: NodeLink, chain: str, warnings: object) -> None:
        """Raise SourceRefused for a node of another chain."""
        with self._lock:
            self._guard.check(link.name, chain)
            self._guard.warned(link.name, warnings)
        self._nodes[link].chain = chain
        self._nodes[link].hurry()

    def on_template(self, link: NodeLink, template: Template) -> None:
        """A link's newest template: it leads if it is the leader's or has a newer tip."""
        if self._is_behind(link, template):
            link.wake()
            return
        with self._lock:
            link.health = Health.READY
            leader = self._leader
            if leader is link and self._ours.lost_upon(template.prev_hash):
                self._take_over()  # the others may have kept our block
            elif leader in (None, link) or not usable(leader) or self._jobs.is_newer(template):
                self._issue(link, template)
            leads = link is self._leader
            what = f"mining on {template.chain}{self._guard.note(template.chain, link.name)}"
            lead = f"{link.name}: {what if leads else 'standing by'}"
            self._say(link, "; ".join([lead, *template.alarms]))
            first = self._dry_runs.is_first(link.name)
            job = self._jobs.newest if leads and first else None
        if job is not None:
            self._dry_runs.start(
                link.name, link.lane(), job, lambda text: self.on_health(link, link.health, text)
            )

    def _is_behind(self, link: NodeLink, template: Template) -> bool:
        """Will the node's next template stand on our block, which it had accepted, and not on the
        block's parent? Else the search goes on there."""
        with self._lock:
            block = self._ours.upon(template.prev_hash)
            waited_s = self._ours.waited_s(template.prev_hash, time.monotonic())
        if block is None:
            return False
        lane = link.lane()
        try:
            taken, what = offer_again(lane, block, template.chain)
        finally:
            lane.close()
        if taken and waited_s > PATIENCE_S:
            taken, what = False, "the node has it, but gives no template on top of it"
        if not taken:
            with self._lock:
                self._ours.lose(block)
            what += "; its parent is mined again"
        if what:
            where = f"{link.name} fell back behind our block {block.height}"
            self.on_health(link, link.health, f"{where}: {what}; {block.hash_hex}")
        return taken

    def on_health(
        self, link: NodeLink, health: Health, text: str, fatal: MinerError | None = None
    ) -> None:
        """A link's state changed; `fatal`: it has ended."""
        with self._lock:
            link.health = health
            if fatal is not None:
                self._states.give_up(link.name, fatal)
            if link is self._leader and health is not Health.READY:
                self._take_over()
            self._say(link, text if link.name in text else f"{link.name}: {text}")

    def _issue(self, link: NodeLink, template: Template) -> None:
        job = self._jobs.make(template, reopens=self._ours.lost_upon(template.prev_hash))
        self._leader = link
        if self._sink is not None:
            self._sink.job(job)

    def _take_over(self) -> None:
        """The leader fell out: the newest tip among the nodes leads."""
        ready = [(link, link.template) for link in self._nodes if usable(link)]
        self._leader = None
        for link, template in sorted(ready, key=lambda pair: -pair[1].height if pair[1] else 0):
            if template is None:
                continue
            try:
                self._issue(link, template)
            except RemoteProtocolError as error:  # nobody has made a job of it before
                self._say(link, f"{link.name}: {error}")
            else:
                return

    def _say(self, link: NodeLink, text: str) -> None:
        state = self._states.say(link.name, text, [link.health for link in self._nodes])
        if state is not None and self._sink is not None:
            self._sink.state(state)

    # -- blocks -----------------------------------------------------------------------------
    def _send(self, block: FoundBlock, *, replayed: bool) -> None:
        self._fates.open(block)
        for submitter in self._nodes.values():
            submitter.send(block, replayed=replayed)

    def is_settled(self, block: FoundBlock) -> bool:
        """Accepted by a node: the others hear of it from their peers. What one refused, a node that
        was away may still take."""
        return self._fates.is_accepted(block)

    def ruled(self, who: Submitter, block: FoundBlock, judgement: Judgement) -> None:
        """One node's word."""
        with self._lock:
            reached = {link.name for link in self._nodes if usable(link)}
            verdict = self._fates.rule(who.name, block, judgement, reached)
            accepted = verdict is not None and verdict.answer is Answer.ACCEPTED
            if accepted:
                self._ours.keep(block)
        if verdict is not None:
            self._tell(verdict)
        if accepted:
            for link in self._nodes:
                link.wake()

    def _tell(self, verdict: Verdict) -> None:
        if self._sink is not None:
            self._sink.verdict(verdict)


def usable(link: NodeLink | None) -> bool:
    """Does it give work?"""
    return link is not None and link.health is Health.READY
