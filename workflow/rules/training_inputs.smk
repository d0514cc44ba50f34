# What the rules of training an encoder share: the names of its files, and the functions that tell a
# rule its inputs and params.

SIMULATED_PAIRS = "results/{run}/training/pairs/{part}.npz"
NOISE_PAIRS = "results/{run}/training/noise_pairs/{detector}.npz"
TRAINED = f"results/{RUN}/training"
# What every view is simulated with.
SIMULATING = {
    "seed": CONFIG.training.seed,
    "spread": CONFIG.training.spread,
    "excluded": CONFIG.training.excluded,
    "window_s": CONFIG.window.duration_s,
    "rendering": {
        "conditioning": keys("conditioning"),
        "qtransform": keys("qtransform"),
        "picture": keys("picture", "height", "width", "scale", "colormap"),
    },
}


def training_files():
    """Return what an encoder is trained for."""
    return [f"{TRAINED}/encoder.safetensors", f"{TRAINED}/losses.svg"]


def training_noise_files(wildcards):
    """Return the strain files of a detector that training views are taken from."""
    patterns = CONFIG.training.noise_files
    return input_files("training.noise_files", wildcards.detector, patterns)


def part_detector(wildcards):
    """Return the detector whose noise a part has."""
    detectors = CONFIG.training.detectors
    return detectors[int(wildcards.part) % len(detectors)]
