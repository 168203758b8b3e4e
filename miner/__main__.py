"""The entry point, `miner` and `python -m miner`; everything heavier is imported inside.

Mining and the node are stopped by signals, with exit code 0 at any moment: also while Python still
imports, and while it tidies up at the end. Other commands end with 130 then, without a traceback.
"""

import sys

INTERRUPTED = 130
STOPPED_BY_SIGNALS = ("mine", "node")
STOPPABLE = sys.argv[1:2] != [] and sys.argv[1] in STOPPED_BY_SIGNALS

try:
    import os
    import signal
    from types import FrameType
except KeyboardInterrupt:
    sys.exit(0 if STOPPABLE else INTERRUPTED)

NUMBERS = (signal.SIGINT, signal.SIGTERM)


def main() -> None:
    """Run the command that the arguments name; leaves with its exit code."""
    # numpy's linear algebra, which nothing here needs, would take threads and memory for each core.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if STOPPABLE:
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
        for number in NUMBERS if STOPPABLE else NUMBERS[:1]:
            signal.signal(number, signal.SIG_IGN)  # the end is under way


def end_at_once(number: int, frame: FrameType | None) -> None:
    os._exit(0)


if __name__ == "__main__":
    main()
