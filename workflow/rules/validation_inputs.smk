# What the rules of validation share: the names of its files, and what it is made for.

import sys
from functools import cache
from pathlib import Path

from gwmorph.encoders.registry import with_weights

VALIDATION = "results/{run}/validation/{view}"
AGREEMENTS = f"{VALIDATION}/stability.parquet"
PAIRS = f"{VALIDATION}/pairs.parquet"
SURVIVAL = f"{VALIDATION}/survival.parquet"
RETRAINED = f"{VALIDATION}/stability/training_{{number}}.parquet"
DISTORTION = f"{VALIDATION}/distortion.parquet"
SEPARATION = f"{VALIDATION}/separation.parquet"
SAMPLE = f"{VALIDATION}/ablation/sample.parquet"
CHANGED = f"{VALIDATION}/ablation/{{change}}.parquet"
ABLATION = f"{VALIDATION}/ablation.parquet"
REFERENCE = f"{VALIDATION}/reference.parquet"
NAMED_ROWS = f"{VALIDATION}/named_rows.parquet"
NAMED_CLUSTERS = f"{VALIDATION}/named_clusters.parquet"
NAMING = f"{VALIDATION}/naming.parquet"
CONFUSION = f"{VALIDATION}/confusion.parquet"
ANOMALIES = f"{VALIDATION}/anomalies.parquet"
ANOMALOUS_CLUSTERS = f"{VALIDATION}/anomalous_clusters.parquet"
NOTICED = f"{VALIDATION}/noticed.parquet"
CLUSTERERS = f"{VALIDATION}/clusterers.parquet"
SIMILARITY = CONFIG.validation.similarity
TRAININGS = CONFIG.validation.stability.trainings
# Each other training by its place in the list, from 1 on.
ALL_RETRAINED = expand(
    RETRAINED, number=range(1, len(TRAININGS) + 1), allow_missing=True
)
# The run's own rows have classes: from labels, or from the truth.
HAS_CLASSES = bool(SIMILARITY.labels) or SOURCE == "simulated"
# There is something to name rows by: these, or another run's reference. Then every run is named,
# validated or not.
NAMED = HAS_CLASSES or bool(SIMILARITY.reference)
# Of each question: a figure and a table.
QUESTIONS = ["ablation", "stability", "distortion", "anomaly"]
QUESTIONS += ["similarity"] * NAMED + ["clusterers"] * HAS_CLASSES


def name_files():
    """Return what rows and clusters are named, and by what, if there is anything to name them by."""
    made = [REFERENCE, NAMED_ROWS, NAMED_CLUSTERS] * NAMED
    return expand(made, run=RUN, view=VIEWS)


def validation_files():
    """Return what the clusters are validated for: all of it, so that what is lost is made again."""
    kept = [AGREEMENTS, PAIRS, SURVIVAL, DISTORTION, SEPARATION, SAMPLE, ABLATION]
    kept += [ANOMALIES, ANOMALOUS_CLUSTERS, NOTICED, *ALL_RETRAINED]
    kept += [NAMING, CONFUSION] * NAMED + [CLUSTERERS] * HAS_CLASSES
    kept += expand(
        CHANGED, change=CONFIG.validation.ablation.changes, allow_missing=True
    )
    shown = [
        f"{VALIDATION}/{question}.{kind}"
        for question in QUESTIONS
        for kind in ("svg", "html")
    ]
    return name_files() + expand([*kept, *shown], run=RUN, view=VIEWS)


@cache
def own_render_id():
    """Return how the run's pictures are drawn, before one is."""
    from gwmorph.block import RenderParameters

    sections = [keys(name) for name in ("conditioning", "qtransform", "picture")]
    drawn = RenderParameters.from_sections(CONFIG.window.duration_s, *sections)
    return drawn.render_id


@cache
def require_comparable_reference(path):
    """End where another run's pictures were made in another way: before the first job, not late."""
    if not inputs_are_read_here():
        return
    from gwmorph.evidence.reference import check_reference

    with one_message():
        check_reference(
            path,
            own_render_id(),
            CONFIG.encoder,
            (CONFIG.picture.height, CONFIG.picture.width),
            next(map(content_of, weights_of(CONFIG.encoder)), None),
        )


