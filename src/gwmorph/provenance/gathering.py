"""What a finished run's folder, its code and its machine say of it, put together as facts."""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gwmorph.batch.costs import costs_of
from gwmorph.batch.rules import rules_of
from gwmorph.errors import GwmorphError
from gwmorph.plan import Plan, load_plan
from gwmorph.provenance.checkout import describe_checkout
from gwmorph.provenance.facts import EncoderFacts, Facts, Input, Observed, Product
from gwmorph.provenance.hashes import HashedFile, files_below, hash_files, lines_hash
from gwmorph.provenance.machine import describe_machine
from gwmorph.provenance.packages import installed_packages
from gwmorph.provenance.times import span_of_jobs
from gwmorph.storage import read_json, sha256_of_file
from gwmorph.strain.receipts import received_files
from gwmorph.tables.parquet import read_metadata

# Of the hub's models by these names; https://huggingface.co/facebook says it of each.
_HUB_LICENCES = {"facebook/dinov2": "Apache-2.0"}
_SHIPPED_LICENCE = "Apache-2.0"
_SHIPPED_CARD = "src/gwmorph/encoders/indomain.md"
# As the files of times begin of the jobs that make the record itself.
_OWN_JOBS = ("provenance",)


class UnfinishedError(GwmorphError):
    """A run lacks what its record has to say."""


def gather(
    folder: Path,
    configuration: Mapping[str, Any],
    results: Mapping[str, Sequence[str]],
    records: Mapping[str, Sequence[str]],
    checkout: Path,
    strain_root: Path,
    weights: Sequence[Path],
    shipped_weights: Path,
) -> tuple[Facts, list[HashedFile]]:
    """Return what is known of a run, and the hash of every file that it made.

    Parameters
    ----------
    folder : the run's folder, ``results/NAME`` from where snakemake runs.
    configuration : all keys, as the run's jobs had them.
    results : for each target that is finished, paths of its results from ``folder`` on.
    records : for each result, the configurations that speak of it, from ``folder`` on.
    checkout : the folder of the Snakefile, which may be a git checkout.
    strain_root : where the paths of receipts start.
    weights : files of weights that the run's encoder read.
    shipped_weights : those that come with gwmorph.

    Raises
    ------
    UnfinishedError, StorageError, StrainError, PlanError, TableError
        Something that the run is recorded by is missing or damaged.
    """
    plan = load_plan(folder / "plan", configuration["run"]["detectors"])
    hashed = hash_files(folder, files_below(folder, sorted({*_all(results)})))
    views = configuration["clustering"]["views"]
    ids = read_metadata(folder / "clusters" / views[0] / "clusters.parquet")
    lock = _lock(checkout, configuration["encoder"]["name"])
    summary = read_json(folder / "summary.json")
    return (
        Facts(
            run=configuration["run"]["name"],
            version=version("gwmorph"),
            configuration=configuration,
            config_sha256=sha256_of_file(folder / "config.yaml"),
            targets=tuple(results),
            span=span_of_jobs(folder / "benchmarks", _OWN_JOBS),
            costs=costs_of(folder, rules_of(checkout / "workflow" / "rules"), _OWN_JOBS),
            checkout=describe_checkout(checkout),
            lock=hash_files(checkout, [lock])[0],
            packages=installed_packages(checkout / lock),
            machine=describe_machine(),
            render_id=ids["gwmorph.render_id"],
            encoder=encoder_facts(
                configuration, ids["gwmorph.encoder_id"], weights, shipped_weights
            ),
            observed=_observed(configuration, plan, summary),
            views=summary["views"],
            inputs=[
                *strain_inputs(folder, plan, strain_root),
                *_named(configuration, weights, shipped_weights),
            ],
            products=product_list(folder, results, records, hashed),
        ),
        hashed,
    )


