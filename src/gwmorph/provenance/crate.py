"""A run's folder as an RO-Crate of the Workflow Run profile.

The folder is the crate: outputs are described where they lie. What lies elsewhere is either copied
into its ``provenance/`` (code, locks) or described by its SHA-256 (strain, weights, labels).
Specification: https://w3id.org/ro/wfrun/workflow/0.5 on RO-Crate 1.1; the paper is Leo et al. 2024
(doi 10.1371/journal.pone.0309210).
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rocrate.model.computationalworkflow import ComputationalWorkflow
from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

from gwmorph.provenance.facts import EncoderFacts, Facts, Input, Product
from gwmorph.provenance.names import CODE
from gwmorph.provenance.observing_runs import is_public
from gwmorph.provenance.references import data_sets_of
from gwmorph.storage import write_json

_VERSION = "1.1"
_PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
# The profile's one term that is used, said here: its own context would be fetched.
_TERMS = {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}
_APACHE = "https://spdx.org/licenses/Apache-2.0"
_CC_BY = "https://creativecommons.org/licenses/by/4.0/"
WEIGHTS_FILE = "model.safetensors"
_MEDIA = {
    ".csv": "text/csv",
    ".html": "text/html",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".parquet": "application/vnd.apache.parquet",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".pdf": "application/pdf",
    ".md": "text/markdown",
    ".bib": "application/x-bibtex",
    ".yaml": "application/yaml",
    ".zip": "application/zip",
    ".hdf5": "application/x-hdf5",
    ".h5": "application/x-hdf5",
    ".safetensors": "application/octet-stream",
}


def named_by_content(sha256: str) -> str:
    """Return a URI that names a content and no place (RFC 6920), which nobody else can reach."""
    digest = urlsafe_b64encode(bytes.fromhex(sha256)).rstrip(b"=").decode()
    return f"ni:///sha-256;{digest}"


def write_crate(path: Path, facts: Facts, kept: Mapping[str, Product], words: str) -> None:
    """Write the metadata of a run's crate.

    Parameters
    ----------
    path : ``ro-crate-metadata.json`` in the run's folder.
    facts : what is known of the run.
    kept : the record's own files and folders, by what each is.
    words : the crate's description.

    Raises
    ------
    StorageError
        The file cannot be written.
    """
    # By what rocrate generates, but not with what it writes: equal content is to be equal bytes.
    metadata = json.loads(json.dumps(_crate(facts, kept, words).metadata.generate()))
    write_json(path, metadata)


def _crate(facts: Facts, kept: Mapping[str, Product], words: str) -> ROCrate:
    crate = ROCrate(version=_VERSION)
    crate.metadata.extra_terms.update(_TERMS)
    for identifier, (name, version) in _PROFILES.items():
        crate.add(_context(crate, identifier, "CreativeWork", name=name, version=version))
    for identifier, name in ((_APACHE, "Apache License 2.0"), (_CC_BY, "CC BY 4.0")):
        crate.add(_context(crate, identifier, "CreativeWork", name=name))
    workflow = _add_workflow(crate, facts)
    run = _add_action(crate, facts, workflow)
    for what, product in kept.items():
        entity = _add_product(crate, product)
        entity["name"] = what
    _describe_root(crate, facts, run, words)
    return crate


def _context(crate: ROCrate, identifier: str, kind: str, **properties: Any) -> ContextEntity:
    return ContextEntity(crate, identifier, properties={"@type": kind, **properties})


def _describe_root(crate: ROCrate, facts: Facts, run: ContextEntity, words: str) -> None:
    root = crate.root_dataset
    root["name"] = f"gwmorph run {facts.run}"
    root["description"] = words
    root["datePublished"] = facts.span.end  # no clock: the end of the last job
    root["license"] = "Not chosen: whoever publishes this folder says under which."
    root["conformsTo"] = [{"@id": identifier} for identifier in _PROFILES]
    root["mentions"] = run
    root["keywords"] = "gravitational waves, glitches, detector characterisation"


def _add_workflow(crate: ROCrate, facts: Facts) -> ComputationalWorkflow:
    checkout = facts.checkout
    state = {
        True: f"git commit {checkout.commit}, nothing changed",
        False: f"git commit {checkout.commit}, with changes in {len(checkout.changed)} files",
        None: f"no git commit: {checkout.why}",
    }[checkout.is_clean]
    properties = {
        "name": "gwmorph",
        "version": facts.version,
        "description": f"From segment lists to a clustered map of morphologies. {state}.",
        "license": {"@id": _APACHE},
        "url": "https://snakemake.readthedocs.io",
        "encodingFormat": "text/plain",
    }
    return crate.add_workflow(
        dest_path=f"{CODE}/Snakefile",
        properties=properties,
        main=True,
        lang="snakemake",
        lang_version=next(one.version for one in facts.packages if one.name == "snakemake"),
    )


def _add_action(crate: ROCrate, facts: Facts, workflow: ComputationalWorkflow) -> ContextEntity:
    agent = crate.add(
        _context(crate, "#whoever-ran-it", "Organization", name="Whoever ran it (not recorded)")
    )
    products = [_add_product(crate, product) for product in facts.products]
    inputs = [_add_input(crate, given) for given in facts.inputs]
    inputs += _add_weights(crate, facts.encoder)
    inputs += [one for one in products if one.id == "config.yaml"]
    for data_set in data_sets_of(facts):
        identifier = f"https://doi.org/{data_set.doi}" if data_set.doi else f"#{data_set.name}"
        crate.add(_context(crate, identifier, "CreativeWork", name=f"GWOSC {data_set.name}"))
    run = _context(
        crate,
        f"#run-{facts.config_sha256[:16]}",
        "CreateAction",
        name=f"Run {facts.run}",
        description=f"snakemake --configfile config.yaml {' '.join(facts.targets)}",
        startTime=facts.span.start,
        endTime=facts.span.end,
        actionStatus="http://schema.org/CompletedActionStatus",
    )
    run["instrument"] = workflow
    run["agent"] = agent
    run["object"] = [*inputs, *_add_values(crate, facts)]
    run["result"] = products
    return crate.add(run)


def _add_values(crate: ROCrate, facts: Facts) -> list[ContextEntity]:
    """Add what a run was given and is no file: machine, seeds, what each detector had."""
    values: dict[str, Any] = {
        "configuration-sha256": facts.config_sha256,
        "render-id": facts.render_id,
        "encoder-id": facts.encoder.encoder_id,
        "lock-sha256": facts.lock.sha256,
        "git-commit": facts.checkout.commit or f"none ({facts.checkout.why})",
        "git-clean": {True: "yes", False: "no", None: "unknown"}[facts.checkout.is_clean],
    }
    values |= {f"machine-{key}": value for key, value in facts.machine.items()}
    values |= {f"seed-{key}": seed for key, seed in facts.to_json()["seeds"].items()}
    for name, one in facts.observed.items():
        values |= {
            f"{name}-flag": one.flag,
            f"{name}-segments": len(one.segments),
            f"{name}-science-seconds": one.science_s,
            f"{name}-livetime-seconds": one.livetime_s,
        }
    return [
        crate.add(_context(crate, f"#{key}", "PropertyValue", name=key, value=value))
        for key, value in values.items()
    ]


def _add_input(crate: ROCrate, given: Input) -> Any:
    name = Path(given.file.path).name
    identifier = given.location or named_by_content(given.file.sha256)
    licence = {"license": {"@id": _CC_BY}} if is_public(name) else {}
    about = f" of {given.detector}" if given.detector else ""
    entity = crate.get(identifier)
    if entity is None:
        entity = crate.add_file(
            identifier,
            properties={
                "name": name,
                "description": f"{given.what}{about}",
                "sha256": given.file.sha256,
                "contentSize": str(given.file.size),
                "encodingFormat": _media(name),
                **licence,
            },
        )
    return entity


def _add_weights(crate: ROCrate, encoder: EncoderFacts) -> list[Any]:
    """Add weights that are no input of their own: those that come with the code, or from a hub."""
    if encoder.weights_sha256 is None or encoder.card is None:
        return []
    own: dict[str, Any] = {
        "description": f"weights of {encoder.encoder_id}",
        "sha256": encoder.weights_sha256,
    }
    if encoder.licence:
        own["license"] = {"@id": f"https://spdx.org/licenses/{encoder.licence}"}
    if encoder.card.startswith("https://"):
        identifier = named_by_content(encoder.weights_sha256)
        entity = crate.add_file(
            identifier, properties={**own, "name": WEIGHTS_FILE, "encodingFormat": _media("")}
        )
        entity["subjectOf"] = crate.add(
            _context(crate, encoder.card, "CreativeWork", name="Model")
        )
        return [entity]
    card = crate.add_file(
        dest_path=f"{CODE}/{encoder.card}",
        properties={"name": "Model card", "encodingFormat": "text/markdown"},
    )
    weights = Path(encoder.card).with_suffix(".safetensors").as_posix()
    entity = crate.add_file(
        dest_path=f"{CODE}/{weights}",
        properties={**own, "name": Path(weights).name, "encodingFormat": _media(weights)},
    )
    entity["subjectOf"] = card
    return [entity]


def _add_product(crate: ROCrate, product: Product) -> Any:
    own = {"sha256": product.sha256, "contentSize": str(product.size)}
    if product.command:
        own["description"] = f"Made again by: {product.command}"
    if product.is_folder:
        own["description"] = (
            f"{product.files} files; sha256 is of their lines in the record's lists of files. "
            f"{own.get('description', '')}".strip()
        )
        return crate.add_dataset(dest_path=product.path, properties=own)
    if existing := crate.get(product.path):
        return existing
    own |= {"encodingFormat": _media(product.path), "name": product.path}
    return crate.add_file(dest_path=product.path, properties=own)


def _media(name: str) -> str:
    return _MEDIA.get(Path(name).suffix, "application/octet-stream")
