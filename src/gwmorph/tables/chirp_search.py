"""Tables of the search for chirps."""

import pyarrow as pa

from gwmorph.tables.columns import field

_STATISTIC = field(
    "statistic", pa.string(), "", "what ranks windows: a network's score, or an SNR"
)
_SNR = field("snr", pa.float64(), "", "optimal network SNR of the signals inside their windows")
_OWN_SNR = field("snr", pa.float64(), "", "optimal network SNR of a signal", nullable=True)
_SIGNALS = field("signals", pa.int64(), "", "number of windows with a signal")
_NOISE = field("noise_windows", pa.int64(), "", "number of windows of noise")
_INTERVAL = [
    field("low", pa.float64(), "", "lower end of the 95 % interval"),
    field("high", pa.float64(), "", "upper end of the 95 % interval"),
]

TEMPLATES = pa.schema(
    [
        field("mass_1", pa.float64(), "Msun", "larger mass in the detector's frame"),
        field("mass_2", pa.float64(), "Msun", "smaller mass in the detector's frame"),
        field("spin_1", pa.float64(), "", "aligned spin of the larger mass"),
        field("spin_2", pa.float64(), "", "aligned spin of the smaller mass"),
    ],
    metadata={"gwmorph.schema": "chirp_templates"},
)
# One row for each window (and second of slid time) that was looked at, and statistic.
CHIRP_SCORES = pa.schema(
    [
        _STATISTIC,
        field("role", pa.string(), "", "'calibration', 'test', 'injection' or 'slide'"),
        field("number", pa.int64(), "", "of the window, of the signal, or of the slid second"),
        _OWN_SNR,
        field("score", pa.float64(), "", "large where there is a signal"),
    ],
    metadata={"gwmorph.schema": "chirp_scores"},
)
CHIRP_EFFICIENCY = pa.schema(
    [
        _STATISTIC,
        field("limited_by", pa.string(), "", "'probability' of a window or 'rate' in slid time"),
        field("false_alarms", pa.float64(), "", "nominal: probability, or number in an hour"),
        field("limit", pa.float64(), "", "score that a signal must exceed; of a rate the lowest"),
        _SNR,
        _SIGNALS,
        field("found", pa.int64(), "", "number of signals above the limit"),
        field("efficiency", pa.float64(), "", "found over signals"),
        *_INTERVAL,
    ],
    metadata={"gwmorph.schema": "chirp_efficiency"},
)
CHIRP_ROC = pa.schema(
    [
        _STATISTIC,
        _SNR,
        field("false_alarm_probability", pa.float64(), "", "share of noise windows above a limit"),
        field("efficiency", pa.float64(), "", "share of signals above it"),
    ],
    metadata={"gwmorph.schema": "chirp_roc"},
)
CHIRP_FIGURES = pa.schema(
    [
        _STATISTIC,
        field("figure", pa.string(), "", "'auc', or 'relative_efficiency' to the matched filter"),
        field("false_alarm_probability", pa.float64(), "", "of the limit, if there is one", True),
        field("snr_low", pa.float64(), "", "smallest SNR of the signals"),
        field("snr_high", pa.float64(), "", "largest SNR of the signals"),
        field("value", pa.float64(), "", "of all signals and windows"),
        *_INTERVAL,
        _SIGNALS,
        _NOISE,
    ],
    metadata={"gwmorph.schema": "chirp_figures"},
)
CHIRP_CONFUSION = pa.schema(
    [
        _STATISTIC,
        field("false_alarm_probability", pa.float64(), "", "nominal, of a noise window"),
        field("limit", pa.float64(), "", "set on noise that is used for nothing else"),
        field("signals_found", pa.int64(), "", "signals above the limit"),
        field("signals_missed", pa.int64(), "", "signals not above it"),
        field("false_alarms", pa.int64(), "", "fresh noise windows above it"),
        field("noise_passed_over", pa.int64(), "", "fresh noise windows not above it"),
        field("achieved", pa.float64(), "", "share of fresh noise windows above the limit"),
        *_INTERVAL,
    ],
    metadata={"gwmorph.schema": "chirp_confusion"},
)
