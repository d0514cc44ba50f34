"""What a scan is done with, from the sections of a configuration."""

from dataclasses import dataclass

from gwmorph.block import EventParameters, RenderParameters
from gwmorph.config import Config
from gwmorph.grid import Grid


@dataclass(frozen=True)
class ScanSettings:
    """Everything that a scan is told; names, units and meanings as in the configuration.

    Attributes
    ----------
    parts : ``events.parts``.
    false_alarm_fraction : ``score.false_alarm_fraction``; None for a run without scores.
    gap_s : ``known_events.gap_s``.
    batch_size : ``encoder.batch_size``.
    """

    grid: Grid
    rendering: RenderParameters
    events: EventParameters
    parts: tuple[str, ...]
    false_alarm_fraction: float | None
    gap_s: float
    batch_size: int
    max_excluded_fraction: float
    max_wait_s: float
    pieces_wait_s: float
    novel_alarm: int
    alarm_hours: float
    workers: int
    queue_blocks: int


def settings_of(config: Config) -> ScanSettings:
    """Return what a scan with a configuration is done with."""
    window, scan = config.window, config.scan
    return ScanSettings(
        grid=Grid(window.duration_s, window.stride_s, window.context_s),
        rendering=RenderParameters.of(config),
        events=EventParameters(**config.events.model_dump(exclude={"parts"})),
        parts=tuple(config.events.parts),
        false_alarm_fraction=(
            None if config.score.background == "none" else config.score.false_alarm_fraction
        ),
        gap_s=config.known_events.gap_s,
        batch_size=config.encoder.batch_size,
        max_excluded_fraction=config.run.max_excluded_fraction,
        max_wait_s=scan.max_wait_s,
        pieces_wait_s=scan.pieces_wait_s,
        novel_alarm=scan.novel_alarm,
        alarm_hours=scan.alarm_hours,
        workers=scan.workers,
        queue_blocks=scan.queue_blocks,
    )
