"""The entry point, `miner` and `python -m miner`; everything heavier is imported inside.

Mining and the node are stopped by signals, with exit code 0 at any moment: also while Python still
imports, and while it tidies up at the end.
"""

import os
import signal
import sys
from types import FrameType

STOPPED_BY_SIGNALS = ("mine", "node")
INTERRUPTED = 130
NUMBERS = (signal.SIGINT, signal.SIGTERM)


def main() -> None:
    stoppable = sys.argv[1:2] and sys.argv[1] in STOPPED_BY_SIGNALS
    if stoppable:
        for number in NUMBERS:
            signal.signal(number, end_at_once)  # until the command has handlers of its own
    try:
        from miner.streams import prepare

        prepare()
        from miner.cli.main import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    finally:
        if stoppable:
            for number in NUMBERS:
                signal.signal(number, signal.SIG_IGN)  # the end is under way


def end_at_once(number: int, frame: FrameType | None) -> None:
    os._exit(0)


if __name__ == "__main__":
    main()
