"""The system's limit on this process's address space (`ulimit -v`), where there are such limits.

Python itself fails in odd ways when it runs out in the middle of a call (3.11: crashes, and errors
that name other functions), so a limit that cannot suffice is refused before anything is opened.
"""

import sys

from miner.errors import MinerError

MINING_MIB = 256  # a pool or a node elsewhere, one worker
NODE_MIB = 512  # with Bitcoin Core's consensus code in this process


def require(mebibytes: int, what: str) -> None:
    """Raises MinerError when the limit is below what is needed at the least."""
    if sys.platform == "win32":
        return
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < mebibytes << 20:
        raise MinerError(
            f"{what} needs {mebibytes} MiB of address space at the least, and this process may "
            f"have {limit >> 20}: raise the limit (ulimit -v)"
        )
