"""GPUs of every vendor, and CPUs through PoCL, by OpenCL: finds devices and opens them."""

import os
from dataclasses import replace

from miner.backends import kernel_file
from miner.backends.base import Backend, Candidate, OpenOptions
from miner.backends.opencl.drivers import FAMILY, KERNEL, check_drivers, probe
from miner.errors import BackendUnavailable

NOT_INSTALLED = "pyopencl cannot be imported: {}; install homehash again with its dependencies"


class OpenClProvider:
    """Names are opencl:PLATFORM:DEVICE; CPU devices are used by name alone."""

    family = FAMILY

    def probe(self) -> list[Candidate]:
        rows = list(probe().rows)
        try:
            kernel_file.read(FAMILY, KERNEL)
        except BackendUnavailable as error:
            why = error.why
            return [replace(row, usable=False, why_not=row.why_not or why) for row in rows]
        return rows

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
        say = options.say if os.environ.get("MINER_TUNE") != "0" else None
        backend = tune.open_tuned(name, options.cache, say)
        backend.intensity = options.intensity
        return backend


PROVIDER = OpenClProvider()
