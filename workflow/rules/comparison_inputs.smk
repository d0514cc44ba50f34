# What the rules of a comparison of encoders share: the names of its files, and the functions that
# tell a rule its inputs and params.

import sys
from functools import cache
from pathlib import Path

from gwmorph.encoders.sizes import check_size

LABELLED = "results/{run}/comparison/labelled/{data}.parquet"
VECTORS = "results/{run}/comparison/vectors/{encoder}.parquet"
# Time is no result: this file differs from run to run.
COST = "results/{run}/comparison/costs/{encoder}.json"
COMPARED = "results/{run}/comparison/windows/{part}.parquet"
QUALITY = "results/{run}/comparison/quality.parquet"
# Only where labelled strain is named.
STRAIN_VIEWS = "results/{run}/comparison/labelled_strain.parquet"
STRAIN_QUALITY = "results/{run}/comparison/strain_quality.parquet"
NAMED_GLITCHES = "results/{run}/comparison/named.parquet"
COMPARED_RECALL = "results/{run}/comparison/recall.parquet"


def compared_encoders():
    """Return the names of all encoders to compare; some wherever their weights are configured."""
    weights = CONFIG.encoder.weights
    found = list(CONFIG.comparison.encoders)
    if "dinov2" not in found and (weights.path or weights.revision):
        found.append("dinov2")
    if "autoencoder" not in found and CONFIG.encoder.autoencoder.path:
        found.append("autoencoder")
    return found


def compared_vectors():
    """Return the names of all vectors to compare: the encoders', and a random network's."""
    random = ["random"] if "indomain" in compared_encoders() else []
    return compared_encoders() + random


def compared_encoder(name):
    """Return the section of one compared encoder."""
    return CONFIG.encoder.model_copy(update={"name": name})


def compared_keys(name):
    """Return the keys of one compared encoder that its vectors depend on."""
    if name == "random":
        return {"name": name, "batch_size": CONFIG.encoder.batch_size}
    return encoder_keys(compared_encoder(name))


def all_compared_keys():
    """Return the keys of all compared encoders."""
    return [compared_keys(name) for name in compared_encoders()]


def held_out_content(wildcards):
    """Return the hash of the weights whose training left out the unseen shapes, if there are any."""
    path = CONFIG.comparison.held_out
    if not path or wildcards.encoder != "indomain":
        return None
    if not Path(path).is_file():
        sys.exit(f"ConfigError: comparison.held_out: {path}: no such file.")
    return content_of(path)


def names_of(data):
    """Return the classes of labelled views."""
    own = CONFIG.comparison
    return own.unseen if data == "unseen" else own.classes


def population_of(data):
    """Return the population that labelled views are drawn from."""
    own = CONFIG.comparison
    return own.naming.population if data == "naming" else own.population


def snrs_of(data):
    """Return between which SNRs the signals of labelled views are drawn."""
    own = CONFIG.comparison
    chosen = own.naming if data == "naming" else own
    return [chosen.snr_low, chosen.snr_high]


def require_comparable():
    """End unless all that is to be compared can be: before the first job, not in it."""
    # With a deployment method the jobs, not this process, have what that takes.
    if workflow.deployment_settings.deployment_method:
        return
    from gwmorph.evidence.comparison import encoder_for_unseen
    from gwmorph.evidence.labelled import classes_for
    from gwmorph.spectra.gravityspy import find_glitch_pictures, read_energy

    own, picture = CONFIG.comparison, CONFIG.picture
    with one_message():
        for name in compared_encoders():
            check_size(name, (picture.height, picture.width))
        for data in ["seen", "unseen", *where_strain("naming")]:
            about = (names_of(data), snrs_of(data), population_of(data), own.detector)
            classes_for(data, *about)
        if own.held_out and Path(own.held_out).is_file():
            encoder_for_unseen(compared_encoder("indomain"), own.held_out, own.unseen)
        if own.glitch_pictures:
            # One of each class tells whether they are drawn as Gravity Spy's are.
            found = find_glitch_pictures(own.glitch_pictures)
            for one in {each.label: each for each in found}.values():
                read_energy(one.path)


def where_strain(*patterns):
    """Return files that are made only where labelled strain is named."""
    return list(patterns) if CONFIG.comparison.labelled_strain else []


def comparable_files(wildcards):
    """Return what a comparison is made for, where the rule is asked for that makes all of it."""
    require_comparable()
    return comparison_files()


def comparison_files():
    """Return what a comparison of encoders is made for."""
    folder = f"results/{RUN}/comparison"
    always = [f"{folder}/encoders.html", f"{folder}/encoders.svg"]
    return always + where_strain(f"{folder}/named.html")


def draws():
    """Return what is drawn of every labelled class."""
    names = ("detector", "seed", "per_class")
    return {name: getattr(CONFIG.comparison, name) for name in names}


def glitch_picture_files(wildcards):
    """Return the real pictures, where the configuration names a folder of them."""
    folder = CONFIG.comparison.glitch_pictures
    found = sorted(Path(folder).glob("*/*.png")) if folder else []
    return as_inputs("comparison.glitch_pictures", map(str, found))


def labelled_strain_files(wildcards):
    """Return the files of labelled strain, whose content is among the rule's params."""
    found = as_inputs("comparison.labelled_strain", CONFIG.comparison.labelled_strain)
    return ancient(found)


@cache
def comparison_jobs():
    """Return the jobs of the comparison's campaign by name."""
    from gwmorph.evidence.campaign import plan_jobs

    settings, campaign = CONFIG.comparison, CONFIG.comparison.campaign
    reduced = {
        "detector": settings.detector,
        "seed": settings.seed,
        **campaign.model_dump(),
    }
    with one_message():
        jobs = plan_jobs(CONFIG.injections.model_copy(update=reduced))
    return {job.name: job for job in jobs}


def comparison_job_of(wildcards):
    """Return everything that one job's windows depend on, as plain values."""
    from dataclasses import asdict

    return asdict(comparison_jobs()[wildcards.part])


def compared_windows_of(role):
    """Return an input function for the windows of one role."""
    return lambda wildcards: [
        COMPARED.format(run=wildcards.run, part=job.name)
        for job in comparison_jobs().values()
        if job.role == role
    ]


def weights_mb(wildcards):
    """Return the megabytes of each compared encoder's local weights."""
    return {
        name: sum(
            Path(path).stat().st_size for path in weights_of(compared_encoder(name))
        )
        / 1e6
        for name in compared_encoders()
    }
