# What the rules of a search for chirps share: the names of its files, and the functions that tell a
# rule its inputs and params.

from pathlib import Path

from gwmorph.errors import ConfigError

CHIRP_NOISE = "results/{run}/chirp_search/noise.npz"
CHIRP_SIGNALS = "results/{run}/chirp_search/signals/{use}.npz"
CHIRP_TEMPLATES = "results/{run}/chirp_search/templates.parquet"
CHIRP_MATCH = "results/{run}/chirp_search/match.json"
CHIRP_WEIGHTS = "results/{run}/chirp_search/networks/{network}.safetensors"
CHIRP_CURVES = "results/{run}/chirp_search/curves/{network}.parquet"
CHIRP_SCORED = "results/{run}/chirp_search/scores/{search}.parquet"
# What every window of the search is.
LOOKING_FOR_CHIRPS = {
    name: keys("chirp_search")[name]
    for name in (
        "detectors",
        "sample_rate",
        "window_s",
        "low_hz",
        "high_hz",
        "merger_earliest",
        "merger_latest",
    )
}
CHIRP_MASSES = keys("chirp_search")["masses"]
# Of these every search is made, in this order.
CHIRP_SEARCHES = ["matched_filter", *CONFIG.chirp_search.networks]
# How many waveforms each use has.
CHIRP_USES = {
    "training": CONFIG.chirp_search.training_signals,
    "validation": CONFIG.chirp_search.test_signals,
    "test": CONFIG.chirp_search.test_signals,
    "match": CONFIG.chirp_search.test_signals,
}
# Changed, these change no network.
NOT_OF_CHIRP_NETWORKS = (
    "detectors",
    "noise",
    "noise_s",
    "noise_files",
    "training_signals",
    "test_signals",
    "masses",
    "noise_windows",
    "snrs",
    "false_alarm_probabilities",
    "compared_to_snr",
    "repeats",
    "bank",
    "slides",
    "networks",
    "campaign_weights",
)


def chirp_search_files():
    """Return what a search for chirps is made for."""
    folder = f"results/{RUN}/chirp_search"
    names = ("efficiency.svg", "roc.svg", "curves.svg", "chirp_search.html")
    return [f"{folder}/{name}" for name in names]


def chirp_noise_files(wildcards):
    """Return by detector the strain files of the search, where its noise is of files."""
    own = CONFIG.chirp_search
    if own.noise != "files":
        return {}
    return {
        detector: input_files("chirp_search.noise_files", detector, own.noise_files)
        for detector in own.detectors
    }


def chirp_noise_content(wildcards):
    """Return the content of those files."""
    found = chirp_noise_files(wildcards)
    return {
        detector: [content_of(path) for path in paths]
        for detector, paths in found.items()
    }


def chirp_searcher(wildcards):
    """Return what a search searches with: a network's weights, or templates."""
    if wildcards.search == "matched_filter":
        return CHIRP_TEMPLATES.format(run=wildcards.run)
    return CHIRP_WEIGHTS.format(run=wildcards.run, network=wildcards.search)


def chirp_campaign_weights(wildcards):
    """Return the weights of the network whose score is a statistic of the campaign."""
    path = CONFIG.chirp_search.campaign_weights
    with one_message():
        if not Path(path).is_file():
            raise ConfigError(
                f"chirp_search.campaign_weights = {path}: there is no such file. Train a network "
                "for one detector with `snakemake chirp_search`, or set the key to null."
            )
    return ancient(as_inputs("chirp_search.campaign_weights", [path]))
