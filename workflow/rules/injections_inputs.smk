# What the rules of an injection campaign share: the names of its files, and the functions that tell
# a rule its jobs. The jobs are planned when a rule is asked for, since reading the shapes takes time.

from functools import cache
from pathlib import Path

INJECTED = "results/{run}/injections/windows/{part}.parquet"
NOISE = "results/{run}/injections/noise/{part}.parquet"
# Where a trained chirp network looked as well: only where the configuration names its weights.
SEARCHED = "results/{run}/injections/searched/{part}.parquet"
# What registers the statistics of the campaign in simulated noise.
CAMPAIGN_MODULES = [
    *CONFIG.injections.modules,
    *["gwmorph.learning.chirp_statistic"] * bool(CONFIG.chirp_search.campaign_weights),
]


@cache
def campaign_jobs():
    """Return the jobs of the campaign by name: in simulated noise, and in real noise."""
    from gwmorph.evidence.campaign import plan_jobs, plan_noise_jobs

    settings = CONFIG.injections
    with one_message():
        simulated = {job.name: job for job in plan_jobs(settings)}
        real = {
            job.name: job
            for detector in settings.noise_files
            for job in plan_noise_jobs(settings, detector)
        }
    return simulated, real


def job_of(wildcards):
    """Return everything that one job's windows depend on, as plain values."""
    from dataclasses import asdict

    simulated, real = campaign_jobs()
    return asdict({**simulated, **real}[wildcards.part])


def windows_of(role):
    """Return an input function for the windows of one role."""
    scored = SEARCHED if CONFIG.chirp_search.campaign_weights else INJECTED
    return lambda wildcards: [
        scored.format(run=wildcards.run, part=job.name)
        for job in campaign_jobs()[0].values()
        if job.role == role
    ]


def noise_windows_of(detector):
    """Return an input function for the windows of one detector's real noise."""
    return lambda wildcards: [
        NOISE.format(run=wildcards.run, part=job.name)
        for job in campaign_jobs()[1].values()
        if job.detector == detector
    ]


def noise_files_of(wildcards):
    """Return the strain files of the detector of a job in real noise."""
    detector = campaign_jobs()[1][wildcards.part].detector
    return input_files(
        "injections.noise_files", detector, CONFIG.injections.noise_files
    )


def morphology_labels(wildcards):
    """Return the labels of all morphologies of the campaign by family."""
    from gwmorph.simulation.morphologies import families

    return families(CONFIG.injections.morphologies)


def campaign_files():
    """Return what a campaign is run for."""
    folder = f"results/{RUN}/injections"
    found = [
        f"{folder}/figures",
        f"{folder}/half_recall.html",
        f"{folder}/achieved.html",
        f"{folder}/agreement.svg",
    ]
    return found + (
        [f"{folder}/noise_counts.html"] if CONFIG.injections.noise_files else []
    )


def reconstructing():
    """Return the content of the autoencoder's weights that windows are scored with, if it is named."""
    path = CONFIG.encoder.autoencoder.path
    if path is None:
        return {}
    return {"autoencoder": content_of(path) if Path(path).is_file() else None}


# Whose reconstruction error is among the statistics; by its content windows are made again.
NAMED_AUTOENCODER = untracked(CONFIG.encoder.autoencoder.model_dump(mode="json"))
# What every job looks at a window with.
LOOKING = {
    "window_s": CONFIG.window.duration_s,
    "rendering": {
        "conditioning": keys("conditioning"),
        "qtransform": keys("qtransform"),
        "picture": keys("picture"),
    },
    "events": keys("events", "max_per_window", "candidates", "parts"),
    "encoder": encoder_keys(),
    "section": untracked(keys("encoder")),
    "modules": CONFIG.injections.modules,
    **reconstructing(),
}
