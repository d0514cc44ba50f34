"""Writing GWOSC's layout when the disk does not take it."""

import subprocess
import sys

SCRIPT = """
import resource, sys
import numpy as np
from gwmorph.errors import StorageError
from gwmorph.formats.gwosc_layout import GwoscBlock, write_gwosc_block

resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
seconds = np.full(64, 127)
block = GwoscBlock(
    detector="H1", gps_start=1262301184, sample_rate=4096,
    strain=np.random.default_rng(1).standard_normal(64 * 4096),
    dq_mask=seconds, injection_mask=seconds,
)
try:
    write_gwosc_block(sys.argv[1], block)
except StorageError as error:
    sys.exit(f"StorageError: {error}")
"""


def test_a_write_that_is_cut_short_is_an_error_and_leaves_nothing(tmp_path):
    """A limit on the file's size stands for a full disk, on which HDF5 itself crashes."""
    path = tmp_path / "a.hdf5"
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(path)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"StorageError: {path}: cannot be written")
    assert list(tmp_path.iterdir()) == []