def other_reference(wildcards):
    """Return the reference of another run for a job's view, where the configuration names one."""
    return reference_of_other(wildcards.view)


def reference_of_other(view):
    """Return the reference of another run for a view, where the configuration names one."""
    if SIMILARITY.reference is None:
        return []
    path = Path(SIMILARITY.reference) / view / "reference.parquet"
    if not path.is_file():
        sys.exit(
            f"ConfigError: validation.similarity.reference: {path}: no such file. Name the folder "
            "results/NAME/validation of a run whose validation is finished, for the same views."
        )
    require_comparable_reference(path)
    return as_inputs("validation.similarity.reference", [str(path)])


@cache
def require_readable_labels():
    """End where the file of labels is at fault: before the first job, not in the one that needs it."""
    if inputs_are_read_here():
        from gwmorph.labels import read_labels

        with one_message():
            read_labels(SIMILARITY.labels)


def given_labels(wildcards):
    """Return the file of labels, where the configuration names one."""
    if SIMILARITY.labels is None:
        return []
    if not Path(SIMILARITY.labels).is_file():
        sys.exit(
            f"ConfigError: validation.similarity.labels: {SIMILARITY.labels}: no such file."
        )
    require_readable_labels()
    return as_inputs("validation.similarity.labels", [SIMILARITY.labels])


@cache
def sampled_blocks():
    """Return detector and start of the blocks whose pictures are changed, drawn with the seed."""
    from gwmorph.simulation.streams import stream

    blocks = [(name, block) for name, plan in PLAN.items() for block in plan.blocks]
    own = CONFIG.validation
    if len(blocks) <= own.ablation.blocks:
        return blocks
    chosen = stream(own.seed, "ablation blocks").choice(
        len(blocks), own.ablation.blocks, replace=False
    )
    return [blocks[number] for number in sorted(chosen.tolist())]


def sampled_files(pattern):
    """Return the files of the blocks whose pictures are changed."""
    return [
        pattern.format(run=RUN, detector=detector, block=block)
        for detector, block in sampled_blocks()
    ]


def sampled_receipts(wildcards):
    """Return all receipts that drawing those blocks again reads."""
    around = [
        path
        for detector, block in sampled_blocks()
        for path in receipts_of(wildcards.run, detector, block)
    ]
    return list(dict.fromkeys(around))


def sampled_spans(wildcards):
    """Return what drawing each of those blocks again reads, as plain values."""
    return [
        {
            "detector": detector,
            "block": block,
            "receipts": receipts_of(wildcards.run, detector, block),
            "segments": [list(span) for span in PLAN[detector].block_segments(block)],
        }
        for detector, block in sampled_blocks()
    ]


@cache
def require_trainings():
    """End unless each other training is one: before the first job, not in it."""
    if not inputs_are_read_here():
        return
    from gwmorph.evidence.trainings import OWN, check_training, require_distinct

    with one_message():
        for path in TRAININGS:
            check_training(CONFIG.encoder, path)
        encoders = [with_weights(CONFIG.encoder, path) for path in TRAININGS]
        named = zip([OWN, *TRAININGS], map(weights_of, [CONFIG.encoder, *encoders]))
        require_distinct(
            [(name, content_of(file)) for name, files in named for file in files]
        )


def pictures_for_training(wildcards):
    """Return what another training encodes, once its weights are known to be one."""
    require_trainings()
    return pictures(wildcards)


def weights_of_training(wildcards):
    """Return where the weights of another training are."""
    return TRAININGS[int(wildcards.number) - 1]


def training_keys(wildcards):
    """Return what the vectors of another training depend on."""
    return encoder_keys(with_weights(CONFIG.encoder, weights_of_training(wildcards)))


def validated(*sections):
    """Return the keys of validation that a rule reads, beside those of all questions.

    Where the weights of other trainings lie is not among them, since their vectors are inputs.
    """
    read = {"seed", "rows", "block_s", "repeats"} | set(sections)
    paths = {"stability": {"trainings"}}
    return CONFIG.validation.model_dump(mode="json", include=read, exclude=paths)
