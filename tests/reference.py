"""Tables of numbers against those that were written down.

``pytest --force-regen`` writes them anew: look at what changed before you commit it.
"""

import numpy as np

# Processors round the last digits in their own way, in double and in single precision.
DOUBLE = {"rtol": 1e-6, "atol": 0}
SINGLE = {"rtol": 1e-4, "atol": 0}


def check(num_regression, names, rows, tolerance=DOUBLE, signed=()):
    """Compare rows of numbers; ``signed`` are columns of order one that may be next to nothing."""
    columns = dict(zip(names, np.array(rows, dtype=float).T, strict=True))
    num_regression.check(
        columns,
        tolerances={name: {"rtol": 0, "atol": tolerance["rtol"]} for name in signed},
        default_tolerance=tolerance,
    )
