"""Imported first by the scripts: Ctrl-C leaves without a traceback, a Python too old with one line.

Any Python 3 can read it, so it keeps to what all of them understand.
"""

import os
import signal
import sys

signal.signal(signal.SIGINT, lambda *_: os._exit(130))  # nothing is open yet; the next has its own

# isort: split
import pythons

OLDEST = (3, 11)

if sys.version_info < OLDEST:
    FOUND = pythons.find((*pythons.KERNEL_MINORS, 14))
    HINT = "; run: " + FOUND + " " + sys.argv[0] if FOUND else "; install one from python.org"
    sys.exit("homehash needs Python 3.11 or newer, this is " + sys.version.split()[0] + HINT)
