"""How the OpenCL kernels are built. Knows no driver, so it is imported without one."""

from dataclasses import dataclass

from miner.backends import kernel_file
from miner.backends.opencl.drivers import FAMILY, KERNEL


@dataclass(frozen=True, slots=True)
class Shape:
    """How a kernel is built: work-group items, nonces of a group, lanes of an item, and how many
    hashes a lane of scan_shared does side by side."""

    group: int
    nonces: int  # a power of two <= 256
    vector: int  # 1, 2, 4, 8 or 16
    spread: bool = False  # sums by multiply-add: NVIDIA's other pipe
    unroll: int = 1  # 1 or 2

    def __post_init__(self) -> None:
        numbers = (self.group, self.nonces, self.vector, self.unroll)
        if any(type(number) is not int for number in numbers) or type(self.spread) is not bool:
            raise ValueError(f"shape {numbers}, {self.spread} is not four whole numbers and a flag")
        if self.nonces not in (1, 2, 4, 8, 16, 32, 64, 128, 256) or self.nonces < self.vector:
            raise ValueError(f"nonces {self.nonces} is not a power of two in vector .. 256")
        if self.vector not in (1, 2, 4, 8, 16) or self.group < 1:
            raise ValueError(f"group {self.group} or vector {self.vector} cannot be built")
        if self.unroll not in (1, 2) or self.unroll > self.nonces:
            raise ValueError(f"unroll {self.unroll} is not 1 or 2, or above nonces {self.nonces}")

    @property
    def wide(self) -> int:
        """Versions a work-group of scan_shared holds."""
        return self.group * self.vector

    @property
    def local_bytes(self) -> int:
        """Local memory of scan_shared; see KW_SIZE in the kernel."""
        return self.nonces * 4 * (52 if self.vector == 1 else 48)

    def options(self, single: bool, capacity: int) -> list[str]:
        """Build options; `capacity` is the candidates a buffer holds."""
        sizes = {"GROUP": self.group, "NONCES": self.nonces, "VECTOR": self.vector}
        sizes["UNROLL"] = self.unroll
        options = [f"-D{name}={value}" for name, value in sizes.items()]
        flags = ["-DSINGLE"] * single + ["-DSPREAD"] * self.spread
        return ["-cl-std=CL1.2", *options, f"-DCAPACITY={capacity}", *flags]


def kernel_source() -> str:
    """The kernel's text. Raises BackendUnavailable where there is none."""
    return kernel_file.read(FAMILY, KERNEL)
