"""The section ``comparison``: the comparison of encoders on labelled data."""

from typing import Annotated

from pydantic import Field, model_validator

from gwmorph.config.base import DISTINCT, Detector, EncoderName, Section, key


class ComparisonCampaignConfig(Section):
    """The small injection campaign of a comparison, at 1 % false alarms; more as `injections`."""

    reference_windows: int = key(
        600, "Quiet windows that statistics learn the background from.", ge=100
    )
    quiet_windows: int = key(
        1000, "Quiet windows that limits are set on, and as many others to test them.", ge=100
    )
    injections_per_point: int = key(40, "Injections of each morphology at each SNR.", ge=1)
    snrs: list[Annotated[float, Field(gt=0)]] = key(
        [8.0, 12.0, 20.0], "Optimal SNRs of the injections, rising.", min_length=1
    )


def _require_rising(snr_low: float, snr_high: float) -> None:
    if snr_high <= snr_low:
        raise ValueError(f"snr_high ({snr_high:g}) must be greater than snr_low ({snr_low:g})")


class NamingConfig(Section):
    """The simulated views that name the glitches of labelled strain; classes as `comparison`."""

    population: str = key(
        "config/population_o3.yaml", "File with the population that the views are drawn from."
    )
    snr_low: float = key(8.0, "Smallest optimal SNR of a view's signal.", gt=0)
    snr_high: float = key(
        200.0, "Largest optimal SNR: that of real glitches, not of what is hard to tell.", gt=0
    )

    @model_validator(mode="after")
    def _snrs_rise(self) -> "NamingConfig":
        _require_rising(self.snr_low, self.snr_high)
        return self


class ComparisonConfig(Section):
    """The comparison of encoders on labelled data, which `snakemake compare_encoders` runs."""

    encoders: Annotated[list[EncoderName], DISTINCT] = key(
        ["dct", "indomain"],
        "Encoders to compare; dinov2 and autoencoder are among them wherever encoder.weights and "
        "encoder.autoencoder say where their weights are.",
        min_length=1,
    )
    detector: Detector = key("H1", "Detector whose noise is simulated.")
    seed: int = key(
        42, "Seed of labelled signals, of their noise and of all intervals.", ge=0, le=2**32 - 1
    )
    population: str = key(
        "config/population.yaml", "File with the population whose classes are scored."
    )
    classes: Annotated[list[str], DISTINCT] = key(
        [
            "blip",
            "low_frequency_blip",
            "tomte",
            "koi_fish",
            "whistle",
            "scattered_light",
            "fast_scattering",
            "low_frequency_burst",
            "power_line",
            "air_compressor",
            "violin_mode_ring",
            "repeating_blips",
            "paired_doves",
            "light_modulation",
            "helix",
            "scratchy",
            "lines_1080",
            "low_frequency_lines",
            "chirp",
        ],
        "Classes of the population that are scored: by default all that make a trigger at these "
        "SNRs at least every fourth time.",
        min_length=2,
    )
    unseen: Annotated[list[str], DISTINCT] = key(
        [
            "sine_gaussian_q4",
            "sine_gaussian_q8",
            "sine_gaussian_q32",
            "noise_burst",
            "staircase",
            "ring_up",
        ],
        "Shapes of the injection campaign that no population has, scored on their own: by default "
        "all that make a trigger and whose Q the tiling covers.",
        min_length=2,
    )
    held_out: str | None = key(
        None,
        "Weights of an in-domain encoder whose training left out all of `unseen`; without them it "
        "is scored on these only if encoder.indomain's own training left them out.",
    )
    per_class: int = key(64, "Event views of each class.", ge=4)
    snr_low: float = key(12.0, "Smallest optimal SNR of a labelled signal.", gt=0)
    snr_high: float = key(50.0, "Largest optimal SNR of a labelled signal.", gt=0)
    glitch_pictures: str | None = key(
        None,
        "Folder of real Gravity Spy pictures without axes, "
        "<class>/<IFO>_<id>_spectrogram_<seconds>.png, that are scored as well.",
    )
    labelled_strain: Annotated[list[str], DISTINCT] = key(
        [],
        "HDF5 files of real glitches with labels, one data set each (attributes detector, label, "
        "snr, sample_rate, glitch_time_s), that are scored as well.",
    )
    naming: NamingConfig = key(
        NamingConfig(), "What the glitches of labelled strain are named from."
    )
    campaign: ComparisonCampaignConfig = key(
        ComparisonCampaignConfig(), "What each encoder's vectors find."
    )

    @model_validator(mode="after")
    def _snrs_rise(self) -> "ComparisonConfig":
        _require_rising(self.snr_low, self.snr_high)
        return self
