"""Facts of a small run, and a folder that they are true of."""

from dataclasses import replace
from pathlib import Path

from gwmorph.batch.costs import Cost, Costs
from gwmorph.config import Config
from gwmorph.provenance.checkout import Checkout
from gwmorph.provenance.facts import EncoderFacts, Facts, Input, Observed
from gwmorph.provenance.gathering import product_list
from gwmorph.provenance.hashes import HashedFile, files_below, hash_files
from gwmorph.provenance.packages import Package
from gwmorph.provenance.times import Span
from gwmorph.storage import write_bytes

SHA = "ab" * 32
RESULTS = {"all": ["config.yaml", "triggers.parquet", "figures/event/map.png", "pictures"]}
GWOSC_FILE = "H-H1_GWOSC_O3a_4KHZ_R1-1238204416-4096.hdf5"
ADDRESS = f"https://gwosc.org/archive/data/O3a_4KHZ_R1/1238000000/{GWOSC_FILE}"


COSTS = Costs(
    (Cost("block", 2, 90.5, 150.25, 60.0, 512.4), Cost("verdict", 1, 0.2, None, 0.2, None)),
    Cost("total", 3, 90.7, 150.25, 60.0, 512.4),
)


def strain(name: str, location: str | None = None) -> Input:
    return Input(HashedFile(f"cache/{name}", SHA, 7), "strain", location, "H1")


def made_facts(**changed) -> Facts:
    """Facts of a run of the default configuration, some of it changed; no product."""
    known = {
        "run": "t",
        "version": "0.1.0",
        "configuration": Config().model_dump(mode="json"),
        "config_sha256": "12" * 32,
        "targets": ("all",),
        "span": Span("2026-01-02T03:04:05+00:00", "2026-01-02T04:04:05+00:00"),
        "costs": COSTS,
        "checkout": Checkout("c0ffee" * 6 + "c0ff"),
        "lock": HashedFile("locks/base.txt", SHA, 9),
        "packages": [Package("snakemake", "9.27.0", "9.27.0"), Package("numpy", "2.4.6", "2.4.5")],
        "machine": {"processor": "Some CPU", "cores": 2},
        "render_id": "0123456789abcdef",
        "encoder": EncoderFacts(f"indomain:2:{SHA}:224x224:float32", SHA, "Apache-2.0", None),
        "observed": {"H1": Observed("H1_DATA", ((0, 64), (100, 196)), 160, 128, 96, 64, 2, 5, 3)},
        "views": {
            "event": {
                "clustered": True,
                "clusters": 3,
                "clusters_supported": 2,
                "largest_cluster_share": 0.5,
                "members": 40,
            }
        },
        "inputs": [strain("H-H1_GWOSC_SIM_4KHZ_R1-0-4096.hdf5")],
    }
    return Facts(**{**known, **changed})


def configured(facts: Facts, **sections) -> Facts:
    """The same facts with some keys of the configuration changed."""
    configuration = {
        name: {**keys, **sections.get(name, {})} for name, keys in facts.configuration.items()
    }
    return replace(facts, configuration=configuration)


def made_folder(folder: Path) -> tuple[Facts, list[HashedFile]]:
    """Write a run's files, and return facts that speak of them, and their hashes."""
    for name in ("config.yaml", "triggers.parquet", "figures/event/map.png"):
        write_bytes(folder / name, name.encode())
    for number in range(3):
        write_bytes(folder / "pictures" / f"{number}.png", bytes([number]))
    hashed = hash_files(folder, files_below(folder, RESULTS["all"]))
    products = product_list(Path("results/t"), RESULTS, {}, hashed)
    return made_facts(products=products), hashed
