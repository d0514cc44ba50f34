"""Tables of the time slides."""

import pyarrow as pa

from gwmorph.tables.columns import DETECTOR, field

_DETECTORS = field("detectors", pa.string(), "", "detectors that were compared, as 'H1 L1'")
_PLACES = ("one", "other", "third")

ARRIVALS = pa.schema(
    [
        field("morphology", pa.string(), "", "class of the signal"),
        field("number", pa.int64(), "", "number of the signal in its class, from 0"),
        DETECTOR,
        field("snr", pa.float64(), "", "optimal SNR in the window and the pass band"),
        field("gps_time", pa.float64(), "s", "GPS time at which the signal arrives"),
        *(
            field(f"trigger_{name}", pa.float64(), unit, meaning, nullable=True)
            for name, unit, meaning in (
                ("time", "s", "GPS time of the loudest trigger's peak; null without a trigger"),
                ("frequency", "Hz", "its peak frequency"),
                ("q", "", "its Q"),
                ("snr", "", "its Omicron SNR"),
            )
        ),
        field("picture", pa.binary(), "", "its event view as palette indices", nullable=True),
    ],
    metadata={"gwmorph.schema": "arrivals"},
)


def _of_each(name: str, kind: pa.DataType, unit: str, meaning: str) -> list[pa.Field]:
    """Return a column for each of two detectors, and one that only triples have."""
    return [
        field(f"{name}_{place}", kind, unit, f"{meaning} of the {place} detector", i == 2)
        for i, place in enumerate(_PLACES)
    ]


# What coincides in real time, the loudest first; all of them, significant or not.
CANDIDATES = pa.schema(
    [
        _DETECTORS,
        *_of_each("gps_start", pa.int64(), "s", "GPS start of the window of the trigger"),
        *_of_each("gps_time", pa.float64(), "s", "GPS time of the trigger's peak"),
        *_of_each("error", pa.float64(), "s", "standard deviation of the peak time"),
        *_of_each("snr", pa.float64(), "", "Omicron SNR of the trigger"),
        *_of_each("frequency", pa.float64(), "Hz", "peak frequency of the trigger"),
        *_of_each("view", pa.bool_(), "", "whether an event view was drawn of the trigger"),
        field("time_difference", pa.float64(), "s", "peak time of the other less that of the one"),
        field(
            "similarity",
            pa.float64(),
            "",
            "cosine of the two event views' vectors, of triples the mean of three; nan where one "
            "has no view",
        ),
        field(
            "known",
            pa.bool_(),
            "",
            "whether one of its triggers shows a published event or an injection",
        ),
        field("rank", pa.float64(), "", "what candidates are ordered by"),
        field("louder", pa.int64(), "", "background coincidences that rank as high"),
        field(
            "louder_without",
            pa.int64(),
            "",
            "the same without coincidences that a candidate's trigger is part of",
        ),
        field("far_per_year", pa.float64(), "1/yr", "false-alarm rate, (louder + 1)/T_bg"),
        field("far_low_per_year", pa.float64(), "1/yr", "lower end of its 95 % interval"),
        field("far_high_per_year", pa.float64(), "1/yr", "upper end of its 95 % interval"),
        field(
            "far_without_per_year", pa.float64(), "1/yr", "false-alarm rate from louder_without"
        ),
        field(
            "p_run",
            pa.float64(),
            "",
            "probability of a false alarm at this rate in the run, 1 - exp(-T far)",
        ),
        field(
            "p_loudest",
            pa.float64(),
            "",
            "(b+1)/(m+1): b of m slides have a coincidence that ranks as high",
        ),
    ],
    metadata={"gwmorph.schema": "candidates"},
)
SUMMARY = pa.schema(
    [
        _DETECTORS,
        field("reason", pa.string(), "", "why nothing could be compared, where so", nullable=True),
        *(
            field(name, kind, unit, meaning, nullable=True)
            for name, kind, unit, meaning in (
                ("livetime", pa.float64(), "s", "time that all of them analysed"),
                ("step", pa.float64(), "s", "step of the slides"),
                ("least_shift", pa.float64(), "s", "what a slide exceeds, either way around"),
                ("correlation", pa.float64(), "s", "longest correlation time of their triggers"),
                ("widest_window", pa.float64(), "s", "widest coincidence window of two triggers"),
                ("slides", pa.int64(), "", "slides that were looked at"),
                ("background", pa.float64(), "s", "livetime of all slides together"),
                ("candidates", pa.int64(), "", "coincidences in real time"),
                ("chance", pa.float64(), "", "coincidences in a slide, on average"),
                ("p_loudest", pa.float64(), "", "of the loudest candidate; 1 without one"),
                ("far_floor_per_year", pa.float64(), "1/yr", "smallest rate that can be stated"),
                (
                    "slides_that_teach",
                    pa.float64(),
                    "",
                    "slides beyond which more of them teach little; inf where they all do",
                ),
                ("windows", pa.int64(), "", "windows that both analysed; null of triples"),
                ("windows_both", pa.int64(), "", "windows that are anomalous in both"),
                ("windows_chance", pa.float64(), "", "the same in a slide, on average"),
                ("window_slides", pa.int64(), "", "slides by whole windows"),
                ("p_windows", pa.float64(), "", "(b+1)/(m+1) of the number of such windows"),
            )
        ),
    ],
    metadata={"gwmorph.schema": "timeslides_summary"},
)
SEARCHED = pa.schema(
    [
        _DETECTORS,
        DETECTOR,
        field("searched", pa.int64(), "", "triggers inside the time that all analysed"),
        field("outside", pa.int64(), "", "triggers outside of it, which are left out"),
        field("extended", pa.int64(), "", "events without a loud tile, which are left out"),
        field("without_view", pa.int64(), "", "searched triggers without an event view"),
        field("correlation", pa.float64(), "s", "correlation time of the searched triggers"),
        field("windows_anomalous", pa.int64(), "", "anomalous windows of those that all analysed"),
    ],
    metadata={"gwmorph.schema": "timeslides_searched"},
)
WINDOW_COUNTS = pa.schema(
    [
        _DETECTORS,
        field("both", pa.int64(), "", "windows that are anomalous in both detectors"),
        field("slides", pa.int64(), "", "slides with this number of them"),
    ],
    metadata={"gwmorph.schema": "window_counts"},
)
LIMITS = pa.schema(
    [
        _DETECTORS,
        field("method", pa.string(), "", "'poisson' or 'loudest event'"),
        field("morphology", pa.string(), "", "of the campaign; null for all", nullable=True),
        field("snr", pa.float64(), "", "of the campaign's injections", nullable=True),
        field("efficiency", pa.float64(), "", "share of signals that both would show"),
        field("events", pa.int64(), "", "events that may be signals: above the p-value's limit"),
        field("rate_per_year", pa.float64(), "1/yr", "90 % upper limit of the rate of signals"),
    ],
    metadata={"gwmorph.schema": "rate_limits"},
)
EFFICIENCY = pa.schema(
    [
        _DETECTORS,
        field("morphology", pa.string(), "", "what was injected"),
        field("signals", pa.int64(), "", "signals that reached both in analysed time"),
        field("triggered", pa.int64(), "", "of which both have a trigger"),
        field("coincident", pa.int64(), "", "of which the two coincide"),
        field("efficiency", pa.float64(), "", "coincident over signals"),
        field("low", pa.float64(), "", "lower end of its 95 % Wilson interval"),
        field("high", pa.float64(), "", "upper end of its 95 % Wilson interval"),
    ],
    metadata={"gwmorph.schema": "coincidence_efficiency"},
)
