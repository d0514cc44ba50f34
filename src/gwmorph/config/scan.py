"""The section ``scan``: how new data are judged as they come, block by block."""

from typing import Annotated, Literal

from pydantic import Field

from gwmorph.config.base import Detector, Section, key


class ScanConfig(Section):
    """New data, block by block: what they are judged by, and when they raise an alarm."""

    atlas: str | None = key(
        None,
        "Folder of the atlas that `snakemake scan` judges by, results/NAME/calibration/atlas or a "
        "copy; null means calibration.atlas or, without one, the run's own.",
    )
    files: dict[Detector, Annotated[list[str], Field(min_length=1)]] = key(
        {},
        "For each detector, patterns of the strain files that `snakemake scan` scans (globs); "
        "without any, the run's own blocks.",
    )
    max_wait_s: float = key(
        60.0,
        "How long a block waits for strain that it lacks, in itself or as context behind it; then "
        "it is scanned without, and windows that need it are EXCLUDED.",
        "s",
        ge=0,
        le=86400,
    )
    novel_alarm: int = key(
        20,
        "An alarm is raised where more windows than these are NOVEL or hold a NOVEL event, in a "
        "block or in alarm_hours. Of known kinds calibration.rate are NOVEL, too.",
        ge=0,
    )
    alarm_hours: float = key(
        4.0,
        "Span up to a block's end in which NOVEL windows of its detector are added up.",
        "h",
        gt=0,
        le=10_000,
    )
    on_alarm: Literal["report", "fail"] = key(
        "report",
        "What `snakemake scan` does of an alarm: report it in the summary, or fail behind the "
        "tables as well.",
    )
    workers: int = key(2, "Processes that read and transform strain, a block each.", ge=1, le=256)
    queue_blocks: int = key(
        1,
        "Blocks beside those at work that are held in memory at most, 10 MB and more each.",
        ge=0,
        le=256,
    )
