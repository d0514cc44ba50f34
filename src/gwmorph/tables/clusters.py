"""Tables of the clusters."""

import pyarrow as pa

from gwmorph.tables.columns import (
    DETECTOR,
    GPS_START,
    TILE_COLUMNS,
    TRIGGER_TIME,
    VIEW,
    field,
    vector,
)

CLUSTERS = pa.schema(
    [
        DETECTOR,
        GPS_START,
        VIEW,
        TRIGGER_TIME,
        *TILE_COLUMNS,
        field("cluster", pa.int32(), "", "cluster number, 0 for the largest"),
        field(
            "probability",
            pa.float64(),
            "",
            "how far the row and its neighbours belong to the cluster; less for outliers",
        ),
        field("outlier", pa.bool_(), "", "whether the row lies apart from all others"),
        field(
            "supported",
            pa.bool_(),
            "",
            "whether its cluster is more separate than parts of structureless data",
        ),
        field(
            "outside_umap",
            pa.bool_(),
            "",
            "whether its cluster is found without UMAP, too",
        ),
        field(
            "log_likelihood",
            pa.float64(),
            "",
            "log density under the whole mixture; nan for other methods",
        ),
        field("x", pa.float64(), "", "first coordinate of the 2-d map"),
        field("y", pa.float64(), "", "second coordinate of the 2-d map"),
    ],
    metadata={"gwmorph.schema": "clusters"},
)
# Where UMAP put each row for the clustering; as many dimensions as the run has.
SPACE = pa.schema(
    [
        DETECTOR,
        GPS_START,
        VIEW,
        TRIGGER_TIME,
        field("place", vector(10), "", "coordinates in the space that was clustered"),
    ],
    metadata={"gwmorph.schema": "space"},
)
CLUSTER_SUMMARY = pa.schema(
    [
        field("cluster", pa.int32(), "", "cluster number, 0 for the largest"),
        field("members", pa.int64(), "", "number of windows or events"),
        field("share", pa.float64(), "", "fraction of all windows or events"),
        field("outliers", pa.int64(), "", "members that lie apart from all others"),
        field("mean_probability", pa.float64(), "", "mean probability of members"),
        field(
            "supported",
            pa.bool_(),
            "",
            "whether the cluster overlaps with its nearest one by clearly less than the parts of "
            "any structureless cloud; false for a single cluster",
        ),
        field(
            "p_value",
            pa.float64(),
            "",
            "p-value of the overlap beside 0.55 times that of m structureless clouds, (b+1)/(m+1)",
        ),
        field(
            "nearest_cluster",
            pa.int32(),
            "",
            "cluster that it overlaps most with",
            nullable=True,
        ),
        field(
            "overlap",
            pa.float64(),
            "",
            "links to the nearest cluster over the geometric mean of the links inside each",
            nullable=True,
        ),
        field(
            "jaccard_communities",
            pa.float64(),
            "",
            "largest intersection over union with a cluster of the neighbour graph's communities",
        ),
        field(
            "jaccard_components",
            pa.float64(),
            "",
            "the same with a cluster of the mixture on the principal components",
        ),
        field(
            "outside_umap",
            pa.bool_(),
            "",
            "whether one of these is 0.5 or more: the cluster is no artefact of UMAP",
        ),
        field("median_snr", pa.float64(), "", "median Omicron SNR of members' loudest tiles"),
        field("median_frequency", pa.float64(), "Hz", "median frequency of loudest tiles"),
        field("median_q", pa.float64(), "", "median Q of loudest tiles"),
        field("medoid_detector", pa.string(), "", "detector of the most central member"),
        field("medoid_gps_start", pa.int64(), "s", "window start of the most central member"),
        field(
            "medoid_trigger_time",
            pa.float64(),
            "s",
            "trigger's GPS time of the most central event",
            nullable=True,
        ),
    ],
    metadata={"gwmorph.schema": "cluster_summary"},
)
