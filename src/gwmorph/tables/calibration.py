"""Tables of the limits on what is new, and of what becomes of each window and event."""

import pyarrow as pa

from gwmorph.tables.columns import DETECTOR, GPS_START, TRIGGER_TIME, VIEW, field

_VALUE = [
    field("value", pa.float64(), "", "the figure"),
    field("low", pa.float64(), "", "lower end of its 95 % interval; nan with too few blocks"),
    field("high", pa.float64(), "", "upper end of its 95 % interval; nan with too few blocks"),
    field("rows", pa.int64(), "", "rows that it was taken on"),
]
# Below which best cosine a row is not of a class.
THRESHOLDS = pa.schema(
    [
        field("label", pa.string(), "", "class; '' for all rows of the reference as one class"),
        field("members", pa.int64(), "", "rows of the class in the reference"),
        field("rate", pa.float64(), "", "of new rows of the class below the limit, as asked for"),
        field(
            "granted",
            pa.float64(),
            "",
            "the same as the class's size allows, k/(members + 1); null for a class of one row",
            nullable=True,
        ),
        field(
            "limit",
            pa.float64(),
            "",
            "best cosine to a member that the k-th least of its members has; null without one",
            nullable=True,
        ),
        field(
            "percentile",
            pa.float64(),
            "",
            "of the cosines of random pairs of members at the same rate, for comparison",
            nullable=True,
        ),
    ],
    metadata={"gwmorph.schema": "thresholds"},
)
# What becomes of each window (one row a planned one), or of each event.
STATUSES = pa.schema(
    [
        DETECTOR,
        GPS_START,
        VIEW,
        TRIGGER_TIME,
        field("status", pa.string(), "", "EXCLUDED, QUIET, KNOWN, AMBIGUOUS or NOVEL"),
        field(
            "named",
            pa.string(),
            "",
            "commonest class of its nearest labelled rows; null where no vector was asked",
            nullable=True,
        ),
        field("agreeing", pa.float64(), "", "share of them that have it", nullable=True),
        field("similarity", pa.float64(), "", "best cosine to a labelled row", nullable=True),
        field(
            "p_value",
            pa.float64(),
            "",
            "in the class that fits best, the share of members that are no more like it, "
            "(b+1)/(m+1)",
            nullable=True,
        ),
    ],
    metadata={"gwmorph.schema": "statuses"},
)
# How many rows of known class are called NOVEL all the same.
ACHIEVED_RATES = pa.schema(
    [
        field("split", pa.string(), "", "which rows set limits, and which were judged"),
        field("method", pa.string(), "", "how NOVEL was decided"),
        field("rate", pa.float64(), "", "of rows of known class called NOVEL, as asked for"),
        field("label", pa.string(), "", "class; null for all", nullable=True),
        field("granted", pa.float64(), "", "the rate that the reference's size allows"),
        *_VALUE,
    ],
    metadata={"gwmorph.schema": "achieved_rates"},
)
# How well each class is noticed when the reference has no row of it.
NOVELTY = pa.schema(
    [
        field("features", pa.string(), "", "what was compared"),
        field("method", pa.string(), "", "how NOVEL was decided"),
        field("label", pa.string(), "", "class that was left out"),
        field("figure", pa.string(), "", "'auc', or 'noticed': the share called NOVEL"),
        field("rate", pa.float64(), "", "at which; null for the AUC", nullable=True),
        *_VALUE,
    ],
    metadata={"gwmorph.schema": "novelty"},
)
NOVELTY_ROC = pa.schema(
    [
        field("features", pa.string(), "", "what was compared"),
        field("method", pa.string(), "", "how NOVEL was decided"),
        field("label", pa.string(), "", "class that was left out"),
        field("false_novel", pa.float64(), "", "share of rows of other classes called NOVEL"),
        field("noticed", pa.float64(), "", "share of its own rows called NOVEL"),
    ],
    metadata={"gwmorph.schema": "novelty_roc"},
)
# Whether a run's rows are as like the reference as the reference's own.
DRIFT = pa.schema(
    [
        field("then_rows", pa.int64(), "", "rows of the reference"),
        field("now_rows", pa.int64(), "", "rows of the run"),
        field("then_median", pa.float64(), "", "median best cosine of the first, without itself"),
        field("now_median", pa.float64(), "", "the same of the second"),
        field("distance", pa.float64(), "", "largest difference of the two distributions"),
        field(
            "p_value",
            pa.float64(),
            "",
            "share of exchanges of stretches of time that reach it, (b+1)/(m+1); nan with too few",
        ),
        field("recalibrate", pa.bool_(), "", "whether that is as small as the configuration asks"),
    ],
    metadata={"gwmorph.schema": "drift"},
)
