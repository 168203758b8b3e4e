"""hashlib (OpenSSL): exact, and quick without a compiler; on several cores a process for each."""

from miner.backends.base import Backend, Candidate, Kind, OpenOptions
from miner.backends.hashlib.process import HashlibProcess
from miner.backends.hashlib.scan import HashlibBackend
from miner.devices import cpu
from miner.errors import BackendUnavailable

__all__ = ["PROVIDER", "HashlibBackend", "HashlibProcess"]


class HashlibProvider:
    """Always usable: in this thread for one worker, with a process for each of several."""

    family = "hashlib"

    def probe(self) -> list[Candidate]:
        several = cpu.cores() > 1
        how = "a process for each worker" if several else "one worker (holds the GIL)"
        return [
            Candidate("hashlib", Kind.CPU, True, rank=1, detail=f"OpenSSL, {how}", parallel=several)
        ]

    def open(self, name: str, options: OpenOptions) -> Backend:
        """Raises BackendUnavailable for another name."""
        if name != self.family:
            raise BackendUnavailable(name, f"the only name here is {self.family}")
        if options.workers == 1 or cpu.cores() == 1:
            return HashlibBackend()
        try:
            return HashlibProcess()
        except OSError as error:
            options.say(f"hashlib: no process for a worker, it shares this one's core: {error}")
            return HashlibBackend()


PROVIDER = HashlibProvider()