def whole_folders(
    folder: Path, results: Mapping[str, Sequence[str]], parts: Sequence[str]
) -> dict[str, list[str]]:
    """Return results of targets, and with them what lies beside them in folders of their own.

    A target leaves tables on its way that nobody asks for. They are told of with the first target,
    unless one lists them, or a folder that they are in.

    Raises
    ------
    StorageError
        A folder is not there.
    """
    listed = {*_all(results)}
    beside = [
        name
        for name in files_below(folder, [part.rstrip("/") for part in parts])
        if not listed & {name, *(parent.as_posix() for parent in Path(name).parents)}
    ]
    first = next(iter(results))
    return {name: [*made, *(beside if name == first else [])] for name, made in results.items()}


def _all(results: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for names in results.values():
        yield from names


def _lock(checkout: Path, encoder: str) -> str:
    """Return the lock that an installation follows: DINOv2's packages are in the longer one."""
    lock = "locks/dev.txt" if encoder == "dinov2" else "locks/base.txt"
    if not (checkout / lock).is_file():
        raise UnfinishedError(
            f"{checkout / lock}: no such file, so nobody can say which versions were asked for. "
            "Run from a whole copy of gwmorph."
        )
    return lock


def encoder_facts(
    configuration: Mapping[str, Any], encoder_id: str, weights: Sequence[Path], shipped: Path
) -> EncoderFacts:
    """Return what made a run's vectors; a licence that nobody here knows is None.

    ``weights`` are files that the encoder read, ``shipped`` is gwmorph's own.

    Raises
    ------
    StorageError
        Weights cannot be read.
    """
    section = configuration["encoder"]
    if section["name"] == "dct":
        return EncoderFacts(encoder_id, None, None, None)
    sha256 = next((sha256_of_file(path) for path in weights), None)
    if section["name"] == "indomain":
        own = [path for path in weights if path.resolve() == shipped.resolve()]
        if own:
            return EncoderFacts(encoder_id, sha256, _SHIPPED_LICENCE, _SHIPPED_CARD)
        return EncoderFacts(encoder_id, sha256, None, None)
    if section["name"] == "autoencoder":
        return EncoderFacts(encoder_id, sha256, None, None)
    # A local folder may hold anything. Of the hub's the id has the hash: of the quantised model,
    # where there is one.
    hub = section["weights"]["hub_id"] if section["weights"]["path"] is None else ""
    licence = next((of for name, of in _HUB_LICENCES.items() if hub.startswith(name)), None)
    return EncoderFacts(
        encoder_id,
        sha256 or encoder_id.split(":")[2],
        licence,
        f"https://huggingface.co/{hub}" if hub else None,
    )


def _observed(
    configuration: Mapping[str, Any], plan: Plan, summary: Mapping[str, Any]
) -> dict[str, Observed]:
    return {
        detector: Observed(
            flag_of(configuration["source"], detector),
            tuple((int(start), int(end)) for start, end in one.segments),
            one.science_s,
            found["gridded_s"],
            found["context_limited_s"],
            found["analysed_s"],
            found["analysed_windows"],
            found["triggers"],
            sum(found["events_by_score"].values()),
        )
        for detector, one in plan.items()
        for found in [summary["detectors"][detector]]
    }


def flag_of(source: Mapping[str, Any], detector: str) -> str:
    """Return what says when data are science: a flag, a list, the files' own masks."""
    if source["kind"] == "gwosc":
        return f"{detector}_{source['gwosc']['flag']}"
    if source["kind"] == "simulated":
        return "simulated segments"
    named = source["directory"]["segments"].get(detector)
    return Path(named).name if named else "the files' own masks"


def strain_inputs(folder: Path, plan: Plan, root: Path) -> list[Input]:
    """Return the strain that blocks were read from; receipts hold the hashes that jobs checked."""
    addresses = {
        (detector, file.gps_start, Path(file.location).name): file.location
        for detector, one in plan.items()
        for file in one.files
        if file.location.startswith(("http://", "https://"))
    }
    receipts = sorted((folder / "strain").glob("*/*.json"))
    return [
        Input(
            HashedFile(file.path, file.sha256, file.size),
            "strain",
            addresses.get((file.detector, file.gps_start, Path(file.path).name)),
            file.detector,
        )
        for file in received_files(receipts, root)
    ]


def _named(
    configuration: Mapping[str, Any], weights: Iterable[Path], shipped: Path
) -> Iterator[Input]:
    """Yield the files that the configuration names, and weights that gwmorph does not bring."""
    for path in weights:
        # Copied with the code: a checkout's own path is nobody's business.
        if path.resolve() != shipped.resolve():
            yield Input(_hashed(path), "encoder weights")
    for key, path in named_paths(configuration):
        names = files_below(path, [""]) if path.is_dir() else [""]
        for name in names:
            yield Input(_hashed(path / name if name else path), key)


def named_paths(configuration: Mapping[str, Any]) -> list[tuple[str, Path]]:
    """Return (key, path) of what the configuration has a run read, but for strain and weights."""
    source, validation = configuration["source"], configuration["validation"]["similarity"]
    named = [
        ("known_events.file", configuration["known_events"]["file"]),
        ("validation.similarity.labels", validation["labels"]),
        ("validation.similarity.reference", validation["reference"]),
        ("calibration.atlas", configuration["calibration"]["atlas"]),
        ("timeslides.campaign", configuration["timeslides"]["campaign"]),
    ]
    if source["kind"] == "simulated":
        named.append(("source.simulated.population", source["simulated"]["population"]))
    if source["kind"] == "directory":
        lists = source["directory"]["segments"]
        named += [(f"source.directory.segments.{name}", path) for name, path in lists.items()]
    parts = {
        "validation.similarity.reference": "*/reference.parquet",
        "timeslides.campaign": "recall.parquet",
    }
    return [
        (key, found)
        for key, path in named
        if path is not None
        for found in (sorted(Path(path).glob(parts[key])) if key in parts else [Path(path)])
    ]


def _hashed(path: Path) -> HashedFile:
    return HashedFile(str(path), sha256_of_file(path), path.stat().st_size)


def product_list(
    folder: Path,
    results: Mapping[str, Sequence[str]],
    records: Mapping[str, Sequence[str]],
    hashed: Sequence[HashedFile],
) -> list[Product]:
    """Return every result of some targets, each once, with its hash and the command that makes it.

    ``folder`` is the run's as the command is to name it; ``results`` and ``records`` are as in
    `gather`, ``hashed`` all files of the results, sorted by path.
    """
    by_path = {file.path: file for file in hashed}
    by_folder = _by_folder(hashed)
    products = []
    for name in sorted({*_all(results)}):
        command = command_for(folder, name, records.get(name, ()))
        file, inside = by_path.get(name), by_folder.get(name, [])
        products.append(
            Product(name, file.sha256, file.size, 1, False, command)
            if file is not None
            else Product(
                name,
                lines_hash(inside),
                sum(one.size for one in inside),
                len(inside),
                True,
                command,
            )
        )
    return products


def _by_folder(hashed: Sequence[HashedFile]) -> dict[str, list[HashedFile]]:
    """Return the files below each folder, sorted, as ``hashed`` is."""
    folders: dict[str, list[HashedFile]] = {}
    for file in hashed:
        for folder in Path(file.path).parents:
            folders.setdefault(folder.as_posix(), []).append(file)
    return folders


def command_for(folder: Path, name: str, records: Sequence[str]) -> str:
    """Return the command that makes a result again, run where ``folder`` is ``results/NAME``.

    The configurations that speak of it are asked for, too: making it withdraws them.
    """
    wanted = [f"{folder.as_posix()}/{path}" for path in (name, *records) if path]
    return shlex.join(
        [
            "snakemake",
            "--cores",
            "1",
            *dict.fromkeys(wanted),
            "--configfile",
            f"{folder.as_posix()}/config.yaml",
        ]
    )
