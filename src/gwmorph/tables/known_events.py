"""Tables of what is known of a run's data beforehand, and of how like chirps its events are."""

import pyarrow as pa

from gwmorph.tables.columns import DETECTOR, GPS_START, TRIGGER_TIME, VIEW, field

# What somebody knows to be in the data: an event of a catalogue, or a hardware injection.
EVENT, INJECTION = "event", "injection"
# What became of it.
FOUND, MISSED, NOT_ANALYSED = "found", "missed", "not analysed"

_KNOWN = [
    field("name", pa.string(), "", "name of the event; of an injection what was injected"),
    field("kind", pa.string(), "", "'event' or 'injection'"),
    field("source", pa.string(), "", "release that lists the event, or the strain files' mask"),
]
_SPAN = [
    field("start", pa.float64(), "s", "GPS time of the event; start of the injection's stretch"),
    field("end", pa.float64(), "s", "GPS time of the event; end of the injection's stretch"),
]
_IN_RELEASE = field(
    "in_release",
    pa.bool_(),
    "",
    "whether the release says that the detector's data show the event; null where it does not "
    "tell, and of an injection",
    nullable=True,
)
# One row an event, of its latest version.
CATALOG = pa.schema(
    [
        field("name", pa.string(), "", "name of the event"),
        field("gps_time", pa.float64(), "s", "GPS time of the merger, as the release gives it"),
        field("version", pa.int64(), "", "version of the event's parameters"),
        field("release", pa.string(), "", "release (catalogue) that this version is of"),
        field(
            "detectors",
            pa.list_(pa.string()),
            "",
            "detectors whose data show it; null where the table does not tell",
            nullable=True,
        ),
    ],
    metadata={"gwmorph.schema": "event_catalog"},
)
# One row for everything known and each detector that it is to be looked for in.
KNOWN_SPANS = pa.schema(
    [*_KNOWN, DETECTOR, _IN_RELEASE, *_SPAN], metadata={"gwmorph.schema": "known_spans"}
)
# What became of each of these.
KNOWN_EVENTS = pa.schema(
    [
        *_KNOWN,
        DETECTOR,
        _IN_RELEASE,
        *_SPAN,
        field("fate", pa.string(), "", "'found', 'missed' or 'not analysed'"),
        field("reason", pa.string(), "", "why it was not found; null where it was", nullable=True),
        field(
            "gps_start",
            pa.int64(),
            "s",
            "GPS start of the window that claims its trigger, or holds it; null without a window",
            nullable=True,
        ),
        TRIGGER_TIME,
        field("snr", pa.float64(), "", "Omicron SNR of that trigger", nullable=True),
        field(
            "offset_s",
            pa.float64(),
            "s",
            "from the event to the peak of the trigger; 0 inside an injection's stretch",
            nullable=True,
        ),
    ],
    metadata={"gwmorph.schema": "known_events"},
)
# The windows and events of a run that show something known: joined to ledger and triggers by key.
FLAGGED = pa.schema(
    [DETECTOR, GPS_START, VIEW, TRIGGER_TIME, *_KNOWN],
    metadata={"gwmorph.schema": "flagged"},
)
# Of which seconds of a detector the files tell whether something was injected.
TOLD = pa.schema(
    [
        DETECTOR,
        field("told_s", pa.int64(), "s", "seconds of strain whose file tells of injections"),
        field("untold_s", pa.int64(), "s", "seconds of strain whose file does not"),
    ],
    metadata={"gwmorph.schema": "told"},
)
# How like a chirp each event is.
CHIRPS = pa.schema(
    [
        DETECTOR,
        GPS_START,
        VIEW,
        TRIGGER_TIME,
        field(
            "track",
            pa.float64(),
            "nat",
            "log-odds of a chirp by the event's energy along the tracks of binaries",
        ),
        field(
            "similarity",
            pa.float64(),
            "",
            "mean cosine to the three nearest chirps of the reference, less that to its nearest "
            "other row; "
            "null without a reference that has both",
            nullable=True,
        ),
        field(
            "likeness",
            pa.float64(),
            "",
            "score by both, or by the track alone; one in a hundred simulated events of other "
            "classes has more than 0",
        ),
        field(
            "chirp_mass",
            pa.float64(),
            "solMass",
            "of the best track, at the detector; null where nothing is bright",
            nullable=True,
        ),
    ],
    metadata={"gwmorph.schema": "chirps"},
)
