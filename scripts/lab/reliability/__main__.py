"""Take the reliability figures M1 to M15: `python3 scripts/lab/reliability [--quick] [--only M3]`.

Sets homehash up in .venv first, as scripts/test.py does.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
import require_python  # noqa: F401  ends here when this Python is too old

# isort: split
import bootstrap

if __name__ == "__main__":
    bootstrap.enter(("test", "fuzz"))
    from lab.reliability.command import main

    sys.exit(main())
