"""What a run amounts to: a dictionary for ``summary.json`` and its print-out.

``summarise(run, livetimes, ledger, measurements, events_snr, cluster_summary, clustering)``
    ``livetimes`` is ``{detector: {"science_s", "gridded_s", "context_limited_s",
    "analysed_s"}}`` (from ``gwmorph.ledger``), ``clustering`` the content of ``clustering.json``.
``print_summary(summary, report)``
    Print it to the terminal, with the place of the report.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa


def summarise(
    run: str,
    livetimes: Mapping[str, Mapping[str, int]],
    ledger: pa.Table,
    measurements: pa.Table,
    events_snr: float,
    cluster_summary: pa.Table,
    clustering: Mapping[str, Any],
) -> dict[str, Any]:
    """Summarise a run."""
    raise NotImplementedError


def print_summary(summary: Mapping[str, Any], report: Path | str) -> None:
    """Print a summary to the terminal."""
    raise NotImplementedError
