"""The table of clusters, as CSV and as a page."""

import csv
import io
from collections.abc import Mapping
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any

import pyarrow as pa

from gwmorph.report.html import cluster_mark, page, paragraph, table, warning
from gwmorph.report.names import NAME_HEADINGS, ClusterName, Names, name_cells
from gwmorph.storage import write_bytes
from gwmorph.tables.clusters import CLUSTER_SUMMARY
from gwmorph.wording import counted

_NOVEL = ("NOVEL", "members that are unlike every class, by the limits of calibration")
_KNOWN = ("known events", "members that show a published event or a hardware injection")
_CLUSTERS = ("cluster", "nearest_cluster")


def write_cluster_csv(
    cluster_summary: pa.Table,
    path: Path | str,
    names: Names | None = None,
    novel: Mapping[int, int] | None = None,
    known: Mapping[int, int] | None = None,
) -> None:
    """Write the cluster table as CSV in full precision; column names end in their unit.

    ``names`` are what the clusters look like, ``novel`` how many members of each are NOVEL, and
    ``known`` how many show a published event or an injection; each where that is known.
    """
    columns = [
        f"{field.name}_{_unit(field).lower()}" if _unit(field) else field.name
        for field in CLUSTER_SUMMARY
    ]
    rows = _summary_rows(cluster_summary)
    cells = [list(row.values()) for row in rows]
    if names is not None:
        columns += [field.name for field in fields(ClusterName)]
        cells = [
            [*own, *astuple(names[row["cluster"]])] for own, row in zip(cells, rows, strict=True)
        ]
    for column, counts in (("novel", novel), ("known_events", known)):
        if counts is not None:
            columns.append(column)
            cells = [[*own, counts[row["cluster"]]] for own, row in zip(cells, rows, strict=True)]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([columns, *cells])
    write_bytes(path, text.getvalue().encode())


def write_cluster_html(
    cluster_summary: pa.Table,
    diagnostics: Mapping[str, Any],
    path: Path | str,
    names: Names | None = None,
    novel: Mapping[int, int] | None = None,
    known: Mapping[int, int] | None = None,
) -> None:
    """Write the cluster table as an HTML page; a heading's tooltip says what it means.

    Below it stands what the clustering's ``diagnostics`` say of the null, and of the mixture.
    ``names`` are what the clusters look like, ``novel`` how many members of each are NOVEL, and
    ``known`` how many show a published event or an injection; each where that is known.
    """
    headings = [(_heading(field), _meaning(field)) for field in CLUSTER_SUMMARY]
    rows = _summary_rows(cluster_summary)
    cells = [list(map(_shown, CLUSTER_SUMMARY, row.values())) for row in rows]
    if names is not None:
        headings[1:1] = NAME_HEADINGS
        for own, row in zip(cells, rows, strict=True):
            own[1:1] = name_cells(names[row["cluster"]])
    for heading, counts in ((_NOVEL, novel), (_KNOWN, known)):
        if counts is not None:
            headings.append(heading)
            for own, row in zip(cells, rows, strict=True):
                own.append(str(counts[row["cluster"]]))
    notes = map(paragraph, [null_note(diagnostics), *mixture_note(diagnostics)])
    warnings = map(warning, mixture_warnings(diagnostics))
    write_bytes(path, page("Clusters", table(headings, cells), *notes, *warnings).encode())


def null_note(diagnostics: Mapping[str, Any]) -> str:
    """Say in a sentence or two what this run's clusters were compared with."""
    rows = counted(diagnostics["rows"], "row")
    if not diagnostics["clustered"]:
        return (
            f"{rows}, too few to cluster (at least {diagnostics['minimum_rows']}): one group, and "
            "nothing supports it."
        )
    groups = counted(diagnostics["groups_before_joining"], "group")
    return (
        f"Method {diagnostics['method']}: {groups}, joined to "
        f"{counted(diagnostics['clusters'], 'cluster')}, {diagnostics['clusters_supported']} of "
        "them supported. Groups with an overlap of "
        f"{diagnostics['overlap_limit']:.3f} or more were joined; the parts of "
        f"{counted(diagnostics['null_surrogates'], 'structureless cloud')} overlap by "
        f"{diagnostics['null_level']:.3f} in the median. {rows}, "
        f"{counted(diagnostics['outliers'], 'outlier')} among them."
    )


def mixture_note(diagnostics: Mapping[str, Any]) -> list[str]:
    """Return a sentence or two on how the fit of a mixture went; nothing of another method."""
    if "converged" not in diagnostics:
        return []
    return [
        f"The mixture: {diagnostics['starts_converged']} of "
        f"{counted(diagnostics['starts'], 'start')} converged, and the best of all is taken. It "
        f"uses {diagnostics['components_used']} of the "
        f"{counted(diagnostics['truncations'][-1], 'component')} that it may; by their weights "
        f"they count as {diagnostics['effective_components']:.1f} equal ones."
    ]


def mixture_warnings(diagnostics: Mapping[str, Any]) -> list[str]:
    """Return a warning for each check that the fit of a mixture does not pass."""
    if "converged" not in diagnostics:
        return []
    warnings = []
    if not diagnostics["converged"]:
        warnings.append(
            f"Warning: the mixture did not converge in {diagnostics['iterations']} iterations, so "
            "its groups are not final. Raise clustering.mixture.max_iterations."
        )
    if diagnostics["components_used"] >= diagnostics["truncations"][-1]:
        warnings.append(
            "Warning: the mixture uses every component that it may, so its groups may be coarser "
            "than the data. Raise clustering.mixture.components, or cluster more rows: each "
            "component needs more of them than the space has dimensions."
        )
    return warnings


def _summary_rows(cluster_summary: pa.Table) -> list[dict[str, Any]]:
    return cluster_summary.select(CLUSTER_SUMMARY.names).sort_by("cluster").to_pylist()


def _unit(field: pa.Field) -> str:
    return field.metadata[b"unit"].decode()


def _meaning(field: pa.Field) -> str:
    return field.metadata[b"meaning"].decode()


def _heading(field: pa.Field) -> str:
    name = field.name.replace("_", " ").replace("gps", "GPS").replace("snr", "SNR")
    return f"{name} [{_unit(field)}]" if _unit(field) else name


def _shown(field: pa.Field, value: Any) -> str:
    if value is None:
        return ""
    if field.name in _CLUSTERS:
        return cluster_mark(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _number(field, value) if isinstance(value, float) else str(value)


def _number(field: pa.Field, value: float) -> str:
    """Write a time to the millisecond, anything else to three digits and without an exponent."""
    if "GPS" in _meaning(field):
        return f"{value:.3f}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
