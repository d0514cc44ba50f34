# The checked configuration and the plan.
#
# The plan (blocks, windows, files) is made here, when the workflow is read, before there is a
# DAG. Nothing is written then, since the folder may be locked by another run, or this be a dry
# run: what is to be kept is written once jobs start (record.smk). How to ask a source again is
# described in config/README.md.

import os
import shlex
import sys
from pathlib import Path

# A notebook names a backend that may not be installed here, and without it matplotlib is not even
# imported. No figure needs any.
os.environ.update(MPLBACKEND="agg")

from gwmorph.config import load_yaml, parse_config
from gwmorph.encoders.precision import settle_auto, settlement
from gwmorph.encoders.registry import check_weights
from gwmorph.encoders.sizes import check_size
from gwmorph.grid import Grid
from gwmorph.plan import load_plan, make_plan, require_own
from gwmorph.plan import require_quiet_windows, require_rate, require_tiles, run_hash
from gwmorph.plan import wait_to_expect
from gwmorph.results import check_folder
from gwmorph.strain.sources import make_source

# Threads that wait for others give their core away: where jobs share a machine, a training whose
# threads wait in a loop took four times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# A job of a batch system writes what is temporary on its node's own disk, where that has one for it.
# Of SLURM's variables Snakemake's plugin leaves a job few.
for scratch in ("SLURM_TMPDIR", "_CONDOR_SCRATCH_DIR"):
    if not workflow.is_main_process and os.environ.get(scratch):
        os.environ.update(TMPDIR=os.environ[scratch])
# Snakemake starts scripts with this name, unquoted: a path with a space in it would be two words.
if shlex.quote(sys.executable) != sys.executable:
    interpreter = Path(sys.executable)
    os.environ.update(
        PATH=f"{interpreter.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    )
    sys.executable = interpreter.name


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
    if wait := wait_to_expect(plan):
        print(wait, file=sys.stderr)
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


def inputs_are_read_here():
    """Return whether this process is to look into weights and tables, before there are jobs that do.

    With a deployment method the jobs, not this process, have what reads them.
    """
    deployed = workflow.deployment_settings.deployment_method
    return workflow.is_main_process and not deployed


def require_weights(may_fetch):
    """End unless the encoder's weights are there; those of the hub may be fetched."""
    of_hub = CONFIG.encoder.name == "dinov2" and CONFIG.encoder.weights.path is None
    if inputs_are_read_here() and (may_fetch or not of_hub):
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
            # HTCondor's plugin hands it over with the quotes that it puts around it.
            os.environ.get("GWMORPH_RUN", "").strip('"'),
        )


envvars:
    "GWMORPH_RUN",
