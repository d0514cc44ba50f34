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
