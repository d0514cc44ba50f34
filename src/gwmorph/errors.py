"""The errors that users meet: what was expected, what was got, where, and the way out."""


class GwmorphError(Exception):
    """Base of every error that gwmorph raises on purpose."""


class ConfigError(GwmorphError):
    """A configuration key is unknown, missing or out of range."""


class SegmentError(GwmorphError):
    """A segment list cannot be read or makes no sense."""


class PlanError(GwmorphError):
    """No plan of blocks and windows can be made, or a stored one does not fit."""


class StrainError(GwmorphError):
    """A strain file is missing, damaged, or not what it was said to be."""


class DownloadError(GwmorphError):
    """A remote file or list could not be obtained."""


class WeightsError(GwmorphError):
    """Encoder weights are missing or not the ones that were asked for."""


class ClusteringError(GwmorphError):
    """Vectors cannot be clustered."""


class TrainingError(GwmorphError):
    """A network cannot be trained, or no further."""


class TableError(GwmorphError):
    """A table lacks its schema, or two tables do not belong together."""


class StorageError(GwmorphError):
    """A file could not be read, or an output not be written whole."""


class CalibrationError(GwmorphError):
    """Limits cannot be set from a reference, or an atlas is not whole or not for this use."""


class ScanError(GwmorphError):
    """Blocks of a scan failed, or it raised an alarm that is to be an error."""
