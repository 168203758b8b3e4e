"""Take the reliability figures M1 to M15: `python3 scripts/reliability.py [--quick] [--only M3]`.

Sets homehash up in .venv first, as scripts/test.py does; the measures are in tests/reliability/.
"""

import sys

import require_python  # noqa: F401  ends here when this Python is too old

# isort: split
import bootstrap

if __name__ == "__main__":
    bootstrap.enter(("test", "fuzz"))
    sys.path.append(str(bootstrap.ROOT))  # last: `miner` is the installed one
    from tests.reliability.command import main

    sys.exit(main())
