"""Solo mining on Bitcoin nodes: the newest tip gives the job, every node gets the block."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from miner.bitcoin.address import TEST_CHAINS
from miner.bitcoin.coinbase import push
from miner.bitcoin.target import difficulty
from miner.errors import ConfigError, MinerError, RemoteProtocolError, SourceRefused
from miner.protocol.gbt.job import (
    KIND,
    MiningPlan,
    block_hex,
    make_job,
    proposal_hex,
    proposal_request,
    template_of,
)
from miner.protocol.gbt.template import Template
from miner.protocol.gbt.verdicts import Judgement, Ruling
from miner.sources.base import Health, SourceSink, SourceState
from miner.sources.node.fallback import PATIENCE_S, OurChain, offer_again
from miner.sources.node.link import NodeLink, NodeSetup, Timing
from miner.sources.node.payout import read_payout
from miner.sources.node.submitter import Submitter
from miner.text import scrub
from miner.transport.rpc import Rpc
from miner.work.found import Answer, FoundBlock, Share, Verdict
from miner.work.job import Job

MAX_TAG_BYTES = 60  # leaves room for height, extranonce and the node's own data in 100 bytes
STALE_WORDS = ("stale", "stale-prevblk", "stale-work", "unknown-work")
HARMLESS_PROPOSALS = (None, "duplicate", "inconclusive-not-best-prevblk")  # the tip just moved
WORST_FIRST = (Health.REFUSED, Health.DOWN, Health.CONNECTING, Health.WAITING)
JOIN_S = 0.8  # for threads whose connections were just cut
SETTLED_KEPT = 1000  # hashes remembered so that a late answer is not counted twice


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
        if len(push(tag[:255])) > MAX_TAG_BYTES:
            raise ConfigError(f"coinbase tag of {len(tag)} bytes: at most {MAX_TAG_BYTES - 1}")
        self._address, script = read_payout(payout)
        self._plan, self._new_chain = MiningPlan(script, tag, roll_versions), new_chain
        self._wall_clock = wall_clock
        timing = timing or Timing()
        self._links = [NodeLink(node, self, timing, retries, wait_min_diff) for node in nodes]
        self._submitters = {
            link: Submitter(link.name, (link.lane(), link.lane()), self, timing)
            for link in self._links
        }
        self.name = ", ".join(link.name for link in self._links)
        # Guards what follows. Taken on the nodes' threads alone, never by submit, pack or stop:
        # the sink is called under it, in the order of the templates.
        self._lock = threading.RLock()
        self._sink: SourceSink | None = None
        self._chain = ""
        self._leader: NodeLink | None = None
        self._job: Job | None = None
        self._jobs = 0
        self._proposed: set[NodeLink] = set()
        self._fatal: dict[NodeLink, MinerError] = {}
        self._said: dict[NodeLink, str] = {}
        self._health: Health | None = None
        self._open: dict[str, _Sent] = {}
        self._settled: dict[str, Answer] = {}
        self._ours = OurChain()
        self._packed: FoundBlock | None = None
        self._dry_runs: dict[Rpc, threading.Thread] = {}

    # -- WorkSource -------------------------------------------------------------------------
    def start(self, sink: SourceSink) -> None:
        self._sink = sink
        for link in self._links:
            self._submitters[link].start()
            link.start()

    def submit(self, share: Share) -> None:
        """Send a block to every node."""
        self._send(self.pack(share), difficulty(share.unit.job.share_target))

    def pack(self, share: Share) -> FoundBlock:
        packed = self._packed
        if packed is not None and packed.header == share.header:
            return packed  # the journal and submit each ask: the second time it is at hand
        job = share.unit.job
        packed = FoundBlock(
            source=self.name,
            hash_hex=share.hash_hex,
            height=job.height,
            header=share.header,
            kind=KIND,
            payload=block_hex(share),
            context=template_of(job).workid,
            found_at=int(self._wall_clock()),
        )
        self._packed = packed
        return packed

    def resubmit(self, block: FoundBlock) -> None:
        """To every node that knows its parent."""
        why = ""
        if block.kind != KIND:
            why = f"it is pool {block.source}'s: start with --pool"
        elif self._new_chain and block.hash_hex not in self._open:
            why = "this chain began with this run: start with --node on the block's own chain"
        if why:
            self._report(block, Answer.PENDING, Judgement(Ruling.ELSEWHERE, "kept", why), None)
            return
        self._open.setdefault(block.hash_hex, _Sent(None)).elsewhere.clear()
        self._send(block, None, replayed=True)

    def stop(self, grace_s: float) -> None:
        deadline = time.monotonic() + grace_s
        for link in self._links:
            link.stop()
        for submitter in self._submitters.values():
            submitter.wait_open(deadline)
        for submitter in self._submitters.values():
            submitter.stop()
        dry_runs = dict(self._dry_runs)
        for lane in dry_runs:
            lane.abort()
        ended = time.monotonic() + JOIN_S
        for link in self._links:
            self._submitters[link].join(ended)
            link.join(ended)
        for thread in dry_runs.values():
            thread.join(max(0.0, ended - time.monotonic()))

    def on_chain(self, link: NodeLink, chain: str) -> None:
        """Refuse a node of another chain than the address or the other nodes."""
        if self._address is not None and chain not in self._address.chains:
            raise SourceRefused(
                f"{link.name} is on {chain}, but {self._address.text} is an address of "
                f"{' or '.join(self._address.chains)}: use an address of {chain}"
            )
        with self._lock:
            self._chain = self._chain or chain
            if chain != self._chain:
                raise SourceRefused(
                    f"{link.name} is on {chain}, but mining is on {self._chain}: chains are "
                    "never mixed"
                )
        self._submitters[link].chain = chain
        self._submitters[link].hurry()

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
            elif leader in (None, link) or not self._usable(leader) or self._newer(template):
                self._issue(link, template)
            self._say_ready(link, template)
            dry_run = link not in self._proposed and self._leader is link and self._job is not None
            self._proposed.add(link)
            job = self._job
        if dry_run and job is not None:
            self._start_dry_run(link, job)

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
            taken, what = False, "it has it, but no template upon it"
        if not taken:
            with self._lock:
                self._ours.lose(block)
            what += "; its parent is mined again"
        if what:
            text = (
                f"{link.name} fell back behind our block {block.height}: {what}; {block.hash_hex}"
            )
            self.on_health(link, link.health, text)
        return taken

    def on_health(
        self, link: NodeLink, health: Health, text: str, fatal: MinerError | None = None
    ) -> None:
        with self._lock:
            link.health = health
            if fatal is not None:
                self._fatal[link] = fatal
            if link is self._leader and health is not Health.READY:
                self._take_over()
            ended = len(self._fatal) == len(self._links)
            self._say(link, text if link.name in text else f"{link.name}: {text}", ended)

    # -- jobs -------------------------------------------------------------------------------
    def _usable(self, link: NodeLink | None) -> bool:
        return link is not None and link.health is Health.READY

    def _newer(self, template: Template) -> bool:
        return self._job is None or template.height > (self._job.height or 0)

    def _issue(self, link: NodeLink, template: Template) -> None:
        self._jobs += 1
        clean = self._job is None or self._job.prev_hash != template.prev_hash
        self._job = make_job(
            template, self._plan, source=self.name, job_id=f"{self._jobs:x}", clean=clean
        )
        if self._ours.lost_upon(template.prev_hash):
            self._job = replace(self._job, reopens=True)
        self._leader = link
        if self._sink is not None:
            self._sink.job(self._job)

    def _take_over(self) -> None:
        """The leader fell out: the newest tip among the other nodes leads."""
        usable = [link for link in self._links if self._usable(link)]
        ready = [(link, link.template) for link in usable if link.template is not None]
        self._leader = None
        for link, template in sorted(ready, key=lambda pair: -pair[1].height):
            try:
                self._issue(link, template)
            except RemoteProtocolError as error:  # nobody has made a job of it before
                self._say(link, f"{link.name}: {error}", False)
            else:
                return

    def _start_dry_run(self, link: NodeLink, job: Job) -> None:
        """Beside the link's threads: a node takes seconds for a full block, and new tips come."""
        lane = link.lane()
        thread = threading.Thread(
            target=self._propose, args=(link, job, lane), name=f"{link.name} dry run", daemon=True
        )
        self._dry_runs[lane] = thread
        try:
            thread.start()
        except RuntimeError:  # the system has none left: mining matters more
            del self._dry_runs[lane]

    def _propose(self, link: NodeLink, job: Job, lane: Rpc) -> None:
        """The node checks an unmined block of ours: a bug shows now, not when a block is found."""
        request = proposal_request(self._chain, proposal_hex(job), template_of(job).workid)
        try:
            answer = lane.call("getblocktemplate", request)
        except MinerError:
            return  # not every server has proposals; the block itself is the real test
        finally:
            lane.close()
            self._dry_runs.pop(lane, None)
        if answer not in HARMLESS_PROPOSALS:
            word = scrub(answer, 60)
            text = f"the dry run of our block was refused: {word}; mining goes on, please report"
            self.on_health(link, link.health, text)

    def _say_ready(self, link: NodeLink, template: Template) -> None:
        lead = f"{link.name}: mining on {template.chain}"
        if self._address is not None and template.chain in TEST_CHAINS:
            others = " and ".join(c for c in self._address.chains if c != template.chain)
            lead += f" (the address is valid on {others} too)"
        if link is not self._leader:
            lead = f"{link.name}: standing by"
        self._say(link, "; ".join([lead, *template.alarms]), False)

    def _say(self, link: NodeLink, text: str, ended: bool) -> None:
        """Tell the sink the state of all nodes together, unless nothing changed."""
        healths = [link.health for link in self._links]
        health = Health.READY
        if Health.READY not in healths:
            health = next(h for h in reversed(WORST_FIRST) if h in healths)
        if (health, text) == (self._health, self._said.get(link)) and not ended:
            return
        self._health, self._said[link] = health, text
        fatal = next(iter(self._fatal.values())) if ended else None
        if self._sink is not None:
            self._sink.state(SourceState(self.name, health, scrub(text), fatal))

    # -- blocks -----------------------------------------------------------------------------
    def _send(
        self, block: FoundBlock, difficulty_of_share: float | None, *, replayed: bool = False
    ) -> None:
        self._open.setdefault(block.hash_hex, _Sent(difficulty_of_share))  # no lock: one step
        for submitter in self._submitters.values():
            submitter.send(block, replayed=replayed)

    def is_settled(self, block: FoundBlock) -> bool:
        """Accepted by a node: the others hear of it from their peers. What one refused, a node that
        was away may still take."""
        return self._settled.get(block.hash_hex) is Answer.ACCEPTED

    def ruled(self, who: Submitter, block: FoundBlock, judgement: Judgement) -> None:
        """One node's word. Accepted by one is accepted; dead is what every reached node says."""
        with self._lock:
            before = self._settled.get(block.hash_hex)
            sent = self._open.get(block.hash_hex) or _Sent(None)
            if before is None:
                self._open[block.hash_hex] = sent
            answer = self._answer(who, sent, judgement)
            late = before is not None and answer is not Answer.ACCEPTED
            if before is Answer.ACCEPTED or late or answer is None:
                return
            if answer not in (Answer.UNKNOWN, Answer.PENDING):
                self._remember(block.hash_hex, answer)
            if judgement.ruling is Ruling.ELSEWHERE and sent.dead:
                judgement = sent.last_word
            if answer is Answer.ACCEPTED:
                self._ours.keep(block)
        self._report(block, answer, judgement, sent)
        if answer is Answer.ACCEPTED:
            for link in self._links:
                link.wake()

    def _report(
        self, block: FoundBlock, answer: Answer, judgement: Judgement, sent: "_Sent | None"
    ) -> None:
        verdict = Verdict(
            source=self.name,
            hash_hex=block.hash_hex,
            answer=answer,
            is_block=True,
            reason=judgement.reason,
            explanation=judgement.explanation,
            height=block.height,
            latency_s=time.monotonic() - sent.at if sent else None,
            difficulty=sent.difficulty if sent else None,
        )
        if self._sink is not None:
            self._sink.verdict(verdict)

    def _answer(self, who: Submitter, sent: "_Sent", judgement: Judgement) -> Answer | None:
        """The verdict of all nodes after this ruling; None: wait for the others."""
        if judgement.ruling is Ruling.ACCEPTED:
            return Answer.ACCEPTED
        if judgement.ruling is Ruling.ELSEWHERE:
            sent.elsewhere.add(who.name)
        elif judgement.ruling in (Ruling.DEAD, Ruling.NOT_SENT):
            sent.dead[who.name] = judgement
        else:
            return Answer.UNKNOWN if judgement.ruling is Ruling.UNKNOWN else Answer.PENDING
        reached = {link.name for link in self._links if link.health is Health.READY}
        if reached - sent.dead.keys() - sent.elsewhere:
            return None
        if not sent.dead:
            return Answer.PENDING
        if sent.last_word.ruling is Ruling.NOT_SENT:
            return Answer.NOT_SENT
        return Answer.STALE if sent.last_word.reason in STALE_WORDS else Answer.REJECTED

    def _remember(self, hash_hex: str, answer: Answer) -> None:
        self._settled[hash_hex] = answer
        self._open.pop(hash_hex, None)
        while len(self._settled) > SETTLED_KEPT:
            del self._settled[next(iter(self._settled))]


class _Sent:
    """A block on its way."""

    __slots__ = ("at", "dead", "difficulty", "elsewhere")

    def __init__(self, difficulty_of_share: float | None) -> None:
        self.at, self.difficulty = time.monotonic(), difficulty_of_share
        self.dead: dict[str, Judgement] = {}  # by nodes that refused it, or were not asked
        self.elsewhere: set[str] = set()  # nodes that do not know its parent

    @property
    def last_word(self) -> Judgement:
        """Of the nodes that refused it."""
        return list(self.dead.values())[-1]
