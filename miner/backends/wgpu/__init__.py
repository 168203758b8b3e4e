"""GPUs through what the operating system has: Vulkan, Metal or Direct3D 12, by WebGPU."""

from miner.backends import kernel_file
from miner.backends.base import Backend, Candidate, OpenOptions, Tuned
from miner.backends.wgpu.drivers import FAMILY, KERNEL, check_drivers, probe
from miner.devices import cards


class WgpuProvider:
    """Names are wgpu:NUMBER; a driver that computes on the CPU is used by name alone."""

    family = FAMILY

    def probe(self) -> list[Candidate]:
        return kernel_file.needed_by(probe(), KERNEL)

    def none_here(self) -> str:
        """See Sparing."""
        return cards.none_here()

    def open(self, name: str, options: OpenOptions) -> Backend:
        """Raises BackendUnavailable or BackendFault.

        The stored tuning is used. A GPU that has none is tuned first, unless MINER_TUNE=0. A
        driver that crashed the helper is not let into this process.
        """
        check_drivers(name)
        from miner.backends.wgpu import tune  # loads the drivers

        return tune.open_tuned(name, options)

    def tune(self, name: str, options: OpenOptions, budget_s: float) -> Tuned:
        """See Tunable."""
        check_drivers(name)
        from miner.backends.wgpu import tune  # loads the drivers

        return tune.tune_named(name, options, budget_s)


PROVIDER = WgpuProvider()
