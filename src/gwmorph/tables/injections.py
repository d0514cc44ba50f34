"""Tables of the injection campaign."""

from collections.abc import Mapping

import pyarrow as pa

from gwmorph.tables.columns import DETECTOR, GPS_START, TILE_COLUMNS, field

_INJECTION = [
    field("role", pa.string(), "", "'reference', 'calibration', 'test', 'injection' or 'noise'"),
    field("part", pa.string(), "", "job that made the row; it has noise of its own"),
    field("number", pa.int64(), "", "of the noise window inside its part"),
    DETECTOR,
    GPS_START,
    field("morphology", pa.string(), "", "what was injected", nullable=True),
    field("snr", pa.float64(), "", "optimal SNR in the window and the pass band", nullable=True),
    field("gps_time", pa.float64(), "s", "GPS time of the injection", nullable=True),
    field("parameters", pa.string(), "", "all that was drawn for it, as JSON", nullable=True),
    *TILE_COLUMNS,
    *(
        field(f"trigger_{name}", pa.float64(), unit, f"{name} of the loudest trigger", True)
        for name, unit in (
            ("frequency", "Hz"),
            ("q", ""),
            ("duration", "s"),
            ("bandwidth", "Hz"),
            ("snr", ""),
        )
    ),
]


def injected_windows(widths: Mapping[str, int]) -> pa.Schema:
    """Return the schema of scored windows, with one column for each statistic.

    ``widths`` gives the number of features of each statistic; one is a plain number, more are a
    list of single precision.
    """
    return pa.schema(
        [*_INJECTION, *(_features(name, width) for name, width in widths.items())],
        metadata={"gwmorph.schema": "injected_windows"},
    )


def _features(name: str, width: int) -> pa.Field:
    item = pa.field("item", pa.float32(), nullable=False)
    kind = pa.float64() if width == 1 else pa.list_(item, width)
    return field(name, kind, "", f"statistic {name}, or what it is made from")


RECALL = pa.schema(
    [
        field("statistic", pa.string(), "", "name of the statistic"),
        field("false_alarm_fraction", pa.float64(), "", "of quiet windows above the limit"),
        field("limit", pa.float64(), "", "what a window's score must exceed to be found"),
        field("morphology", pa.string(), "", "what was injected"),
        field("snr", pa.float64(), "", "optimal SNR in the window and the pass band"),
        field("injections", pa.int64(), "", "number of injections"),
        field("found", pa.int64(), "", "number of injections above the limit"),
        field("recall", pa.float64(), "", "found over injections"),
        field("low", pa.float64(), "", "lower end of the 95 % Wilson interval"),
        field("high", pa.float64(), "", "upper end of the 95 % Wilson interval"),
    ],
    metadata={"gwmorph.schema": "recall"},
)
HALF_RECALL = pa.schema(
    [
        field("statistic", pa.string(), "", "name of the statistic"),
        field("false_alarm_fraction", pa.float64(), "", "of quiet windows above the limit"),
        field("morphology", pa.string(), "", "what was injected"),
        field("reached", pa.string(), "", "'below' the lowest SNR, 'inside', or 'not' at all"),
        field("snr", pa.float64(), "", "SNR of 50 % recall, where inside", nullable=True),
    ],
    metadata={"gwmorph.schema": "half_recall"},
)
NOISE_COUNTS = pa.schema(
    [
        DETECTOR,
        field("statistic", pa.string(), "", "name of the statistic"),
        field("false_alarm_fraction", pa.float64(), "", "of simulated windows above the limit"),
        field("limit", pa.float64(), "", "what a window's score must exceed to be counted"),
        field("morphology", pa.string(), "", "what was injected, if anything", nullable=True),
        field("snr", pa.float64(), "", "optimal SNR against the median spectrum", nullable=True),
        field("windows", pa.int64(), "", "number of windows"),
        field("above", pa.int64(), "", "number of windows above the limit"),
    ],
    metadata={"gwmorph.schema": "noise_counts"},
)
AGREEMENT = pa.schema(
    [
        field("features", pa.string(), "", "'event view' or 'trigger columns'"),
        field("snr", pa.float64(), "", "optimal SNR of the injections"),
        field("injections", pa.int64(), "", "number of found injections"),
        field("classes", pa.int64(), "", "number of morphologies among them"),
        field("top1", pa.float64(), "", "share whose nearest neighbours' class is their own"),
        field("top1_low", pa.float64(), "", "lower end of its 95 % Wilson interval"),
        field("top1_high", pa.float64(), "", "upper end of its 95 % Wilson interval"),
        *(
            field(name, kind, "", meaning, nullable=True)
            for name, kind, meaning in (
                ("clusters", pa.int64(), "number of clusters, where there are any"),
                ("ari", pa.float64(), "adjusted Rand index of clusters and classes"),
                ("ami", pa.float64(), "adjusted mutual information of clusters and classes"),
                ("purity", pa.float64(), "share in clusters whose commonest class is their own"),
                ("largest_share", pa.float64(), "share of the largest cluster"),
                ("ari_without_largest", pa.float64(), "the Rand index outside that cluster"),
                ("jaccard", pa.float64(), "mean over clusters of the best class's overlap"),
            )
        ),
    ],
    metadata={"gwmorph.schema": "agreement"},
)
