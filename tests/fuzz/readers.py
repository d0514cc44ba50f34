"""Where each reader of outside bytes is: a process imports what it needs and no more."""

from importlib import import_module

from fuzzing import READERS, Reader

MODULES = {
    "strain_read": (
        "strain_fetched", "strain_gwosc", "strain_plain", "strain_labelled", "frames",
        "frames_resealed",
    ),
    "pictures_read": ("pictures", "picture_archives", "spectrograms", "training_set"),
    "texts_read": ("segments", "labels", "events", "release", "config", "population"),
    "records_read": (
        "gwosc_pages", "gwosc_cache", "manifest", "plan", "receipts", "hashes", "cache_record",
        "jobs", "times", "scan_record", "scan_late",
    ),
    "tables_read": ("tables", "labelled_pictures", "atlas", "noise", "signals", "pairs"),
    "weights_read": ("weights", "hub_weights"),
}  # fmt: skip
NAMES = tuple(name for names in MODULES.values() for name in names)


def reader(name: str) -> Reader:
    """Return a reader by its name."""
    import_module(next(module for module, names in MODULES.items() if name in names))
    return READERS[name]
