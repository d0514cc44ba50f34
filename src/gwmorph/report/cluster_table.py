"""The table of clusters, as CSV and as a page."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from gwmorph.report.html import table_page
from gwmorph.storage import write_bytes
from gwmorph.tables.clusters import CLUSTER_SUMMARY


def write_cluster_csv(cluster_summary: pa.Table, path: Path | str) -> None:
    """Write the cluster table as CSV in full precision; column names end in their unit."""
    names = [
        f"{field.name}_{_unit(field).lower()}" if _unit(field) else field.name
        for field in CLUSTER_SUMMARY
    ]
    rows = [
        ",".join("" if value is None else str(value) for value in row.values())
        for row in _summary_rows(cluster_summary)
    ]
    write_bytes(path, "\n".join([",".join(names), *rows, ""]).encode())


def write_cluster_html(
    cluster_summary: pa.Table, diagnostics: Mapping[str, Any], path: Path | str
) -> None:
    """Write the cluster table as an HTML page; a heading's tooltip says what it means.

    Below it stands what the clustering's ``diagnostics`` say of the null.
    """
    headings = [(_heading(field), _meaning(field)) for field in CLUSTER_SUMMARY]
    rows = [map(_shown, row.values()) for row in _summary_rows(cluster_summary)]
    note = null_note(diagnostics)
    write_bytes(path, table_page("Clusters", headings, rows, note).encode())


def null_note(diagnostics: Mapping[str, Any]) -> str:
    """Say in a sentence or two what this run's clusters were compared with."""
    if not diagnostics["clustered"]:
        return (
            f"{diagnostics['rows']} rows are too few to cluster (at least "
            f"{diagnostics['minimum_rows']}): they stand in one group, and nothing supports it."
        )
    return (
        f"Method {diagnostics['method']}: {diagnostics['groups_before_joining']} groups, joined "
        f"to {diagnostics['clusters']} clusters, of which {diagnostics['clusters_supported']} are "
        f"supported. Groups with an overlap of {diagnostics['overlap_limit']:.3f} or more were "
        f"joined; the parts of {diagnostics['null_surrogates']} structureless clouds overlap by "
        f"{diagnostics['null_level']:.3f} in the median. {diagnostics['outliers']} of "
        f"{diagnostics['rows']} rows are outliers."
    )


def _summary_rows(cluster_summary: pa.Table) -> list[dict[str, object]]:
    return cluster_summary.select(CLUSTER_SUMMARY.names).sort_by("cluster").to_pylist()


def _unit(field: pa.Field) -> str:
    return field.metadata[b"unit"].decode()


def _meaning(field: pa.Field) -> str:
    return field.metadata[b"meaning"].decode()


def _heading(field: pa.Field) -> str:
    name = field.name.replace("_", " ").replace("gps", "GPS").replace("snr", "SNR")
    return f"{name} [{_unit(field)}]" if _unit(field) else name


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
