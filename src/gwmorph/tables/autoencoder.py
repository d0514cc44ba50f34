"""Tables of the autoencoder: what it is worth, and views that it draws again."""

import pyarrow as pa

from gwmorph.tables.columns import field

AUTOENCODER_SCORES = pa.schema(
    [
        field("scored", pa.string(), "", "what draws views again, or tells their class"),
        field("part", pa.string(), "", "'train', 'validation' or 'test'"),
        field("figure", pa.string(), "", "'accuracy', 'macro_f1' or 'mse' (of brightness)"),
        field("value", pa.float64(), "", "on all views of the part"),
        field("low", pa.float64(), "", "lower end of the 95 % bootstrap interval over glitches"),
        field("high", pa.float64(), "", "upper end of the 95 % bootstrap interval over glitches"),
        field("views", pa.int64(), "", "number of views"),
    ],
    metadata={"gwmorph.schema": "autoencoder_scores"},
)
RECONSTRUCTIONS = pa.schema(
    [
        field("class_rank", pa.string(), "", "'best', 'median' or 'worst' of the classes"),
        field("label", pa.string(), "", "class"),
        field("class_mse", pa.float64(), "", "median squared error of the class's test views"),
        field("view_rank", pa.string(), "", "'best', 'median' or 'worst' of the class's views"),
        field("mse", pa.float64(), "", "mean squared error of the view's brightness"),
        field("view", pa.binary(), "", "brightness in 1/255 of the crops [4, 56, 56], uint8"),
        field("drawn", pa.binary(), "", "what the autoencoder makes of it, likewise"),
    ],
    metadata={"gwmorph.schema": "autoencoder_reconstructions"},
)
