"""The record of a run as a page of the report."""

from html import escape

from gwmorph.batch.costs import HEADINGS, MEANING, Costs, rows_of
from gwmorph.provenance.facts import Facts
from gwmorph.provenance.references import bibliography
from gwmorph.provenance.words import acknowledgement, describe_observed, methods
from gwmorph.report.html import Words, heading, page, paragraph, table

_OBSERVED = [
    ("detector", ""),
    ("flag", "what says when data are science"),
    ("segments", "spans of science data"),
    ("science s", "seconds of science segments inside the run's span"),
    ("gridded s", "seconds inside a window of the grid"),
    ("context-limited s", "seconds in windows with science data on both sides"),
    ("livetime s", "seconds in the union of analysed windows"),
    ("triggers", "of the run's table"),
]


def record_page(facts: Facts) -> str:
    """Return a page of HTML with both paragraphs, what the run was made with, and the sources."""
    return page(
        f"How run {facts.run} was made",
        heading("Methods"),
        paragraph(methods(facts)),
        heading("Data and acknowledgements"),
        *map(paragraph, acknowledgement(facts).split("\n\n")),
        heading("Data of each detector"),
        table(_OBSERVED, [map(_text, row) for row in describe_observed(facts.observed)]),
        heading("Made with"),
        table(
            [(Words("what"), ""), (Words("which"), "")],
            [(Words(name), Words(text)) for name, text in _made_with(facts)],
        ),
        heading("What it cost"),
        paragraph(MEANING),
        _cost_table(facts.costs),
        heading("BibTeX"),
        f"<pre>{escape(bibliography(facts))}</pre>",
    )


def _cost_table(costs: Costs) -> str:
    (rule, tip), *amounts = HEADINGS
    rows = [(Words(name), *cells) for name, *cells in rows_of(costs)]
    return table([(Words(rule), tip), *amounts], rows)


def _text(value: object) -> str:
    return str(value)


def _made_with(facts: Facts) -> list[tuple[str, str]]:
    checkout, encoder = facts.checkout, facts.encoder
    changed = f"{len(checkout.changed)} files changed or new" if checkout.changed else "clean"
    weights = f"{encoder.weights_sha256} (licence: {encoder.licence or 'not known here'})"
    unlocked = [one for one in facts.packages if not one.is_locked]
    return [
        ("gwmorph", facts.version),
        (
            "git commit",
            f"{checkout.commit} ({changed})" if checkout.commit else f"none: {checkout.why}",
        ),
        ("configuration, SHA-256", facts.config_sha256),
        ("lock, SHA-256", f"{facts.lock.path}: {facts.lock.sha256}"),
        (
            "packages unlike the lock",
            ", ".join(f"{one.name} {one.version}" for one in unlocked) or "none",
        ),
        ("render id", facts.render_id),
        ("encoder id", encoder.encoder_id),
        ("weights, SHA-256", weights if encoder.weights_sha256 else "none"),
        ("seeds", ", ".join(f"{k} {v}" for k, v in facts.to_json()["seeds"].items())),
        ("machine", ", ".join(f"{k} {v}" for k, v in facts.machine.items())),
        ("jobs", f"{facts.span.start} to {facts.span.end}"),
        ("inputs", f"{len(facts.inputs)} files, each by its SHA-256 in inputs.sha256"),
    ]
