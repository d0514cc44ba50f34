"""The truth about simulated strain."""

import pyarrow as pa

from gwmorph.tables.columns import DETECTOR, field

TRUTH = pa.schema(
    [
        DETECTOR,
        field("event", pa.int64(), "", "event number; one event may reach several detectors"),
        field("gps_time", pa.float64(), "s", "GPS time of the peak at this detector"),
        field("morphology", pa.string(), "", "name of the injected shape"),
        field("snr", pa.float64(), "", "optimal SNR against the true PSD, 20 Hz to Nyquist"),
        field("frequency", pa.float64(), "Hz", "characteristic frequency"),
        field("duration", pa.float64(), "s", "characteristic duration"),
        field("parameters", pa.string(), "", "all drawn parameters, as JSON"),
    ],
    metadata={"gwmorph.schema": "truth"},
)
