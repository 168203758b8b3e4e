"""Marks a test with the faults it covers, `@fault("B19")`; scripts/check_faults.py reads the marks.

The ids are those of tests/faults.toml. `pytest -k B19` runs the tests of a fault.
"""

import pytest

fault = pytest.mark.fault
