"""What is known of a finished run, as a paper has to tell it: one value with all of it.

Everything else in this wing is written from this value: the crate, the words and the sources.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from gwmorph.batch.costs import Costs
from gwmorph.provenance.checkout import Checkout
from gwmorph.provenance.hashes import HashedFile
from gwmorph.provenance.packages import Package
from gwmorph.provenance.times import Span


@dataclass(frozen=True)
class Input:
    """A file that a run read.

    ``what`` is what it is to the run, as ``strain`` or a key of the configuration; ``location`` is
    the address that it was fetched from, if it was.
    """

    file: HashedFile
    what: str
    location: str | None = None
    detector: str | None = None


@dataclass(frozen=True)
class Observed:
    """What a run has of one detector: segments ``[start, end)``, in GPS seconds, and its seconds.

    ``livetime_s``: seconds in the union of analysed windows; ``science_s``, ``gridded_s`` and
    ``context_limited_s``: as `gwmorph.ledger.Livetime`; ``triggers``: of the run's table;
    ``scored_events``: further events, which its scores found.
    """

    flag: str
    segments: tuple[tuple[int, int], ...]
    science_s: int
    gridded_s: int
    context_limited_s: int
    livetime_s: int
    windows: int
    triggers: int
    scored_events: int


@dataclass(frozen=True)
class EncoderFacts:
    """What made the vectors: the id that the tables carry, and its weights, if it has any.

    ``card`` names the text that says what the weights are and what they are not good for.
    """

    encoder_id: str
    weights_sha256: str | None
    licence: str | None
    card: str | None


@dataclass(frozen=True)
class Product:
    """A file or folder that a run made, by its path in the run's folder.

    ``sha256`` of a folder is that of the list of its files; ``files`` says how many it has.
    ``command`` makes it again.
    """

    path: str
    sha256: str
    size: int
    files: int
    is_folder: bool
    command: str


@dataclass(frozen=True)
class Facts:
    """All that a record says; see the fields' own types. Times and costs are of the run's jobs."""

    run: str
    version: str
    configuration: Mapping[str, Any]
    config_sha256: str
    targets: tuple[str, ...]
    span: Span
    costs: Costs
    checkout: Checkout
    lock: HashedFile
    packages: Sequence[Package]
    machine: Mapping[str, str | int]
    render_id: str
    encoder: EncoderFacts
    observed: Mapping[str, Observed]
    views: Mapping[str, Mapping[str, Any]]
    inputs: Sequence[Input]
    products: Sequence[Product] = field(default_factory=tuple)

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can hold, but for products and inputs, which have their own lists."""
        own = asdict(self)
        unlocked = [one for one in self.packages if not one.is_locked]
        return {
            **{key: own[key] for key in own.keys() - {"products", "inputs", "packages"}},
            "seeds": seeds(self.configuration, self.targets),
            "packages": {one.name: one.version for one in self.packages},
            "packages_unlike_the_lock": {one.name: one.version for one in unlocked},
        }


# Whose seeds are used by `all`; the others' by the target beside.
_SEEDS_OF_TARGETS = {
    "injections": "injections",
    "training": "train_encoder",
    "comparison": "compare_encoders",
    "chirp_search": "chirp_search",
    "validation": "validation",
    "timeslides": "timeslides",
    "calibration": "calibrate",
}
# All of which use the seed of section `learning`.
_LEARNING_TARGETS = {"supervised", "autoencoder", "finetune"}


def seeds(configuration: Mapping[str, Any], targets: Sequence[str]) -> dict[str, int]:
    """Return the seeds that a run of some targets used, by dotted key."""
    used = {
        "run": True,
        "source": configuration["source"]["kind"] == "simulated",
        "score": configuration["score"]["background"] != "none",
        "learning": not _LEARNING_TARGETS.isdisjoint(targets),
        **{section: target in targets for section, target in _SEEDS_OF_TARGETS.items()},
    }
    return dict(sorted(_seeds_below(configuration, used)))


def _seeds_below(
    configuration: Mapping[str, Any], used: Mapping[str, bool]
) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    for section, keys in configuration.items():
        if used.get(section, False):
            places = {section: keys}
            if section == "source":
                places = {"source.simulated": keys["simulated"]}
            found += [(f"{name}.seed", place["seed"]) for name, place in places.items()]
    return found
