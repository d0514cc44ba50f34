"""Labels that somebody else gave."""

import pyarrow as pa

from gwmorph.tables.columns import DETECTOR, field

# What somebody else, as Gravity Spy, said of one transient.
LABELS = pa.schema(
    [
        DETECTOR,
        field("gps_time", pa.float64(), "s", "GPS time of the label's loudest tile"),
        field("label", pa.string(), "", "class"),
        field("confidence", pa.float64(), "", "of the class, from 0 to 1"),
        field("gravityspy_id", pa.string(), "", "name of the transient"),
        field("snr", pa.float64(), "", "Omicron SNR"),
        field("peak_frequency", pa.float64(), "Hz", "central frequency of the loudest tile"),
        *(
            field(name, pa.float64(), unit, meaning, nullable=True)
            for name, unit, meaning in (
                ("central_frequency", "Hz", "middle of the label's band"),
                ("bandwidth", "Hz", "width of its band"),
                ("duration", "s", "its duration"),
                ("amplitude", "Hz^-1/2", "its amplitude"),
                ("q", "", "Q of its loudest tile"),
            )
        ),
    ],
    metadata={"gwmorph.schema": "labels"},
)
