"""GPUs of every vendor, and CPUs through PoCL, by OpenCL: finds devices and opens them."""

from miner.backends import kernel_file
from miner.backends.base import Backend, Candidate, OpenOptions, Tuned
from miner.backends.opencl.drivers import FAMILY, KERNEL, NOT_INSTALLED, check_drivers, probe
from miner.devices import cards
from miner.errors import BackendUnavailable


class OpenClProvider:
    """Names are opencl:PLATFORM:DEVICE; CPU devices are used by name alone."""

    family = FAMILY

    def probe(self) -> list[Candidate]:
        return kernel_file.needed_by(probe().rows, KERNEL)

    def none_here(self) -> str:
        """See Sparing."""
        return cards.none_here()

    def open(self, name: str, options: OpenOptions) -> Backend:
        """Raises BackendUnavailable or BackendFault.

        The stored tuning is used. A GPU that has none is tuned first (<= 20 s, progress is said)
        unless MINER_TUNE=0. Every call makes its own context, so that a device that was lost can
        be opened anew. Drivers that crashed the helper are not let into this process.
        """
        check_drivers(name)
        try:
            from miner.backends.opencl import tune  # loads the driver
        except ImportError as error:
            raise BackendUnavailable(name, NOT_INSTALLED.format(error)) from error
        return tune.open_tuned(name, options)

    def tune(self, name: str, options: OpenOptions, budget_s: float) -> Tuned:
        """See Tunable."""
        check_drivers(name)
        try:
            from miner.backends.opencl import tune  # loads the driver
        except ImportError as error:
            raise BackendUnavailable(name, NOT_INSTALLED.format(error)) from error
        return tune.tune_named(name, options, budget_s)


PROVIDER = OpenClProvider()
