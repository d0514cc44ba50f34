# What the rules of the autoencoder share: the names of its files, and what it is made for.

AUTOENCODER = "results/{run}/autoencoder/encoder.safetensors"
AUTOENCODER_CURVES = "results/{run}/autoencoder/curves.parquet"
HEAD_CURVES = "results/{run}/autoencoder/head_curves.parquet"
AUTOENCODER_SCORES = "results/{run}/autoencoder/scores.parquet"
RECONSTRUCTIONS = "results/{run}/autoencoder/reconstructions.parquet"
# All event views: the network sees four durations at once.
EVENT_VIEWS = LABELLED_PICTURES.replace("{window}", "all")
# What trainings depend on, besides the pictures; how it multiplies changes only roundings.
LEARNING_ALIKE = {
    name: getattr(CONFIG.learning, name)
    for name in ("seed", "validation_fraction", "test_fraction")
}


def autoencoder_files():
    """Return what an autoencoder is made for."""
    folder = f"results/{RUN}/autoencoder"
    names = [
        "encoder.safetensors",
        "scores.html",
        "learning.svg",
        "reconstructions.svg",
    ]
    return [f"{folder}/{name}" for name in names]
