"""Run the block stage once in this process and print its peak resident memory in MB.

``python one_block.py RECEIPTS FOLDER``: receipts of one simulated block, folder for the outputs.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from block import block
from gwmorph.config import Config


def main(receipts: Path, folder: Path) -> None:
    (file,) = json.loads(receipts.read_text())
    config = Config()
    block(
        [receipts],
        file["detector"],
        file["gps_start"],
        [(file["gps_start"], file["gps_start"] + file["duration"])],
        config.window.model_dump(),
        {
            "conditioning": config.conditioning.model_dump(),
            "qtransform": config.qtransform.model_dump(),
            "picture": config.picture.model_dump(),
        },
        folder / "ledger.parquet",
        folder / "measurements.parquet",
        folder / "pictures",
    )
    print(peak_rss_mb())


def peak_rss_mb() -> float:
    """Return this program's peak in 10⁶ bytes; ``ru_maxrss`` would hold its parent's, too."""
    status = Path("/proc/self/status").read_text().splitlines()
    (peak,) = (line for line in status if line.startswith("VmHWM"))
    return int(peak.split()[1]) * 1024 / 1e6


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
