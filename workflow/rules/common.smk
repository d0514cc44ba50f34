# What all rules share: the checked configuration, the plan, the names of files, and the
# functions that tell a rule its inputs and params.
#
# The plan (blocks, windows, files) is made here, when the workflow is read, before there is a
# DAG. Nothing is written then, since the folder may be locked by another run, or this be a dry
# run: what is to be kept is written once jobs start (record.smk). How to ask a source again is
# described in config/README.md.

import os
import re
import shlex
import sys
from contextlib import contextmanager
from functools import cache
from itertools import chain
from pathlib import Path

# A notebook names a backend that may not be installed here, and without it matplotlib is not even
# imported. No figure needs any.
os.environ.update(MPLBACKEND="agg")

import gwmorph
from gwmorph.codehash import stage_hash
from gwmorph.config import load_yaml, parse_config
from gwmorph.encoders.precision import settle_auto, settlement
from gwmorph.encoders.registry import check_weights
from gwmorph.encoders.sizes import check_size
from gwmorph.errors import GwmorphError
from gwmorph.grid import BLOCK_S, Grid, group_of
from gwmorph.plan import load_plan, make_plan, require_own
from gwmorph.plan import require_quiet_windows, require_rate, require_tiles, run_hash
from gwmorph.report.ending import last_error, whereabouts
from gwmorph.results import check_folder
from gwmorph.storage import sha256_of_file
from gwmorph.strain.patterns import matching_files
from gwmorph.strain.sources import make_source
from snakemake.io import contains_wildcard

