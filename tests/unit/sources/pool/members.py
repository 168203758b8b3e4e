"""Sources that say what a test lets them say, and the failover over them."""

from dataclasses import replace

from miner.sources.base import Health, SourceSink, SourceState
from miner.sources.pool.failover import Failover, PoolSlot, Times
from miner.sources.pool.tips import Elsewhere, nowhere
from miner.work.found import Answer, FoundBlock, Share, Verdict
from miner.work.job import Job
from tests.unit.protocol.stratum_lines import jobs, notify, subscribed
from tests.unit.sources.pool.kit import FakeClock, Log

TIMES = Times(stable_s=60.0, penalty_s=300.0, rest_s=300.0, farewell_s=2.0)


class FakeMember:
    """A source that says what a test lets it say, and writes down what it is asked."""

    def __init__(self, name: str) -> None:
        self.name, self.standby = name, False
        self.sink: SourceSink | None = None
        self.shares: list[Share] = []
        self.blocks: list[FoundBlock] = []
        self.in_force: set[str] = set()
        self.stopped: list[float] = []
        self.joined = False
        self.renewed: list[str] = []

    def start(self, sink: SourceSink) -> None:
        self.sink = sink

    def submit(self, share: Share) -> None:
        self.shares.append(share)

    def send(self, block: FoundBlock) -> None:
        self.blocks.append(block)

    def takes(self, block: FoundBlock) -> bool:
        return block.context in self.in_force

    def pack(self, share: Share) -> FoundBlock:
        return FoundBlock(self.name, share.hash_hex, 1, share.header, "stratum", "{}", "08")

    def renew(self, why: str) -> None:
        self.renewed.append(why)

    def ask_to_stop(self, grace_s: float) -> None:
        self.stopped.append(grace_s)

    def join(self) -> None:
        self.joined = True

    def stop(self, grace_s: float) -> None:
        self.ask_to_stop(grace_s)
        self.join()

    # --- what a test lets it say ---

    def says(self, health: Health, text: str = "", fatal: Exception | None = None) -> None:
        assert self.sink is not None
        self.sink.state(SourceState(self.name, health, text or health.value, fatal))

    def works(self, job_id: str = "bf") -> Job:
        """A job, then READY, as a connection does."""
        (job,) = jobs(subscribed().receive(notify(job_id=job_id), 0.0))
        given = replace(job, source=self.name)
        assert self.sink is not None
        self.sink.job(given)
        self.says(Health.READY, "mining")
        return given

    def answers(self, answer: Answer, times: int = 1) -> None:
        assert self.sink is not None
        for _ in range(times):
            self.sink.verdict(Verdict(self.name, "00", answer, False))


class Rig:
    """A Failover over members "a", "b", "c", begun but for its thread."""

    def __init__(
        self,
        names: str = "abc",
        begin: bool = True,
        times: Times = TIMES,
        elsewhere: Elsewhere = nowhere,
    ) -> None:
        self.clock, self.log = FakeClock(), Log()
        self.made: dict[str, list[FakeMember]] = {name: [] for name in names}
        self.trouble: dict[str, Exception] = {}
        slots = [PoolSlot(name, lambda name=name: self.make(name)) for name in names]  # type: ignore[misc]
        self.failover = Failover(slots, times, self.clock.monotonic, elsewhere=elsewhere)
        if begin:
            self.failover.begin(self.log)

    def make(self, name: str) -> FakeMember:
        if name in self.trouble:
            raise self.trouble[name]
        self.made[name].append(FakeMember(name))
        return self.made[name][-1]

    def __getitem__(self, name: str) -> FakeMember:
        return self.made[name][-1]

    def opened(self) -> str:
        return "".join(name for name, made in self.made.items() if made)

    def later(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.failover.tick()
