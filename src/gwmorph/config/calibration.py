"""The section ``calibration``: when a row is unlike every known class."""

from typing import Annotated, Literal

from pydantic import Field

from gwmorph.config.base import DISTINCT, Section, key

Rate = Annotated[float, Field(gt=0, lt=1)]


class CalibrationConfig(Section):
    """When a row is called NOVEL, and what `snakemake calibrate` says of it."""

    seed: int = key(23, "Seed of all that is drawn to measure limits.", ge=0, le=2**32 - 1)
    rate: float = key(
        0.05,
        "Share of new rows of known classes that may be called NOVEL. A class takes 1/rate - 1 "
        "labelled rows for a limit of its own; smaller ones get the rate that their size allows. "
        "Where even the largest class, or by promise overall all rows, are too few, a rate other "
        "than the default is refused; the default is by calibrate alone.",
        gt=0,
        lt=1,
    )
    promise: Literal["each_class", "overall"] = key(
        "overall",
        "For whom the rate holds: for the rows of all classes together (a row is NOVEL where it "
        "is unlike all labelled rows), or for each class (NOVEL where it is unlike every class by "
        "that class's own limit; where classes differ in how alike their rows are, hardly any "
        "row is).",
    )
    agreeing: float = key(
        0.6,
        "Share of a row's nearest labelled rows (validation.similarity.neighbors) that must have "
        "one class for it to be KNOWN; else it is AMBIGUOUS.",
        gt=0,
        le=1,
    )
    atlas: str | None = key(
        None,
        "Folder of another run's atlas, results/NAME/calibration/atlas or a copy, by which alone "
        "this run is judged: labelled rows, limits, rate, promise, agreeing and "
        "validation.similarity.neighbors are the atlas's, and this run's own are not read.",
    )
    elsewhere: Literal["refused", "allowed"] = key(
        "refused",
        "Whether an atlas may be used outside of the GPS span and detectors that it is of.",
    )
    rates: Annotated[list[Rate], Field(min_length=1), DISTINCT] = key(
        [0.01, 0.05],
        "At which achieved rates and what is noticed are measured, beside the rate in use.",
    )
    resplits: int = key(
        20,
        "Times that each class is cut into halves, of which one judges the other.",
        ge=2,
        le=1000,
    )
    drift: float = key(
        0.01,
        "p-value at which rows are so unlike an atlas's own that limits are to be made anew.",
        gt=0,
        lt=1,
    )
