"""Veto segments as files: segwizard text, LIGO_LW XML, and the figures as JSON."""

import io
import re
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from igwn_segments import segmentlist

from gwmorph.evidence.vetoes import MS
from gwmorph.naming import span_name
from gwmorph.runs.vetoes import ALL, OTHERS, PADDING_S, Veto
from gwmorph.storage import atomic_path, write_bytes, write_json
from gwmorph.wording import number

# What the figures can mean and what not; it is in every file.
SAFETY = (
    "Made of the gravitational-wave channel's own triggers: a signal makes such triggers, too, so "
    "that this veto is not safe. It catches its own cluster by construction. Use "
    "it to set glitches apart in a study, never to remove time from a search."
)


@dataclass(frozen=True)
class Choice:
    """What a veto is made of: the events of a ``run``'s cluster, class or status.

    ``kind`` is which of these, ``value`` its number or name; the others as in
    `gwmorph.runs.vetoes.vetoes_of`.
    """

    run: str
    kind: str
    value: int | str
    padding_s: float = PADDING_S
    whole_seconds: bool = False

    @property
    def name(self) -> str:
        """Name the veto in capitals, as ``CLUSTER_5``."""
        return re.sub("[^A-Z0-9]+", "_", f"{self.kind}_{self.value}".upper())

    def to_json(self) -> dict[str, Any]:
        """Return it as a veto's figures have it."""
        own = asdict(self)
        return {own.pop("kind"): own.pop("value"), **own}


def write_veto(veto: Veto, folder: Path, choice: Choice) -> list[Path]:
    """Write one detector's veto as ``.txt`` (segwizard), ``.xml`` (LIGO_LW) and ``.json``.

    gwpy reads them: ``SegmentList.read(PATH, format="segwizard")`` and
    ``DataQualityFlag.read(PATH, "H1:GWMORPH-VETO_CLUSTER_5:1")``. In the XML the analysed time is
    what is known of the flag. Returns the paths.

    Raises
    ------
    StorageError
        A file cannot be written whole.
    """
    first, last = veto.analysed.extent()
    start, duration = first // MS, (last - first) // MS
    what = f"VETO_{choice.name}"
    paths = [
        folder / span_name(veto.detector, what, start, duration, extension)
        for extension in ("txt", "xml", "json")
    ]
    flag = f"GWMORPH-{what}"
    text, xml, numbers = paths
    write_bytes(text, _segwizard(veto, f"{veto.detector}:{flag}:1").encode())
    with atomic_path(xml) as partial:
        _write_ligo_lw(veto, flag, partial)
    about = {"flag": f"{veto.detector}:{flag}:1", **figures_of(veto), **choice.to_json()}
    write_json(numbers, about)
    return paths


def figures_of(veto: Veto) -> dict[str, Any]:
    """Return a veto's figures, with units in the keys; null where there is none."""
    return {
        "detector": veto.detector,
        "chosen_triggers": veto.chosen,
        "segments": len(veto.segments),
        "vetoed_s": abs(veto.segments) / MS,
        "livetime_s": abs(veto.analysed) / MS,
        "dead_time": veto.dead_time,
        "against": {
            name: {key: value if isfinite(value) else None for key, value in asdict(found).items()}
            for name, found in veto.figures.items()
        },
        "safety": SAFETY,
    }


def summary_of(veto: Veto) -> str:
    """Return the main figures in a line."""
    every, others = veto.figures[ALL], veto.figures[OTHERS]
    return (
        f"{len(veto.segments)} segments around {veto.chosen} of {every.triggers} triggers; dead "
        f"time {100 * veto.dead_time:.3f} % of {abs(veto.analysed) // MS} s; efficiency "
        f"{every.efficiency:.3f}, over dead time {_ratio(every.efficiency_over_dead_time)}; "
        f"use {number(every.use_percentage, '.1f', 'none')} %; of the {others.triggers} other "
        f"triggers {others.vetoed} are vetoed, over dead time "
        f"{_ratio(others.efficiency_over_dead_time)}"
    )


def _ratio(value: float) -> str:
    return number(value, ".1f", "none")


def _segwizard(veto: Veto, flag: str) -> str:
    """Return the segments as text; the header's comments begin with # as the format's do."""
    lines = [f"# {flag}", f"# {summary_of(veto)}", f"# {SAFETY}"]
    stream = io.StringIO()
    stream.write("\n".join(lines) + "\n# seg\tstart\tstop\tduration\n")
    for place, (start, stop) in enumerate(veto.segments):
        stream.write(f"{place}\t{_seconds(start)}\t{_seconds(stop)}\t{_seconds(stop - start)}\n")
    return stream.getvalue()


def _seconds(ms: int) -> str:
    whole, rest = divmod(ms, MS)
    return f"{whole}.{rest:03d}" if rest else str(whole)


def _write_ligo_lw(veto: Veto, flag: str, path: Path) -> None:
    """Write the tables; the process has neither time, host nor user: equal vetoes, equal bytes."""
    from importlib.metadata import version

    from igwn_ligolw import ligolw, lsctables
    from igwn_ligolw.utils import write_filename
    from igwn_ligolw.utils.segments import LigolwSegmentList, LigolwSegments

    document = ligolw.Document()
    document.appendChild(ligolw.LIGO_LW())
    processes = lsctables.ProcessTable.new(["process_id", "program", "version"])
    document.childNodes[0].appendChild(processes)
    process = processes.RowType(process_id=0, program="gwmorph", version=version("gwmorph"))
    processes.append(process)
    with LigolwSegments(document, process) as lists:
        lists.add(
            LigolwSegmentList(
                active=_gps(veto.segments),
                valid=_gps(veto.analysed),
                instruments={veto.detector},
                name=flag,
                version=1,
                comment=f"{summary_of(veto)}. {SAFETY}",
            )
        )
    write_filename(document, str(path))


def _gps(segments: segmentlist) -> segmentlist:
    from igwn_segments import segment
    from lal import LIGOTimeGPS

    def at(ms: int) -> LIGOTimeGPS:
        return LIGOTimeGPS(ms // MS, ms % MS * (1_000_000_000 // MS))

    return segmentlist(segment(at(start), at(stop)) for start, stop in segments)
