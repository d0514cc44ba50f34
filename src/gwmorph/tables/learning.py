"""Tables of what is learned from labels."""

import pyarrow as pa

from gwmorph.tables.columns import field

LABELLED_PICTURES = pa.schema(
    [
        field("label", pa.string(), "", "class"),
        field("group", pa.string(), "", "what must stay on one side of a split: a glitch's name"),
        field("gps_time", pa.float64(), "s", "GPS time of the glitch", nullable=True),
        field(
            "split",
            pa.string(),
            "",
            "'train', 'validation' or 'test' as a release says; empty where it does not",
        ),
        field(
            "duration_s",
            pa.float64(),
            "s",
            "what the picture spans; null for an event view of all four durations",
            nullable=True,
        ),
        *(
            field(name, pa.float64(), unit, meaning, nullable=True)
            for name, unit, meaning in (
                ("trigger_frequency", "Hz", "frequency of the glitch's trigger"),
                ("trigger_q", "", "Q of the trigger's loudest tile"),
                ("trigger_duration", "s", "duration of the trigger"),
                ("trigger_bandwidth", "Hz", "bandwidth of the trigger"),
                ("trigger_snr", "", "Omicron SNR of the trigger"),
            )
        ),
        field("picture", pa.binary(), "", "palette indices, row by row"),
    ],
    metadata={"gwmorph.schema": "labelled_pictures"},
)
# What a classifier names each picture of the test part.
PREDICTIONS = pa.schema(
    [
        field("row", pa.int64(), "", "number of the picture among all labelled ones"),
        field("group", pa.string(), "", "the glitch's name"),
        field("label", pa.string(), "", "its class"),
        field("named", pa.string(), "", "the class that it is given"),
        field("probability", pa.float64(), "", "of that class"),
        field("label_probability", pa.float64(), "", "of its own class; 0 of one never trained"),
    ],
    metadata={"gwmorph.schema": "predictions"},
)
# How well each classifier names the test part.
SUPERVISED = pa.schema(
    [
        field("trained", pa.string(), "", "name of the training"),
        field("network", pa.string(), "", "network, or 'triggers' for the trigger columns alone"),
        field("batch_size", pa.int64(), "", "pictures of one update", nullable=True),
        field("window", pa.string(), "", "seconds that a picture spans, or 'all' for a view"),
        field("split", pa.string(), "", "'given', 'random' or 'temporal'"),
        field("accuracy", pa.float64(), "", "pictures of the test part that are named right"),
        field("accuracy_low", pa.float64(), "", "lower end of the 95 % bootstrap interval"),
        field("accuracy_high", pa.float64(), "", "upper end of the 95 % bootstrap interval"),
        field("macro_f1", pa.float64(), "", "mean over classes of the harmonic mean of recall "
              "and precision"),
        field("macro_f1_low", pa.float64(), "", "lower end of the 95 % bootstrap interval"),
        field("macro_f1_high", pa.float64(), "", "upper end of the 95 % bootstrap interval"),
        field("validation_error", pa.float64(), "", "named wrong of the validation part"),
        field("pictures", pa.int64(), "", "pictures of the test part"),
        field("glitches", pa.int64(), "", "glitches of the test part"),
        field("trained_on", pa.int64(), "", "pictures of the training part"),
        field("classes", pa.int64(), "", "classes of the training part"),
        field("parameters", pa.int64(), "", "parameters that were trained", nullable=True),
        field("epochs", pa.float64(), "", "epochs that were trained", nullable=True),
        field("best_epoch", pa.float64(), "", "epochs before the best validation", nullable=True),
        field("start", pa.string(), "", "'random', or the file of weights", nullable=True),
        field("start_sha256", pa.string(), "", "SHA-256 of that file", nullable=True),
    ],
    metadata={"gwmorph.schema": "supervised"},
)  # fmt: skip
