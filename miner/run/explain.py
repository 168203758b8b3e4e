"""What a session's first job means: the odds on its chain, and what its coinbase pays."""

from miner.bitcoin.address import Address, decode
from miner.bitcoin.target import difficulty
from miner.engine.odds import MAINNET_DIFFICULTY, mainnet_sentence
from miner.protocol.coinbase_parts import coinbase_parts
from miner.protocol.decode import DecodedCoinbase, decode_coinbase
from miner.protocol.sv2.payout import address_in
from miner.run.config import MineConfig
from miner.sources.pool.options import pool_names
from miner.state.events import CoinbaseTold, Event, OddsTold
from miner.state.snapshot import CoinbaseRow
from miner.text import scrub
from miner.work.job import Job


class Explainer:
    """Speaks once for each session of a source."""

    def __init__(self, config: MineConfig, payout: str | None) -> None:
        self._config, self._payout = config, payout
        self._explained: dict[str, int] = {}  # source: its newest session whose job was explained

    def explain(self, job: Job, rate_hs: float) -> list[Event]:
        if self._explained.get(job.source) == job.session:
            return []
        first = not self._explained
        self._explained[job.source] = job.session
        odds = mainnet_sentence(job, rate_hs) if first else None
        said: list[Event] = [] if odds is None else [OddsTold(odds)]
        if self._config.decode:
            try:
                lines = self._decoded(job).lines()
            except ValueError as error:
                lines = [f"coinbase of job {scrub(job.job_id)} cannot be decoded: {error}"]
            said += [CoinbaseTold(line) for line in lines]
        return said

    def row(self, job: Job) -> CoinbaseRow | None:
        """For the snapshot; None when the coinbase is no transaction."""
        try:
            told = self._decoded(job)
        except ValueError:
            return None
        outputs = tuple((out.value, out.text, out.is_user) for out in told.outputs)
        return CoinbaseRow(told.height, told.tag, told.total, outputs, coinbase_parts(job.coinbase))

    def _decoded(self, job: Job) -> DecodedCoinbase:
        own = self._own_address(job)
        mainnet = difficulty(job.network_target) >= MAINNET_DIFFICULTY
        return decode_coinbase(job, own, "main" if mainnet or own is None else own.chains[0])

    def _own_address(self, job: Job) -> Address | None:
        """Where the user's coins go: the payout, or the address in the name used at the pool."""
        if self._payout is not None:
            return decode(self._payout)
        pools = self._config.pools
        users = dict(zip(pool_names([pool.url for pool in pools]), pools, strict=True))
        pool = users.get(job.source)
        return None if pool is None else address_in(pool.user)
