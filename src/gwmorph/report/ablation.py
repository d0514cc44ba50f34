"""How far clusters depend on choices of the pipeline: a figure and a table."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from gwmorph.report.agreements import agreement_table, draw_agreements
from gwmorph.report.html import page, paragraph, table
from gwmorph.report.palette import saved_figure
from gwmorph.storage import write_bytes
from gwmorph.tables.validation import NOT_APPLICABLE

LABELS = {
    "greyscale": "greyscale",
    "colormap": "another colormap",
    "inverted": "inverted levels",
    "shuffled": "shuffled levels",
    "reversed": "time reversed",
    "gain_low": "half the gain",
    "gain_high": "one and a half times the gain",
    "gain_each": "a gain of its own each, up to ±50 %",
    "context": "spectra of half blocks",
    "spectrum_length": "spectra of another length",
    "q_range": "half the largest Q",
    "plane": "another plane",
    "size": "three quarters of the size",
    "precision": "another precision",
}


def draw_ablation(agreements: pa.Table, path: Path | str) -> None:
    """Draw how far the clusters after each change agree with those before.

    ``agreements`` has rows of AGREEMENTS; what does not apply is not drawn.
    """
    labelled, _ = _parts(agreements)
    names = list(dict.fromkeys(labelled["variant"].to_pylist()))
    with saved_figure(path, 9.0, max(1.8 + 0.32 * len(names), 4.0)) as figure:
        axes = figure.subplots()
        axes.set_title("Agreement with the clusters of the unchanged pictures")
        draw_agreements(axes, labelled, names)


def write_ablation_page(agreements: pa.Table, path: Path | str) -> None:
    """Write the same as a page with a table, and below it what does not apply."""
    labelled, left_out = _parts(agreements)
    note = f"Not applicable, since it {NOT_APPLICABLE}: {', '.join(left_out)}."
    blocks = [table(*agreement_table(labelled)), *([paragraph(note)] if left_out else [])]
    write_bytes(path, page("Ablation", *blocks).encode())


def _parts(agreements: pa.Table) -> tuple[pa.Table, list[str]]:
    """Return rows of what applies, by its label, and the labels of what does not."""
    names = [LABELS.get(name, name) for name in agreements["variant"].to_pylist()]
    place = agreements.schema.get_field_index("variant")
    labelled = agreements.set_column(place, agreements.schema.field(place), pa.array(names))
    lost = pc.equal(labelled["changed"], NOT_APPLICABLE)
    return labelled.filter(pc.invert(lost)), list(
        dict.fromkeys(labelled.filter(lost)["variant"].to_pylist())
    )
