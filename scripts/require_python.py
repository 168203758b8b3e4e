"""Imported first by the scripts: ends with one line when this Python is too old.

Runs on any Python 3, so it keeps to what all of them understand.
"""

import os
import subprocess
import sys

OLDEST = (3, 11)


def newer_python():
    # type: () -> str
    """A command that starts a new enough Python here, or an empty string."""
    for minor in (13, 12, 11, 14):
        name = "python3." + str(minor)
        with open(os.devnull, "w") as nowhere:
            try:
                if (
                    subprocess.call([name, "-c", "import venv"], stdout=nowhere, stderr=nowhere)
                    == 0
                ):
                    return name
            except OSError:
                pass
    return ""


if sys.version_info < OLDEST:
    FOUND = newer_python()
    HINT = "; run: " + FOUND + " " + sys.argv[0] if FOUND else "; install one from python.org"
    sys.exit("homehash needs Python 3.11 or newer, this is " + sys.version.split()[0] + HINT)
