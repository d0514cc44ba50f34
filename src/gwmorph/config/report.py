"""The section ``report``: figures and galleries."""

from gwmorph.config.base import Section, key


class ReportConfig(Section):
    """Figures and galleries."""

    gallery_pictures: int = key(16, "Example pictures for each cluster.", ge=1, le=100)
    galleries: int = key(30, "Largest number of clusters that get a gallery.", ge=1, le=500)
    listed_events: int = key(
        10, "Events in each list of the loudest and the least probable ones.", ge=1, le=100
    )
    occupancy_bin_s: int = key(1024, "Width of the bins of occupancy over time.", "s", ge=32)
