"""Tables of an encoder's training."""

import pyarrow as pa

from gwmorph.tables.columns import field

LOSSES = pa.schema(
    [
        field("step", pa.int64(), "", "number of the update, from 1"),
        field("event", pa.float64(), "nat", "contrastive loss of event views"),
        field("crop", pa.float64(), "nat", "contrastive loss of single crops"),
        field("window", pa.float64(), "nat", "contrastive loss of windows"),
    ],
    metadata={"gwmorph.schema": "losses"},
)
