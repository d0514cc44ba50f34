"""Comparing small numbers.

`pytest.approx` and `numpy.isclose` also accept what is off by an absolute 1e-12 or 1e-8, and
strain is 1e-21, a spectrum 1e-46: next to those, anything is close. A test in test_house.py holds
all others to it.
"""

from typing import Any

import pytest


def near(expected: Any, rel: float = 1e-6) -> Any:
    """Return what equals ``expected`` within a share ``rel`` of it, however small it is."""
    return pytest.approx(expected, rel=rel, abs=0)
