"""The section ``chirp_search``: networks that search strain for chirps, and a matched filter."""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from gwmorph.config.base import DISTINCT, Detector, Section, key

ChirpNetworkName = Literal["classic", "residual"]


class ChirpMassesConfig(Section):
    """The binaries that are searched for."""

    low: float = key(10.0, "Smallest mass of a component.", "solar masses", ge=3, le=200)
    high: float = key(80.0, "Largest mass of a component.", "solar masses", gt=3, le=400)
    spin: float = key(0.0, "Largest aligned spin, of either sign.", ge=0, le=0.95)

    @model_validator(mode="after")
    def _masses_rise(self) -> "ChirpMassesConfig":
        if self.high <= self.low:
            raise ValueError(f"high ({self.high:g}) must be greater than low ({self.low:g})")
        return self


class ChirpBankConfig(Section):
    """The template bank of the matched filter."""

    minimal_match: float = key(
        0.97, "Match below which a random binary becomes a template.", ge=0.5, le=0.995
    )
    patience: int = key(
        500, "Binaries in a row that match a template already, after which the bank is full.", ge=1
    )


class ChirpSlidesConfig(Section):
    """Time slides, from which limits on a rate of false alarms come."""

    count: int = key(10, "Slides.", ge=1)
    ring_s: int = key(
        512, "Seconds of noise that are slid; recorded noise may have fewer.", "s", ge=16
    )
    false_alarms_per_hour: Annotated[list[Annotated[float, Field(gt=0)]], DISTINCT] = key(
        [10.0, 1.0], "Rates of false alarms at which signals are counted.", "1/h", min_length=1
    )


