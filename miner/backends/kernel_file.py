"""The kernels' source texts: installed beside the modules; in a source tree, in kernels/."""

from importlib.resources import files
from pathlib import Path

from miner.errors import BackendUnavailable


def read(family: str, file: str) -> str:
    """The text of a kernel of a family. Raises BackendUnavailable where there is none."""
    try:
        beside = files("miner") / file
        if beside.is_file():
            return beside.read_text()
        return (Path(__file__).parents[2] / "kernels" / file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        why = f"its kernel cannot be read: {error}; install homehash again"
        raise BackendUnavailable(family, why) from error
