"""Vetoes of a run: the events that are chosen, the segments around them, and how they do."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from igwn_segments import segmentlist
from numpy.typing import NDArray

from gwmorph.errors import GwmorphError
from gwmorph.evidence.vetoes import (
    MS,
    VetoFigures,
    dead_time,
    judge_veto,
    segments_around,
    spans,
)
from gwmorph.ledger import ANALYSED
from gwmorph.runs.folder import ledgers_of, table_of
from gwmorph.runs.rows import described
from gwmorph.tables.block import LEDGER, TRIGGERS
from gwmorph.tables.keys import row_keys
from gwmorph.tables.parquet import read_tables

# Loudnesses from which on triggers are counted besides, as veto evaluations of the field do.
LOUD_SNR = (8, 20)
ALL, OTHERS = "all", "others"
# Seconds before an event's first tile and after its last one, if nobody says more.
PADDING_S = 0.1


@dataclass(frozen=True)
class Veto:
    """The veto of one detector.

    ``chosen`` events lie in ``segments``, which are cut to ``analysed``; both are coalesced and in
    ms. ``figures`` judge the segments against ``all`` of the detector's events, the ``others``
    that were not chosen, and those of ``snr_8`` and ``snr_20`` or more.
    """

    detector: str
    chosen: int
    segments: segmentlist
    analysed: segmentlist
    dead_time: float
    figures: Mapping[str, VetoFigures]


def vetoes_of(
    run: Path, column: str, value: Any, padding_s: float, whole_seconds: bool = False
) -> dict[str, Veto]:
    """Make the veto of each of a run's detectors around some of its events.

    Parameters
    ----------
    run
        The run's folder.
    column, value
        Which events: those whose ``cluster``, ``status`` or ``named`` (class) this is.
    padding_s
        Seconds that are vetoed before an event's first tile and after its last one.
    whole_seconds
        Move edges outward to whole seconds, not to milliseconds.

    Raises
    ------
    GwmorphError
        The folder is no finished run's, or none of its events is chosen: the error says what there
        is. The padding is negative.
    TableError
        A table is damaged or of another version.
    """
    if not 0 <= padding_s < np.inf:
        raise GwmorphError(f"--padding: expected 0 s or more, got {padding_s:g}.")
    analysed = analysed_of(read_tables(ledgers_of(run), LEDGER))
    triggers = table_of(run, "triggers.parquet", TRIGGERS)
    triggers = triggers.append_column("trigger_time", triggers["peak_time"])
    told = described(run, "event", triggers)
    chosen = pc.fill_null(pc.equal(told[column], value), False).to_numpy()
    if not chosen.any():
        raise GwmorphError(_none_chosen(run, column, value, told))
    return vetoes_around(triggers, chosen, analysed, padding_s, whole_seconds)


def _none_chosen(run: Path, column: str, value: Any, told: pa.Table) -> str:
    known = pc.unique(told[column].drop_null()).sort().to_pylist()
    what = {"named": "class"}.get(column, column)
    if not known:
        return f"{run}: says no {what} of its events; run snakemake to its end first."
    return f"{run}: no event of {what} {value}, but of {', '.join(map(str, known))}."


def analysed_of(ledger: pa.Table) -> dict[str, segmentlist]:
    """Return the analysed time of each detector in rows of LEDGER, coalesced and in ms."""
    if not len(ledger):
        return {}
    length = int(ledger["duration_s"][0].as_py())
    sound = pc.equal(ledger["status"], ANALYSED)
    return {
        name: spans(
            ledger.filter(pc.and_(sound, pc.equal(ledger["detector"], name)))["gps_start"], length
        )
        for name in sorted(pc.unique(ledger["detector"]).to_pylist())
    }


def cluster_vetoes(
    clusters: pa.Table, triggers: pa.Table, ledger: pa.Table
) -> dict[int, dict[str, Veto]]:
    """Make the vetoes of each cluster of events, by number and detector.

    As `vetoes_of` does with `PADDING_S`, from rows of CLUSTERS (of events), TRIGGERS and LEDGER.
    """
    analysed = analysed_of(ledger)
    held = dict(zip(row_keys(clusters), clusters["cluster"].to_pylist(), strict=True))
    own = np.array([held.get(key, -1) for key in row_keys(triggers, "peak_time")])
    return {
        number: vetoes_around(triggers, own == number, analysed, PADDING_S)
        for number in np.unique(clusters["cluster"]).tolist()
    }


def vetoes_around(
    triggers: pa.Table,
    chosen: NDArray[np.bool_],
    analysed: Mapping[str, segmentlist],
    padding_s: float,
    whole_seconds: bool = False,
) -> dict[str, Veto]:
    """Make the veto of each detector of ``analysed`` around the ``chosen`` rows of TRIGGERS.

    ``analysed`` is from `analysed_of`, the others are as in `vetoes_of`.
    """
    step = MS if whole_seconds else 1
    return {
        name: _veto(name, triggers, chosen, analysed[name], padding_s, step) for name in analysed
    }


def _veto(
    detector: str,
    triggers: pa.Table,
    chosen: NDArray[np.bool_],
    analysed: segmentlist,
    padding_s: float,
    step_ms: int,
) -> Veto:
    own = pc.equal(triggers["detector"], detector).to_numpy()
    edges = triggers.filter(pa.array(own & chosen))
    around = segments_around(
        edges["tstart"].to_numpy(), edges["tend"].to_numpy(), padding_s, step_ms
    )
    segments = around & analysed
    snr = triggers["snr"].to_numpy()
    kinds = {ALL: own, OTHERS: own & ~chosen}
    kinds |= {f"snr_{least}": own & (snr >= least) for least in LOUD_SNR}
    times = triggers["peak_time"].to_numpy()
    return Veto(
        detector,
        edges.num_rows,
        segments,
        analysed,
        dead_time(segments, analysed),
        {name: judge_veto(segments, analysed, times[kind]) for name, kind in kinds.items()},
    )