class ChirpSearchConfig(Section):
    """Searching strain for chirps, which `snakemake chirp_search` trains and measures."""

    seed: int = key(61, "Seed of all signals, noise, trainings and intervals.", ge=0, le=2**32 - 1)
    detectors: Annotated[list[Detector], DISTINCT] = key(
        ["H1", "L1"],
        "Detectors whose strain a network sees at once; with one of them its score can be a "
        "statistic of the injection campaign (`campaign_weights`).",
        min_length=1,
    )
    sample_rate: Literal[2048, 4096, 8192, 16384] = key(2048, "Sample rate of a window.", "Hz")
    window_s: Literal[1, 2, 4, 8] = key(1, "Length of a window.", "s")
    low_hz: float = key(20.0, "Lower edge of the pass band.", "Hz", ge=15, le=100)
    high_hz: float = key(
        900.0, "Upper edge of the pass band, cut to 0.83 of Nyquist.", "Hz", ge=200, le=8000
    )
    merger_earliest: float = key(
        0.75, "Part of the window at which a merger lies at the earliest.", ge=0.1, le=0.9
    )
    merger_latest: float = key(
        0.95, "Part of the window at which a merger lies at the latest.", ge=0.2, le=0.98
    )
    masses: ChirpMassesConfig = key(ChirpMassesConfig(), "Which binaries.")
    noise: Literal["gaussian", "simulated", "files"] = key(
        "gaussian",
        "Noise: Gaussian with a known spectrum; simulated with lines and a wandering level, "
        "whitened by an estimated spectrum; or of `noise_files`, likewise.",
    )
    noise_s: int = key(
        1024, "Seconds of noise of each detector that are simulated for each use.", "s", ge=32
    )
    noise_files: dict[Detector, list[str]] = key(
        {}, "For each detector, patterns (globs) of strain files, for `noise: files`."
    )
    training_signals: int = key(
        1000, "Waveforms of the training, used again and again in other noise.", ge=2
    )
    validation_windows: int = key(
        2000, "Windows by which the best weights are chosen, half of them with a signal.", ge=200
    )
    test_signals: int = key(250, "Waveforms that are searched for, each at every SNR.", ge=10)
    noise_windows: int = key(
        5000, "Windows of noise that limits are set on, and as many others to test them.", ge=20
    )
    snrs: list[Annotated[float, Field(gt=0)]] = key(
        [5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 12.0, 16.0],
        "Optimal network SNRs of the signals that are searched for, rising.",
        min_length=1,
    )
    false_alarm_probabilities: Annotated[list[Annotated[float, Field(gt=0, lt=1)]], DISTINCT] = (
        key([0.01, 0.001], "Share of noise windows that may pass a limit.", min_length=1)
    )
    compared_from_snr: float = key(
        8.0, "Smallest SNR at which efficiencies are compared with the matched filter's.", gt=0
    )
    compared_to_snr: float = key(12.0, "Largest SNR of that comparison.", gt=0)
    repeats: int = key(1000, "Bootstrap draws of each interval.", ge=20, le=10_000)
    bank: ChirpBankConfig = key(ChirpBankConfig(), "The matched filter's templates.")
    slides: ChirpSlidesConfig = key(ChirpSlidesConfig(), "Time slides.")
    networks: Annotated[list[ChirpNetworkName], DISTINCT] = key(
        ["classic", "residual"], "Networks to train and to compare with the matched filter."
    )
    steps: int = key(300, "Updates of the weights of each network.", ge=1)
    batch_size: int = key(256, "Windows of an update, half of them with a signal.", ge=4)
    training_snr_first: float = key(
        16.0, "Smallest SNR of the training's signals at its beginning.", gt=0
    )
    training_snr_low: float = key(
        5.0, "Smallest SNR of them in the second half of the training.", gt=0
    )
    training_snr_high: float = key(20.0, "Largest SNR of them, always.", gt=0)
    learning_rate: float = key(0.002, "Largest learning rate.", gt=0)
    weight_decay: float = key(0.01, "Weight decay of AdamW.", ge=0)
    dropout: float = key(0.3, "Share of numbers that dropout leaves out.", ge=0, le=0.9)
    validation_steps: int = key(50, "Steps between validations.", ge=1)
    checkpoint_steps: int = key(
        50, "Steps between checkpoints, from which a killed training goes on.", ge=1
    )
    device: Literal["auto", "cpu", "cuda"] = key(
        "auto", "Where networks are trained; auto takes a GPU if there is one."
    )
    precision: Literal["auto", "float32", "bf16"] = key(
        "auto", "Numbers of the training; auto takes bf16 on processors and GPUs that have it."
    )
    campaign_weights: str | None = key(
        None,
        "Weights of a network for one detector; its score is then one more statistic of "
        "`snakemake injections`.",
    )

    @model_validator(mode="after")
    def _ranges_rise(self) -> "ChirpSearchConfig":
        ranges = {
            "snrs": self.snrs,
            "merger_earliest, merger_latest": [self.merger_earliest, self.merger_latest],
            "low_hz, high_hz": [self.low_hz, self.high_hz],
            "training_snr_low, training_snr_high": [self.training_snr_low, self.training_snr_high],
            "training_snr_first, training_snr_high": [
                self.training_snr_first,
                self.training_snr_high,
            ],
        }
        for name, values in ranges.items():
            if any(high <= low for low, high in pairwise(values)):
                raise ValueError(f"{name} must rise, got {', '.join(f'{v:g}' for v in values)}")
        return self

    @model_validator(mode="after")
    def _probabilities_are_resolved(self) -> "ChirpSearchConfig":
        finest = 1 / (self.noise_windows + 1)
        if min(self.false_alarm_probabilities) < finest * (1 - 1e-9):
            raise ValueError(
                f"false_alarm_probabilities {min(self.false_alarm_probabilities):g} is finer than "
                f"{self.noise_windows} windows (noise_windows) resolve ({finest:.2g}); raise "
                "noise_windows"
            )
        return self

    @model_validator(mode="after")
    def _rates_are_resolved(self) -> "ChirpSearchConfig":
        slides = self.slides
        finest = 3600 / (slides.count * slides.ring_s)
        if min(slides.false_alarms_per_hour) < finest:
            raise ValueError(
                f"slides.false_alarms_per_hour {min(slides.false_alarms_per_hour):g} is below the "
                f"floor 1/T_bg of {slides.count} slides of {slides.ring_s} s ({finest:.2g} per "
                "hour); raise slides.count or slides.ring_s"
            )
        if slides.count > slides.ring_s - 2 * self.window_s:
            raise ValueError(
                f"slides.count {slides.count} is more than a ring of {slides.ring_s} s allows"
            )
        return self

    @model_validator(mode="after")
    def _noise_has_its_files(self) -> "ChirpSearchConfig":
        missing = [name for name in self.detectors if name not in self.noise_files]
        if self.noise == "files" and missing:
            raise ValueError(f"noise is files, but noise_files names none of {', '.join(missing)}")
        return self
