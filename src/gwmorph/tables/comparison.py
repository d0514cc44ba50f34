"""Tables of the comparison of encoders on labelled data."""

import pyarrow as pa

from gwmorph.tables.columns import DETECTOR, EMBEDDING, field

# One signal of known class and the event view that a run would draw of it.
LABELLED = pa.schema(
    [
        field("morphology", pa.string(), "", "class of the signal"),
        field("number", pa.int64(), "", "number of the signal in its class"),
        field("snr", pa.float64(), "", "optimal SNR in the window and the pass band"),
        field("gps_time", pa.float64(), "s", "GPS time of the signal"),
        field("parameters", pa.string(), "", "parameters of its waveform, as JSON"),
        field("trigger_time", pa.float64(), "s", "peak time of its trigger: the view's centre"),
        field("trigger_frequency", pa.float64(), "Hz", "mean frequency of its trigger"),
        field("trigger_q", pa.float64(), "", "Q of the trigger's loudest tile"),
        field("trigger_duration", pa.float64(), "s", "duration of the trigger"),
        field("trigger_bandwidth", pa.float64(), "Hz", "bandwidth of the trigger"),
        field("trigger_snr", pa.float64(), "", "Omicron SNR of the trigger"),
        field("picture", pa.binary(), "", "palette indices of the event view, row by row"),
    ],
    metadata={"gwmorph.schema": "labelled"},
)
# One real glitch from a file of labelled strain, with its event view where a trigger shows it.
REAL_STRAIN = pa.schema(
    [
        field("name", pa.string(), "", "name of its data set"),
        DETECTOR,
        field("label", pa.string(), "", "class that the file gives it"),
        field("snr", pa.float64(), "", "SNR that the file gives it"),
        field("glitch_time", pa.float64(), "s", "its time by the file, from the first sample"),
        field("tile_snr", pa.float64(), "", "Omicron SNR of the window's loudest tile"),
        field("tile_time", pa.float64(), "s", "time of that tile, from the first sample"),
        field("triggers", pa.int64(), "", "number of triggers in the window"),
        *(
            field(name, pa.float64(), unit, meaning, nullable=True)
            for name, unit, meaning in (
                ("trigger_time", "s", "peak time of its trigger, from the first sample"),
                ("trigger_frequency", "Hz", "mean frequency of its trigger"),
                ("trigger_q", "", "Q of the trigger's loudest tile"),
                ("trigger_duration", "s", "duration of the trigger"),
                ("trigger_bandwidth", "Hz", "bandwidth of the trigger"),
                ("trigger_snr", "", "Omicron SNR of the trigger"),
            )
        ),
        field(
            "picture", pa.binary(), "", "palette indices of the view, row by row", nullable=True
        ),
    ],
    metadata={"gwmorph.schema": "real_strain"},
)
# What one real glitch is taken for, by one way of comparing views.
NAMED = pa.schema(
    [
        field("features", pa.string(), "", "encoder, or another way to compare pictures"),
        field("name", pa.string(), "", "name of the glitch's data set"),
        field("label", pa.string(), "", "class that the file gives it"),
        field("nearest", pa.string(), "", "name of the nearest other glitch"),
        field("nearest_label", pa.string(), "", "that one's class"),
        field("named", pa.string(), "", "class by the five nearest simulated views"),
    ],
    metadata={"gwmorph.schema": "named"},
)
# Vectors of one encoder of all labelled pictures, in the order of the pictures.
COMPARED = pa.schema(
    [
        field("data", pa.string(), "", "'seen', 'unseen', 'real', 'naming' or 'real_strain'"),
        field("row", pa.int64(), "", "number of the picture in its data"),
        EMBEDDING,
    ],
    metadata={"gwmorph.schema": "compared"},
)
ENCODER_QUALITY = pa.schema(
    [
        field("features", pa.string(), "", "encoder, or another way to compare pictures"),
        field("data", pa.string(), "", "'seen', 'unseen', 'real', 'naming' or 'real_strain'"),
        field("figure", pa.string(), "", "what was measured"),
        field("morphology", pa.string(), "", "of this class alone", nullable=True),
        field("value", pa.float64(), "", "on all scored pictures"),
        field("low", pa.float64(), "", "lower end of the 95 % bootstrap interval"),
        field("high", pa.float64(), "", "upper end of the 95 % bootstrap interval"),
        field("pictures", pa.int64(), "", "number of scored pictures"),
    ],
    metadata={"gwmorph.schema": "encoder_quality"},
)
