"""Tables of encoders that were specialised to labelled pictures."""

import pyarrow as pa

from gwmorph.tables.columns import EMBEDDING, field

# Ways to specialise; besides these there are heads of one to three layers.
TRIGGERS, PROBE, FULL = "trigger columns", "linear probe", "full fine-tuning"
# Shares of real glitches told right by few examples, with intervals over classes and glitches.
FEW_SHOT, FEW_SHOT_BY_GLITCH = "few_shot_accuracy", "few_shot_accuracy_by_glitch"
# The part of the labelled set that no training saw.
TEST_PART = "test"
_BACKBONE = field("backbone", pa.string(), "", "encoder that was specialised")
_DATA = field("data", pa.string(), "", "'test', or the other set that was classified: its name")

# What one method said of one picture that it was not trained on.
FINETUNE_PREDICTIONS = pa.schema(
    [
        _BACKBONE,
        field("method", pa.string(), "", "how it was specialised"),
        _DATA,
        field("row", pa.int64(), "", "number of the picture in its set"),
        field("group", pa.string(), "", "glitch that the picture shows"),
        field("label", pa.string(), "", "its class, as the set that was trained on calls it"),
        field("predicted", pa.string(), "", "class that the method gave it"),
    ],
    metadata={"gwmorph.schema": "finetune_predictions"},
)
FINETUNE_SCORES = pa.schema(
    [
        _BACKBONE,
        field("method", pa.string(), "", "how it was specialised"),
        _DATA,
        field("figure", pa.string(), "", "accuracy, macro_f1, f1, or macro_f1_gap"),
        field("morphology", pa.string(), "", "of this class alone", nullable=True),
        field("value", pa.float64(), "", "on all scored pictures"),
        field("low", pa.float64(), "", "lower end of the 95 % bootstrap interval over glitches"),
        field("high", pa.float64(), "", "upper end of it"),
        field("pictures", pa.int64(), "", "number of scored pictures"),
    ],
    metadata={"gwmorph.schema": "finetune_scores"},
)
# Vectors of the test part, before and after full fine-tuning.
FINETUNE_FEATURES = pa.schema(
    [
        field("when", pa.string(), "", "'before' or 'after' full fine-tuning"),
        field("row", pa.int64(), "", "number of the picture in its set"),
        field("label", pa.string(), "", "its class"),
        EMBEDDING,
    ],
    metadata={"gwmorph.schema": "finetune_features"},
)
FINETUNE_MAPS = pa.schema(
    [
        _BACKBONE,
        field("when", pa.string(), "", "'before' or 'after' full fine-tuning"),
        field("map", pa.string(), "", "'t-SNE' or 'UMAP'"),
        field("row", pa.int64(), "", "number of the picture in its set"),
        field("label", pa.string(), "", "its class"),
        field("x", pa.float64(), "", "place on the map"),
        field("y", pa.float64(), "", "place on the map"),
    ],
    metadata={"gwmorph.schema": "finetune_maps"},
)
