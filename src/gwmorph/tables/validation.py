"""Tables of the validation of the clusters."""

import pyarrow as pa

from gwmorph.tables.columns import (
    DETECTOR,
    EMBEDDING,
    GPS_START,
    TILE_COLUMNS,
    TRIGGER_TIME,
    VIEW,
    field,
)

# What changed, where it does not apply.
NOT_APPLICABLE = "changes nothing for this encoder"
_INTERVAL = [
    field("value", pa.float64(), "", "the figure; nan where it cannot be taken"),
    field("low", pa.float64(), "", "lower end of its 95 % interval; nan with too few blocks"),
    field("high", pa.float64(), "", "upper end of its 95 % interval; nan with too few blocks"),
    field("rows", pa.int64(), "", "rows that it was taken on"),
]
# How far the clusters of each variant of the clustering agree with the run's.
AGREEMENTS = pa.schema(
    [
        field("variant", pa.string(), "", "what was changed, and to what"),
        field("changed", pa.string(), "", "the kind of change"),
        field("clusters", pa.int64(), "", "clusters that the variant has"),
        field("figure", pa.string(), "", "how agreement was measured"),
        *_INTERVAL,
    ],
    metadata={"gwmorph.schema": "agreements"},
)
# How far each way to cut the same rows agrees with their classes.
CLUSTERERS = pa.schema(
    [
        field("clusterer", pa.string(), "", "how the rows were cut"),
        field("clusters", pa.int64(), "", "clusters that it cuts all rows into"),
        field("classes", pa.int64(), "", "classes of the rows whose class is known"),
        field("figure", pa.string(), "", "how agreement was measured"),
        *_INTERVAL,
    ],
    metadata={"gwmorph.schema": "clusterers"},
)
# How far the clusters of two variants agree with each other.
PAIRS = pa.schema(
    [
        field("one", pa.string(), "", "a variant"),
        field("other", pa.string(), "", "another one"),
        field("ari", pa.float64(), "", "adjusted Rand index on the rows that both have"),
        field("ami", pa.float64(), "", "adjusted mutual information on these rows"),
    ],
    metadata={"gwmorph.schema": "pairs"},
)
# Which of the run's clusters are found again.
SURVIVAL = pa.schema(
    [
        field("cluster", pa.int32(), "", "cluster number"),
        field("members", pa.int64(), "", "members among the rows that were looked at"),
        field(
            "runs", pa.int64(), "", "variants in which it could be found, without the sample alone"
        ),
        field("survived", pa.int64(), "", "variants with a cluster of Jaccard 0.5 or more"),
        field("share", pa.float64(), "", "the second over the first"),
        field("mean_jaccard", pa.float64(), "", "mean of the best Jaccard over all variants"),
        field(
            "stable",
            pa.bool_(),
            "",
            "whether the share is as large as the configuration asks; null where the cluster is "
            "not in the sample alone, with nothing changed",
            nullable=True,
        ),
    ],
    metadata={"gwmorph.schema": "survival"},
)
# What UMAP did to distances.
DISTORTION = pa.schema(
    [
        field("shown", pa.string(), "", "'space', which is clustered, or 'map'"),
        field("figure", pa.string(), "", "what is left of the distances"),
        *_INTERVAL,
    ],
    metadata={"gwmorph.schema": "distortion"},
)
# How separate each cluster is by the cosine between vectors, where no UMAP was.
SEPARATION = pa.schema(
    [
        field("cluster", pa.int32(), "", "cluster number"),
        field("members", pa.int64(), "", "members among the rows that were looked at"),
        field("nearest_cluster", pa.int32(), "", "cluster nearest in the mean", nullable=True),
        field(
            "silhouette",
            pa.float64(),
            "",
            "mean silhouette beside that one, by cosine distance",
            nullable=True,
        ),
        field(
            "p_value",
            pa.float64(),
            "",
            "share of permutations of the two clusters' names that reach it, (b+1)/(m+1)",
        ),
    ],
    metadata={"gwmorph.schema": "separation"},
)
# How rare each row is among the others.
ANOMALIES = pa.schema(
    [
        DETECTOR,
        GPS_START,
        VIEW,
        TRIGGER_TIME,
        field("cluster", pa.int32(), "", "cluster number"),
        field(
            "p_components",
            pa.float64(),
            "",
            "share of other rows with as low a density in the principal components, (b+1)/(m+1); "
            "nan with too few rows or stretches of time",
        ),
        field("p_umap", pa.float64(), "", "the same in UMAP's space"),
        field(
            "anomalous",
            pa.bool_(),
            "",
            "whether the first is no more than the rate; null where it is nan",
            nullable=True,
        ),
    ],
    metadata={"gwmorph.schema": "anomalies"},
)
# Of which clusters most members are anomalous; nothing is said where no row could be judged.
ANOMALOUS_CLUSTERS = pa.schema(
    [
        field("cluster", pa.int32(), "", "cluster number"),
        field("members", pa.int64(), "", "members among the rows that were looked at"),
        field(
            "anomalous",
            pa.int64(),
            "",
            "anomalous ones, in the principal components",
            nullable=True,
        ),
        field("anomalous_umap", pa.int64(), "", "anomalous ones in UMAP's space", nullable=True),
        field(
            "flagged",
            pa.bool_(),
            "",
            "whether more than half are, in the components",
            nullable=True,
        ),
    ],
    metadata={"gwmorph.schema": "anomalous_clusters"},
)
# How many rows of a kind would be noticed if it were new.
NOTICED = pa.schema(
    [
        field("space", pa.string(), "", "where the density is taken"),
        field(
            "left_out",
            pa.string(),
            "",
            "class or cluster that the mixture has not seen; null for none, all rows",
            nullable=True,
        ),
        *_INTERVAL,
    ],
    metadata={"gwmorph.schema": "noticed"},
)
# The rows of a view that are drawn and encoded again.
ABLATION_SAMPLE = pa.schema(
    [
        DETECTOR,
        GPS_START,
        VIEW,
        TRIGGER_TIME,
        field("tile_q", pa.float64(), "", "Q of the loudest tile's plane"),
        field("found_by", pa.string(), "", "what found an event; null for windows", nullable=True),
        EMBEDDING,
    ],
    metadata={"gwmorph.schema": "ablation_sample"},
)
# The vectors that a change gives them; none where it does not reach the encoder.
ABLATED = pa.schema(
    [
        field(
            "row", pa.int64(), "", "row of the sample; those lost under the change are left out"
        ),
        EMBEDDING,
    ],
    metadata={"gwmorph.schema": "ablated"},
)
# Rows of a run whose class is known.
REFERENCE = pa.schema(
    [
        DETECTOR,
        GPS_START,
        VIEW,
        TRIGGER_TIME,
        field("label", pa.string(), "", "class"),
        *TILE_COLUMNS,
        field("duration", pa.float64(), "s", "of an event's trigger", nullable=True),
        field("bandwidth", pa.float64(), "Hz", "of an event's trigger", nullable=True),
        EMBEDDING,
    ],
    metadata={"gwmorph.schema": "reference"},
)
# How well names agree with classes.
NAMING = pa.schema(
    [
        field("features", pa.string(), "", "what was compared"),
        field("figure", pa.string(), "", "how agreement was measured"),
        field("label", pa.string(), "", "class that it is of; null for all", nullable=True),
        *_INTERVAL,
    ],
    metadata={"gwmorph.schema": "naming"},
)
# What each row is named, by the labelled rows that are like it.
NAMED_ROWS = pa.schema(
    [
        DETECTOR,
        GPS_START,
        VIEW,
        TRIGGER_TIME,
        field("named", pa.string(), "", "commonest class of its neighbours; '' if none is near"),
        field("agreeing", pa.float64(), "", "share of its neighbours that have it"),
        field(
            "neighbors",
            pa.list_(pa.int64()),
            "",
            "rows of the reference that name it, the nearest first",
        ),
        field("distance", pa.float64(), "", "cosine distance of the nearest; nan without one"),
        field("label", pa.string(), "", "its own class, if it is known", nullable=True),
    ],
    metadata={"gwmorph.schema": "named_rows"},
)
NAMED_CLUSTERS = pa.schema(
    [
        field("cluster", pa.int32(), "", "cluster number"),
        field("named", pa.string(), "", "class that its members' neighbours have; '' for none"),
        field("agreeing", pa.int64(), "", "neighbours that have the commonest class"),
        field("neighbors", pa.int64(), "", "neighbours of all its members"),
        field("unknown", pa.float64(), "", "share of members far from every labelled row"),
    ],
    metadata={"gwmorph.schema": "named_clusters"},
)
CONFUSION = pa.schema(
    [
        field("label", pa.string(), "", "class"),
        field("named", pa.string(), "", "name that it was given; '' for none"),
        field("rows", pa.int64(), "", "how many"),
    ],
    metadata={"gwmorph.schema": "confusion"},
)
