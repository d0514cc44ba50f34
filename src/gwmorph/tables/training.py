"""Tables of the training of networks."""

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

CURVES = pa.schema(
    [
        field("trained", pa.string(), "", "what was trained"),
        field("step", pa.int64(), "", "updates of the weights so far"),
        field("measure", pa.string(), "", "what the value is, of training or of validation"),
        field("value", pa.float64(), "", "loss (nat) or fraction, as the measure says"),
    ],
    metadata={"gwmorph.schema": "learning_curves"},
)