# Threads that wait for others give their core away: where jobs share a machine, a training whose
# threads wait in a loop took four times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Snakemake starts scripts with this name, unquoted: a path with a space in it would be two words.
if shlex.quote(sys.executable) != sys.executable:
    interpreter = Path(sys.executable)
    os.environ.update(
        PATH=f"{interpreter.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    )
    sys.executable = interpreter.name

SCRIPTS = Path(workflow.basedir) / "scripts"
SHIPPED_WEIGHTS = str(
    Path(gwmorph.__file__).parent / "encoders" / "indomain.safetensors"
)


@contextmanager
def one_message():
    """End with the message of an error alone.

    An exception would be shown with lines of this file, which is not where the fault is.
    """
    try:
        yield
    except GwmorphError as error:
        sys.exit(f"{type(error).__name__}: {error}")


def planned(configuration):
    """Return the run's plan, and what to keep of it; a job on another node takes what was kept."""
    folder = Path("results") / configuration.run.name
    if not workflow.is_main_process:
        return load_plan(folder / "plan", configuration.run.detectors), {}
    window, picture = configuration.window, configuration.picture
    require_tiles(window, configuration.conditioning, configuration.qtransform)
    check_size(configuration.encoder.name, (picture.height, picture.width))
    check_folder(folder)
    plan, kept = make_plan(
        folder / "plan",
        configuration.run,
        configuration.source,
        Grid(window.duration_s, window.stride_s, window.context_s),
        make_source,
    )
    require_rate(plan, configuration.conditioning.sample_rate)
    require_quiet_windows(plan, configuration.score)
    return plan, kept


def checked(raw):
    """Return the configuration; of a key that stands twice in a file Snakemake takes the last."""
    if workflow.is_main_process:
        for path in workflow.configfiles:
            load_yaml(path)
    return parse_config(raw)


def settled(configuration):
    """Return the configuration with the encoder's precision decided, and what to keep of that."""
    record = Path("results") / configuration.run.name / "plan" / "encoder.json"
    encoder = settle_auto(configuration.encoder, record)
    kept = settlement(configuration.encoder, encoder)
    return (
        configuration.model_copy(update={"encoder": encoder}),
        {} if kept is None else {record.name: kept},
    )


def require_weights(may_fetch):
    """End unless the encoder's weights are there; those of the hub may be fetched.

    With a deployment method the jobs, not this process, have what reads weights.
    """
    of_hub = CONFIG.encoder.name == "dinov2" and CONFIG.encoder.weights.path is None
    here = (
        workflow.is_main_process and not workflow.deployment_settings.deployment_method
    )
    if here and (may_fetch or not of_hub):
        check_weights(CONFIG.encoder)


with one_message():
    CONFIG = checked(config)
    PLAN, KEPT = planned(CONFIG)
    CONFIG, kept_of_encoder = settled(CONFIG)
    KEPT |= kept_of_encoder
    require_weights(may_fetch=False)

RUN = CONFIG.run.name
SOURCE = CONFIG.source.kind
# For the captions of the report. Scripts are told what they need by their params alone.
config.update(CONFIG.model_dump(mode="json"))

# A job on another node reads this file, and with it the configuration and the plan, for itself.
if workflow.is_main_process:
    os.environ["GWMORPH_RUN"] = run_hash(CONFIG, PLAN)
else:
    with one_message():
        require_own(
            Path("results") / RUN,
            run_hash(CONFIG, PLAN),
            os.environ.get("GWMORPH_RUN", ""),
        )


envvars:
    "GWMORPH_RUN",


# As many downloads at once as the configuration says, unless the command line says otherwise.
workflow.global_resources.setdefault("downloads", CONFIG.source.gwosc.max_downloads)

GROUP_S = CONFIG.encoder.blocks_per_job * BLOCK_S

RECEIPTS = "results/{run}/strain/{detector}/{block}.json"
LEDGER = (
    f"results/{{run}}/ledger/{{detector}}-GWMORPH_LEDGER-{{block}}-{BLOCK_S}.parquet"
)
MEASUREMENTS = f"results/{{run}}/measurements/{{detector}}-GWMORPH_MEASUREMENTS-{{block}}-{BLOCK_S}.parquet"
TRIGGERS = f"results/{{run}}/triggers/{{detector}}-GWMORPH_TRIGGERS-{{block}}-{BLOCK_S}.parquet"
EVENTS = f"results/{{run}}/events/{{detector}}-GWMORPH_EVENTS-{{block}}-{BLOCK_S}"
PICTURES = f"results/{{run}}/pictures/{{detector}}-GWMORPH_PICTURES-{{block}}-{BLOCK_S}"
SHARD = f"results/{{run}}/embeddings/{{view}}/{{detector}}-GWMORPH_EMBEDDINGS-{{group}}-{GROUP_S}.parquet"
CLUSTERS = "results/{run}/clusters/{view}/clusters.parquet"
CLUSTER_SUMMARY = "results/{run}/clusters/{view}/cluster_summary.parquet"
DIAGNOSTICS = "results/{run}/clusters/{view}/clustering.json"

QUIET = "results/{run}/quiet/{background}/{detector}.parquet"
SCORES = "results/{run}/scores.parquet"
TRIGGER_TABLE = "results/{run}/triggers.parquet"
ABOVE_LIMIT = "results/{run}/above_limit.parquet"

SCORED = CONFIG.score.background != "none"
VIEWS = CONFIG.clustering.views
# The view whose map stands beside the summary.
MAIN_VIEW = "event" if "event" in VIEWS else "window"
# What the block stage leaves for each view; an encoder reads all of it.
OUTPUTS = {
    "window": {"ledger": LEDGER, "measurements": MEASUREMENTS, "pictures": PICTURES},
    "event": {"triggers": TRIGGERS, "pictures": EVENTS},
}


wildcard_constraints:
    run=re.escape(RUN),
    detector="[A-Z][0-9]",
    block="[0-9]+",
    group="[0-9]+",
    view="window|event",


def keys(section, *omitted):
    """Return one section of the configuration as a param, without keys that change no result."""
    return getattr(CONFIG, section).model_dump(mode="json", exclude=set(omitted))


def untracked(value):
    """Return a param that changes no result and so reruns nothing: where files lie, say.

    Snakemake compares no params that are derived from others, which it takes one for that asks for
    the input.
    """
    return lambda wildcards, input: value


def code(rule):
    """Return the hash of all code of the package that a rule's script runs."""
    return stage_hash(SCRIPTS / f"{rule}.py")


def files_of_block(wildcards):
    """Return what the source offers for a block, as plain mappings."""
    offered = PLAN[wildcards.detector].files_of(int(wildcards.block))
    return [file.to_json() for file in offered]


def as_inputs(key, paths):
    """Return the paths of a key as inputs of a rule, unless a path would be read as a pattern."""
    paths = list(paths)
    for path in paths:
        if contains_wildcard(path):
            sys.exit(
                f"ConfigError: {key}: {path} has braces in its name, which Snakemake takes for a "
                "wildcard. Give it another name, or link to it by one."
            )
    return paths


def input_files(key, detector, patterns):
    """Return the strain files that a key names for a detector, as inputs of a rule."""
    with one_message():
        return as_inputs(key, matching_files(key, detector, patterns[detector]))


# Receipts tell where files lie in the cache, which may be moved; a user's own lie anywhere.
STRAIN_ROOT = "" if SOURCE == "directory" else CONFIG.source.cache


def reading_of_detector(wildcards):
    """Return how a directory source reads the files of one detector."""
    detector, directory = wildcards.detector, CONFIG.source.directory
    return {
        "format": directory.format,
        "channel": {d: name for d, name in directory.channel.items() if d == detector},
        "dataset": {d: name for d, name in directory.dataset.items() if d == detector},
    }


def receipts_around(wildcards):
    """Return the receipts that a block reads: its own and its direct neighbours'."""
    blocks = PLAN[wildcards.detector].neighbourhood(int(wildcards.block))
    return expand(RECEIPTS, block=blocks, **names(wildcards))


def block_segments(wildcards):
    """Return the science segments that a block's job sees, as plain pairs."""
    segments = PLAN[wildcards.detector].block_segments(int(wildcards.block))
    return [[start, end] for start, end in segments]


def block_hash(wildcards):
    """Return the hash of everything in the plan that a block depends on."""
    return PLAN[wildcards.detector].block_hash(int(wildcards.block))


def names(wildcards):
    """Return the wildcards that every file of a detector has."""
    return {"run": wildcards.run, "detector": wildcards.detector}


def blocks_of_group(wildcards):
    """Return the planned blocks of one detector's group, sorted."""
    number = int(wildcards.group) // GROUP_S
    blocks = PLAN[wildcards.detector].blocks
    return [b for b in blocks if group_of(b, CONFIG.encoder.blocks_per_job) == number]


def outputs_of_group(wildcards):
    """Return by name what all blocks of a group have for one view."""
    blocks = blocks_of_group(wildcards)
    return {
        name: expand(pattern, block=blocks, **names(wildcards))
        for name, pattern in OUTPUTS[wildcards.view].items()
    }


def run_files(pattern):
    """Return the files of all blocks of the run."""
    return [
        pattern.format(run=RUN, detector=detector, block=block)
        for detector, plan in PLAN.items()
        for block in plan.blocks
    ]


def pictures(wildcards):
    """Return the folders of all pictures of one view."""
    return run_files(OUTPUTS[wildcards.view]["pictures"])


def merged_triggers(wildcards):
    """Return the run's triggers, which say what the events are."""
    return {"window": [], "event": [TRIGGER_TABLE]}[wildcards.view]


def shards_of(view):
    """Return the shards of one view of all groups of the run."""
    groups = {
        (detector, group_of(block, CONFIG.encoder.blocks_per_job) * GROUP_S)
        for detector, plan in PLAN.items()
        for block in plan.blocks
    }
    return [
        SHARD.format(run=RUN, view=view, detector=detector, group=group)
        for detector, group in sorted(groups)
    ]


def shards(wildcards):
    """Return the shards of the view that a job is for."""
    return shards_of(wildcards.view)


def span_files():
    """Return all that is named after a span of time: of the run's blocks, and of their groups."""
    patterns = [LEDGER, MEASUREMENTS, TRIGGERS, PICTURES, EVENTS]
    views = sorted({*VIEWS, *["window"] * SCORED})  # scores need all windows
    return [*chain(*map(run_files, patterns)), *chain(*map(shards_of, views))]


def score_files():
    """Return the run's events, and the scores that give them, if there are any."""
    if not SCORED:
        return expand(TRIGGER_TABLE, run=RUN)
    background, detectors = CONFIG.score.background, CONFIG.run.detectors
    quiet = expand(QUIET, run=RUN, background=background, detector=detectors)
    return quiet + expand([SCORES, TRIGGER_TABLE, ABOVE_LIMIT], run=RUN)


def stale_scores():
    """Return what a run that now does without scores may have of them from before."""
    return [] if SCORED else expand([SCORES, ABOVE_LIMIT], run=RUN)


def weights_of(name):
    """Return the local weights that an encoder of this name reads, if it does."""
    encoder = CONFIG.encoder
    named = {
        "dinov2": encoder.weights.path and f"{encoder.weights.path}/model.safetensors",
        "indomain": encoder.indomain.path or SHIPPED_WEIGHTS,
    }.get(name)
    return [path for path in [named] if path and Path(path).exists()]


@cache
def content_of(path):
    """Return the SHA-256 of a file, read once."""
    return sha256_of_file(path)


def encoder_keys(encoder=CONFIG.encoder):
    """Return what an encoder's vectors depend on, by default the run's: keys, content of weights.

    Where weights lie, or come from, is not among it.
    """
    own = {
        "dinov2": {"weights", "runtime", "precision", "output"},
        "indomain": {"indomain"},
    }
    unused = {"blocks_per_job"}.union(*own.values()) - own.get(encoder.name, set())
    section = encoder.model_dump(mode="json", exclude=unused)
    for part in ("weights", "indomain"):
        for name in ("path", "cache", "endpoint"):
            section.get(part, {}).pop(name, None)
    return section | {
        "content": [content_of(path) for path in weights_of(encoder.name)]
    }


def science_seconds():
    """Return the seconds of science segments of every detector of the run."""
    return {detector: plan.science_s for detector, plan in PLAN.items()}


def truth_files():
    """Return the joined truth table, which only simulated strain has."""
    return [f"results/{RUN}/truth.parquet"] if SOURCE == "simulated" else []


def report_files():
    """Return what the report shows of the run, of each view, and of events alone."""
    of_run = ["tables/summary.html", "figures/glitchgram.png"]
    of_view = [
        "figures/{view}/map.png",
        "figures/{view}/occupancy.png",
        "figures/{view}/galleries",
        "tables/{view}/clusters.csv",
        "tables/{view}/clusters.html",
    ]
    of_events = ["tables/event/events.html"]
    if SOURCE == "simulated":
        of_events.append("figures/event/truth.png")
    shown = [*of_run, *expand(of_view, view=VIEWS)]
    if "event" in VIEWS:
        shown += of_events
    return [f"results/{RUN}/{path}" for path in shown]
