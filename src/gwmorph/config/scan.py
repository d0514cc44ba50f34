"""The section ``scan``: how new data are judged as they come, block by block."""

from typing import Annotated, Literal

from pydantic import Field

from gwmorph.config.base import Detector, Section, key


class WatchConfig(Section):
    """How `gwmorph watch` looks for new files."""

    poll_s: float = key(1.0, "Between two looks at a folder for new files.", "s", ge=0.05, le=3600)
    settle_s: float = key(
        2.0,
        "A file in a folder is taken when it has not changed for so long and can be opened.",
        "s",
        ge=0,
        le=3600,
    )
    give_up_s: float = key(
        60.0,
        "A file that does not change and cannot be opened is damaged after so long; until then it "
        "may be a copy that stalls.",
        "s",
        ge=0,
        le=86400,
    )
    server_poll_s: float = key(
        60.0, "Between two questions to a server for new files.", "s", ge=1, le=86400
    )
    longest_wait_s: float = key(
        600.0,
        "A server or a receiver that fails is asked again after a wait that doubles up to this.",
        "s",
        ge=1,
        le=86400,
    )


class ReceiverConfig(Section):
    """Who is told of NOVEL events."""

    address: str | None = key(
        None,
        "Where the record of each NOVEL event goes: an address (http or https) to which it is "
        "POSTed, or a file to which it is added as a line; null means events.jsonl in the scan's "
        "folder.",
    )
    timeout_s: float = key(
        10.0, "Longest silence of the receiver before a try fails.", "s", gt=0, le=600
    )
    attempts: int = key(
        5, "Tries at the end of a scan before records stay in the outbox.", ge=1, le=50
    )
    links: str | None = key(
        None,
        "What the links in records begin with, as the address of the live page; null means links "
        "relative to the scan's folder.",
        pattern=r"^https?://\S+$",
    )


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
        "How long a block that one file holds waits for the context behind it; then it is scanned "
        "without, and windows that need it are EXCLUDED.",
        "s",
        ge=0,
        le=86400,
    )
    pieces_wait_s: float = key(
        600.0,
        "How long a block that comes in shorter files waits for the next one, from the last one "
        "on. What comes later is lost to the scan: let it be longer than files lie apart.",
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
    watch: WatchConfig = key(WatchConfig(), "How `gwmorph watch` looks for new files.")
    receiver: ReceiverConfig = key(ReceiverConfig(), "Who is told of NOVEL events.")
