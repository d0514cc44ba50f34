"""The section ``known_events``: what is known to be in the data, and what is kept free of it."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gwmorph.config.base import DISTINCT, Section, key


class KnownEventsConfig(Section):
    """Published events and hardware injections."""

    catalog: Literal["none", "file", "gwosc"] = key(
        "none",
        "Where published events come from: a CSV file (see file), or GWOSC's list, which "
        "source.gwosc.host is asked for once; it is kept in source.cache.",
    )
    file: str | None = key(
        None, "CSV file with the columns of GWOSC's table of event versions, for catalog: file."
    )
    releases: Annotated[list[Annotated[str, Field(min_length=1)]], DISTINCT] = key(
        [], "Releases whose events count, as GWTC-3-confident; all of them if the list is empty."
    )
    injections: Annotated[list[Literal["cbc", "burst", "detchar", "cw", "stoch"]], DISTINCT] = key(
        ["cbc", "burst", "detchar"],
        "Hardware injections that count, by the masks in the strain files. Continuous waves (cw) "
        "are injected for months on end.",
    )
    near_s: float = key(
        0.5, "How far outside of a trigger's span the time of an event may lie.", "s", ge=0, le=10
    )
    margin_s: float = key(
        8.0, "What is nearer to an event or an injection is kept out with it.", "s", ge=0, le=1000
    )
    kept_out: Annotated[list[Literal["background", "references", "training"]], DISTINCT] = key(
        ["background", "references", "training"],
        "What known events and injections are kept out of: quiet windows of the run "
        "(score.background: run), labelled rows, real strain to train on.",
    )
    gap_s: float = key(
        512.0,
        "An event is compared with labelled chirps that are farther from it in time.",
        "s",
        ge=0,
    )
    listed: int = key(30, "Events most like chirps that are listed, at most.", ge=0, le=1000)

    @model_validator(mode="after")
    def _the_file_is_named(self) -> "KnownEventsConfig":
        if self.catalog == "file" and self.file is None:
            raise ValueError("catalog is file, but file names none: give the path of a CSV file")
        if self.catalog != "file" and self.file is not None:
            raise ValueError(
                f"file names {self.file!r}, but catalog is {self.catalog}: set catalog to file, "
                "or take file out"
            )
        return self
