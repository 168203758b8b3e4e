"""Builds homehash: what pip calls (PEP 517 and 660), with the standard library alone.

A wheel holds miner/, the kernels' sources and, for its platform, the C library with its header and
record. There is no Python in the C library, so one wheel serves every Python of a platform.

  MINER_PURE=1                  no C on purpose
  MINER_NATIVE=1                fail when the C library cannot be built, instead of going without
  MINER_NO_COMPILER_DOWNLOAD=1  where no compiler works, do not ask pip for one
  CC, CFLAGS, LDFLAGS           the compiler to use alone, and flags beside ours
  --config-settings build-dir=FOLDER   keep the library there while sources and compiler stay

Without a compiler that can build a test program, `get_requires_for_build_wheel` asks pip for one
that comes as a wheel (`ziglang`). pip puts it into the folder it makes for a build, and removes it.
"""

from build_backend.hooks import (
    build_editable,
    build_sdist,
    build_wheel,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]
