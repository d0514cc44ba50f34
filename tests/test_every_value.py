"""Every allowed value of every enumerated key, and the ends of every range, through a small run.

The cases come from the configuration's models, so that no key is forgotten: a key is tried by the
stage that it belongs to (``STAGES``), or named in ``NOT_TRIED`` with the reason. A value may be
refused while the configuration is read and the run is planned; nothing may fail later.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import annotated_types as limits
import numpy as np
import pyarrow as pa
import pytest
import torch
from igwn_segments import segment, segmentlist
from pydantic.fields import FieldInfo

from gwmorph.block import EventParameters, RenderParameters, draw_block
from gwmorph.config import Config, leaves, parse_config
from gwmorph.encoders.autoencoder_network import AutoencoderArchitecture
from gwmorph.encoders.crop_network import Architecture, CropNetwork
from gwmorph.encoders.indomain import write_network
from gwmorph.encoders.registry import make_encoder
from gwmorph.encoders.sizes import check_size
from gwmorph.errors import ConfigError
from gwmorph.evidence import ablation, anomaly, clusterers, distortion, stability
from gwmorph.evidence.campaign import plan_jobs
from gwmorph.evidence.chirp_evaluation import Scored, auc_rows, relative_rows
from gwmorph.evidence.chirp_windows import (
    GaussianNoise,
    Look,
    Masses,
    Signals,
    draw_signals,
    model_spectra,
)
from gwmorph.evidence.coincidences import Observed, compare, rate_limits
from gwmorph.evidence.drift import drift_row
from gwmorph.evidence.injections import simulated_backgrounds
from gwmorph.evidence.intervals import Bootstrap
from gwmorph.evidence.known_events import (
    find_known,
    injected_spans,
    known_spans,
    shows_known,
)
from gwmorph.evidence.labelled import Draws, labelled_views
from gwmorph.evidence.matched_filter import MatchedFilter, place_bank
from gwmorph.evidence.naming import name_run, score_names
from gwmorph.evidence.novelty import resplit_rows
from gwmorph.evidence.reference import reference_table
from gwmorph.evidence.sample import draw_sample
from gwmorph.grid import Grid, block_of
from gwmorph.learning import finetune
from gwmorph.learning.autoencoder import (
    AutoencoderRecipe,
    Crops,
    Head,
    Labelled,
    train_autoencoder,
    train_bottleneck_classifier,
)
from gwmorph.learning.backbones import IndomainBackbone
from gwmorph.learning.chirp_examples import Curriculum, fixed_examples
from gwmorph.learning.chirp_search import ChirpRecipe, train_chirp_network
from gwmorph.learning.classification import ClassifierRecipe, train_classifier
from gwmorph.learning.contrastive import Augmentation
from gwmorph.learning.contrastive_training import Recipe, train
from gwmorph.learning.finetune import FinetuneRecipe, NumberedPictures
from gwmorph.learning.labelled_pictures import LabelledPictures, split
from gwmorph.learning.loop import Checkpoint, choose_device, choose_precision
from gwmorph.learning.machine import Machine, machine_of
from gwmorph.learning.pairs import QUIET, Pairs, simulated_pairs, training_rendering
from gwmorph.learning.picture_sources import simulated_pictures
from gwmorph.learning.probes import few_shot_probe, linear_probe
from gwmorph.learning.sources import training_sources
from gwmorph.ledger import analysed_row, judge
from gwmorph.morphology import judgement, status, thresholds
from gwmorph.morphology.clustering import cluster
from gwmorph.picture_files import picture_names
from gwmorph.plan import make_plan, require_tiles
from gwmorph.report.occupancy import count_occupancy
from gwmorph.segments import grid_windows
from gwmorph.simulation.binaries import Binary
from gwmorph.simulation.blocks import Simulation, simulate
from gwmorph.simulation.population import Population, load_population
from gwmorph.simulation.signals import population_classes
from gwmorph.spectra.albums import kept_album
from gwmorph.spectra.pictures import PictureScale, read_picture
from gwmorph.strain.base import LocalFile, StrainFile
from gwmorph.strain.sources import make_source
from gwmorph.tables.block import LEDGER, TRIGGERS
from gwmorph.tables.clusters import CLUSTERS
from gwmorph.tables.embeddings import EMBEDDINGS, embedding_column
from gwmorph.tables.known_events import CATALOG
from gwosc_files import write_gwosc_file
from morphology.planted import blobs

ROOT = Path(__file__).resolve().parents[1]
POPULATION = ROOT / "config" / "population.yaml"
START = 1262304000
GLITCH_HZ = 150
# What is not tried costs as little as it may.
SMALL = {
    "run": {"gps_start": START, "gps_end": START + 4096, "detectors": ["H1"]},
    "source": {"simulated": {"population": str(POPULATION)}},
    "conditioning": {"sample_rate": 2048},
    "picture": {"height": 56, "width": 56},
    "encoder": {"name": "dct"},
    "clustering": {
        "umap": {"neighbors": 8},
        "mixture": {"components": 3, "starts": 1},
        "separation": {"surrogates": 5, "pair_surrogates": 19, "rows": 200},
    },
    "injections": {
        "reference_windows": 100,
        "quiet_windows": 100,
        "windows_per_job": 100,
        "false_alarm_fractions": [0.1],
    },
    "comparison": {"per_class": 4},
    "chirp_search": {"steps": 1, "batch_size": 4, "masses": {"low": 40}},
    "validation": {"repeats": 20, "permutations": 19},
    "supervised": {"epochs": 1},
    "autoencoder": {"steps": 1, "batch_size": 2, "head": {"steps": 1, "batch_size": 2}},
    "finetune": {"head_steps": 1, "full_steps": 1, "validation_steps": 1, "hidden": 2},
    "training": {"steps": 1, "event_pairs": 2, "window_pairs": 2, "windows_per_part": 4},
}
# Keys that bound a quantity together with the one that is tried.
BESIDE = {
    ("run.gps_start", 100_000_000): {"run": {"gps_end": 100_004_096}},
    ("run.gps_end", 2**31 - 1): {"run": {"gps_start": 2**31 - 4097}},
    ("qtransform.q_low", 100.0): {"qtransform": {"q_high": 101.0}},
    # Fine tiles are many; low ones are few.
    ("qtransform.mismatch", 0.010001): {"qtransform": {"f_high": 60.0}},
    ("events.candidates.tile_snr", 3.0): {"events": {"tile_snr": 3.0}},
}
NOT_TRIED = {
    "known_events.catalog": "tests/evidence read files, tests/strain ask a copy of GWOSC",
    "known_events.kept_out": "what Snakemake asks for; tests/workflow keep references free",
    "known_events.gap_s": "tests/evidence compare events of other times",
    "known_events.listed": "tests/report list some events, and none",
    "source.gwosc": "needs the network; tests/strain ask a copy of it",
    "source.directory": "tests/strain read files of every layout",
    "encoder.runtime": "needs DINOv2's weights; tests/encoders run an untrained copy",
    "encoder.precision": "as encoder.runtime",
    "encoder.output": "as encoder.runtime",
    "encoder.batch_size": "pictures held at once; tests/encoders encode in batches",
    "encoder.blocks_per_job": "the size of Snakemake's jobs; tests/test_plan.py groups blocks",
    "clustering.views": "what Snakemake asks for; tests/workflow ask for both",
    "scan": "what is done with new data; tests/scanner scan some",
    "score": "tests/evidence; quiet windows are simulated or chosen a hundred at a time",
    "comparison.encoders": "as encoder.name",
    "comparison.naming": "as comparison",
    "autoencoder.split": "as the splits that tests/learning make of labelled pictures",
    "learning.source": "tests/learning take pictures from every source",
    "learning.per_class": "as comparison.per_class",
    "supervised.networks": "tests/learning make all of them",
    "supervised.windows": "tests/learning cut every one",
    "supervised.splits": "tests/learning split in every way",
    "supervised.mistakes": "tests/report show some, and none",
    "learning.checkpoint_steps": "as training.checkpoint_steps",
    "comparison.campaign": "as injections",
    "finetune.maps": "UMAP takes half a minute to compile; tests/learning draw the other one",
    "finetune.window": "tests/learning read pictures of every window",
    "finetune.split": "tests/learning split in every way",
    "chirp_search.noise": "tests/evidence simulate and share recorded noise",
    "chirp_search.noise_s": "as chirp_search.noise",
    "chirp_search.networks": "tests/learning make both",
    "chirp_search.checkpoint_steps": "as training.checkpoint_steps",
    "chirp_search.validation_steps": "tests/learning/test_loop.py validate",
}
# A value of these keys that cannot be had where the test runs.
ELSEWHERE = {
    ("source.kind", "gwosc"): "as source.gwosc",
    ("encoder.name", "dinov2"): "needs DINOv2's weights",
    ("training.device", "cuda"): "needs a GPU",
    ("learning.device", "cuda"): "needs a GPU",
    ("supervised.epochs", 1000): "as source.simulated.rate_scale",
    ("chirp_search.device", "cuda"): "needs a GPU",
    ("source.simulated.rate_scale", 1000.0): "takes a minute, and differs in number alone",
    ("clustering.separation.surrogates", 1000): "as source.simulated.rate_scale",
    ("validation.repeats", 10_000): "as source.simulated.rate_scale",
}


# -- the cases ------------------------------------------------------------------------------


def alternatives(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)


def ends(kind: type, field: FieldInfo) -> Iterator[int | float]:
    """The smallest and the largest number that a key may have, where there is one.

    Just inside an end that does not belong to the range means by a millionth.
    """
    for limit in field.metadata:
        match limit:
            case limits.Ge(ge=end) | limits.Le(le=end):
                yield kind(end)
            case limits.Gt(gt=end):
                yield end + (1 if kind is int else 1e-6)
            case limits.Lt(lt=end):
                yield end - (1 if kind is int else 1e-6)


def values(field: FieldInfo) -> Iterator[Any]:
    for kind in alternatives(field.annotation):
        if get_origin(kind) is Literal:
            yield from get_args(kind)
        elif get_origin(kind) is list and get_origin(get_args(kind)[0]) is Literal:
            yield from ([value] for value in get_args(get_args(kind)[0]))
        elif kind in (int, float):
            yield from ends(kind, field)


def merged(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    both = {
        key: merged(base[key], value)
        for key, value in change.items()
        if isinstance(value, dict) and isinstance(base.get(key), dict)
    }
    return {**base, **change, **both}


def configured(key: str, value: Any) -> Config:
    change: Any = value
    for part in reversed(key.split(".")):
        change = {part: change}
    beside = of_case(BESIDE, key, value) or {}
    config = parse_config(merged(merged(SMALL, beside), change))
    require_tiles(config.window, config.conditioning, config.qtransform)
    check_size(config.encoder.name, (config.picture.height, config.picture.width))
    return config


def of_case(known: Mapping[tuple[str, Any], Any], key: str, value: Any) -> Any:
    """What is known of a value of a key, which may be a list."""
    return next((found for case, found in known.items() if case == (key, value)), None)


def stage_of(key: str) -> str | None:
    """The longest part of a key that a stage or a reason is known for."""
    parts = key.split(".")
    names = (".".join(parts[:n]) for n in range(len(parts), 0, -1))
    return next((name for name in names if name in STAGES or name in NOT_TRIED), None)


# -- the stages -----------------------------------------------------------------------------


def planned(config: Config, tmp_path: Path) -> None:
    grid = Grid(config.window.duration_s, config.window.stride_s, config.window.context_s)
    plan, _ = make_plan(tmp_path, config.run, config.source, grid, make_source)
    assert {len(one.blocks) > 0 for one in plan.values()} == {True}


def judged(config: Config, tmp_path: Path) -> None:
    ledger = pa.Table.from_pylist([analysed_row("H1", START, 32, block_of(START))], schema=LEDGER)
    assert judge(ledger, ["H1"], config.run.max_excluded_fraction)


def simulated(config: Config, tmp_path: Path) -> None:
    keys = config.source.simulated
    simulation = Simulation(
        keys.seed, load_population(POPULATION), keys.rate_scale, keys.duty_cycle, keys.sample_rate
    )
    span = simulate(simulation, "H1", START, START + 8)
    assert len(span.data.strain) == 8 * keys.sample_rate


def drawn(config: Config, tmp_path: Path) -> None:
    """A block of 8 s of context, a window, 8 s of context (or more), with one loud glitch."""
    rate, context = config.conditioning.sample_rate, config.window.context_s
    first = START - max(context, 8)
    seconds = 32 + 2 * max(context, 8)
    strain = 1e-21 * np.random.default_rng(7).standard_normal(seconds * rate)
    t = np.arange(seconds * rate) / rate - (START - first) - 16
    strain += 2e-20 * np.exp(-((t / 0.01) ** 2)) * np.sin(2 * np.pi * GLITCH_HZ * t)
    path = write_gwosc_file(tmp_path / "a.hdf5", "H1", first, strain, rate)
    file = LocalFile.receipt(StrainFile("H1", first, seconds, rate, str(path)), path, "gwosc")
    parameters = RenderParameters.from_sections(
        config.window.duration_s,
        config.conditioning.model_dump(),
        config.qtransform.model_dump(),
        config.picture.model_dump(),
    )
    ending = {"folder": "", "zip": ".zip"}[config.run.pictures]
    kept = [tmp_path / f"{name}{ending}" for name in ("pictures", "events")]
    with kept_album(*kept) as album:
        result = draw_block(
            [file], "H1", block_of(START),
            grid_windows(segmentlist([segment(START, START + 32)]), 32, config.window.stride_s),
            segmentlist([segment(first, first + seconds)]), context, parameters,
            EventParameters(**config.events.model_dump(exclude={"parts"})), album,
        )  # fmt: skip
    (row,) = result.measurements
    assert all(np.isfinite(value) for value in row.values() if isinstance(value, float))
    if parameters.tiling().f_top > GLITCH_HZ:
        assert row["tile_time"] == pytest.approx(START + 16, abs=0.1)
    (picture,) = picture_names(kept[0])
    indices, _ = read_picture(kept[0] / picture)
    size = (config.picture.height, config.picture.width)
    assert indices.shape == size
    vectors = make_encoder(config.encoder, size).encode(
        indices[None], parameters.picture_scale, "window"
    )
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)


def clustered(config: Config, tmp_path: Path) -> None:
    vectors, _ = blobs((40, 24), seed=3)
    found = cluster(vectors, config.clustering, config.run.seed)
    assert len(found.labels) == 64
    assert np.isfinite(found.map).all()


def injected(config: Config, tmp_path: Path) -> None:
    job = replace(plan_jobs(config.injections)[0], windows=1)
    (background,) = simulated_backgrounds(job, rendering(config))
    assert np.isfinite(background.stretch.white).all()


def rendering(config: Config) -> RenderParameters:
    return RenderParameters.from_sections(32, **sections(config))


def sections(config: Config) -> dict[str, dict[str, Any]]:
    names = ("conditioning", "qtransform", "picture")
    return {name: getattr(config, name).model_dump() for name in names}


def shown_pairs(config: Config, tmp_path: Path) -> None:
    keys = config.training
    population: Population = load_population(POPULATION)
    sources = training_sources([population], keys.excluded, keys.spread)
    parameters = training_rendering(32, sections(config))
    simulated_pairs(
        keys.parts - 1, keys.windows_per_part, keys.detectors[0], keys.seed, sources, parameters
    )


def trained(config: Config, tmp_path: Path) -> None:
    keys = config.training
    device = choose_device(keys.device, "training")
    shown = np.random.default_rng(5).integers(0, 256, (2, 6, 2, 4, 56, 56)).astype(np.uint8)
    names = np.array(["bar", "dot", QUIET] * 2)
    torch.set_num_threads(1)
    _, losses = train(
        Pairs(*shown, names, names),
        Recipe(**{name: getattr(keys, name) for name in Recipe.__dataclass_fields__}),
        Architecture(stem=8, width=16, blocks=1, heads=2, crop_size=8),
        Augmentation(),
        Checkpoint(tmp_path / "state", keys.checkpoint_steps, "a"),
        device,
        choose_precision(keys.precision, device, "training"),
        lambda step, parts: None,
    )
    assert np.isfinite(losses).all()


def autoencoded(config: Config, tmp_path: Path) -> None:
    keys = config.autoencoder
    torch.set_num_threads(1)
    shown = np.random.default_rng(5).integers(0, 256, (6, 4, 56, 56)).astype(np.uint8)
    crops = Crops(shown, np.arange(256, dtype=np.float32) / 255)
    narrow = {"widths": (2,) * 7 + (24,), "decoder_widths": (2, 2, 2)}
    state, machine = (
        Checkpoint(tmp_path / "state", 50, "a"),
        machine_of("cpu", "float32", "learning"),
    )
    recipe = AutoencoderRecipe.of(keys, 1)
    architecture = AutoencoderArchitecture(seen=keys.seen, **narrow)
    fitted, _ = train_autoencoder(
        crops, crops, recipe, architecture, None, state, machine, lambda step, parts: None
    )
    assert np.isfinite(fitted.losses).all()
    views = Labelled(crops, np.array(["bar", "dot"] * 3))
    recipe, head = AutoencoderRecipe.of(keys.head, 1), Head(keys.head.hidden, keys.head.before)
    told, _ = train_bottleneck_classifier(
        fitted.network, False, views, views, recipe, head, None, state, machine,
        lambda step, parts: None,
    )  # fmt: skip
    assert np.isfinite(told.losses).all()


def compared(config: Config, tmp_path: Path) -> None:
    keys = config.comparison
    everything = load_population(POPULATION)
    classes = population_classes(everything, keys.detector, ["blip"], keys.snr_low, keys.snr_high)
    draws = Draws(keys.detector, keys.seed, keys.per_class)
    views = labelled_views(classes, draws, rendering(config), config.events)
    assert len(views) <= keys.per_class


def learned(config: Config, tmp_path: Path) -> None:
    """Views of one class, and on which side of a split they are."""
    keys = config.learning
    everything = load_population(POPULATION)
    classes = population_classes(everything, keys.detector, ["blip"], keys.snr_low, keys.snr_high)
    draws = Draws(keys.detector, keys.seed, 4)
    views = labelled_views(classes, draws, rendering(config), config.events)
    size = (config.picture.height, config.picture.width)
    pictures = simulated_pictures(views, rendering(config).picture_scale, size)
    assert len(pictures) == 4
    fractions = (keys.validation_fraction, keys.test_fraction)
    assert set(split(pictures, "random", fractions, keys.seed)) == {"train", "validation", "test"}
    assert choose_precision(keys.precision, choose_device(keys.device, "learning"), "learning")


def classified(config: Config, tmp_path: Path) -> None:
    """Six pictures of two classes in the training part, and four to validate."""
    keys = config.supervised
    rng = np.random.default_rng(5)
    nothing = np.full(10, np.nan)
    pictures = LabelledPictures(
        rng.integers(0, 256, (10, 16, 16)).astype(np.uint8), rendering(config).picture_scale,
        np.array(["blip", "tomte"] * 5), np.arange(10).astype(str), nothing, np.full(10, ""),
        nothing,
    )  # fmt: skip
    named = set(ClassifierRecipe.__dataclass_fields__) - {"batch_size", "augmented", "seed"}
    recipe = ClassifierRecipe(
        **{name: getattr(keys, name) for name in named},
        batch_size=3, augmented=keys.augmentation == "views", seed=1,
    )  # fmt: skip
    torch.set_num_threads(1)
    found = train_classifier(
        "mobilenetv2_wd4", pictures, np.array(["train"] * 6 + ["validation"] * 4), recipe, None,
        Checkpoint(tmp_path / "state", 50, "a"), torch.device("cpu"), torch.float32,
        lambda step, parts: None,
    )  # fmt: skip
    assert np.isfinite(found.fitted.losses).all()


def specialised(config: Config, tmp_path: Path) -> None:
    """A probe, a perceptron and a whole network on a few pictures of two classes."""
    keys = config.finetune
    names = set(FinetuneRecipe.__dataclass_fields__) - {"seed"}
    recipe = FinetuneRecipe(seed=1, **{name: getattr(keys, name) for name in names})
    network = CropNetwork(Architecture(stem=4, width=8, blocks=1, heads=2, crop_size=8))
    write_network(tmp_path / "a.safetensors", network, {})
    backbone = IndomainBackbone(tmp_path / "a.safetensors", None)
    scale = PictureScale("linear", 25.5, "cividis")
    pictures = np.random.default_rng(5).integers(0, 256, (6, 112, 112)).astype(np.uint8)
    numbers = np.arange(6) % 2
    vectors = finetune.backbone_vectors(backbone, pictures, scale)
    labels = np.array(["a", "b"])[numbers]
    assert linear_probe(vectors, labels, np.arange(6).astype(str), keys.folds, 1, (0.01,))
    assert len(few_shot_probe(vectors, labels, keys.few_shot_penalty)[0]) == 6

    def kept(name: str) -> Checkpoint:
        return finetune.checkpoint_of(tmp_path, name, 10, "a")

    sides = ("train", "validation")
    both = dict.fromkeys(sides, vectors), dict.fromkeys(sides, numbers)
    for layers in keys.head_layers:
        head, _ = finetune.train_head(
            *both, layers, 2, recipe, kept(str(layers)), lambda step, parts: None
        )
    parts = dict.fromkeys(sides, NumberedPictures(pictures, numbers))
    cpu = Machine(torch.device("cpu"), torch.float32)
    fitted, _ = finetune.fine_tune(
        backbone, finetune.mlp_head(32, 2, 1, 2, 0.0), parts, scale, recipe, cpu, kept("full"),
        lambda step, parts: None,
    )  # fmt: skip
    assert np.isfinite(fitted.losses).all()
    assert np.isfinite(head.losses).all()


def searched(config: Config, tmp_path: Path) -> None:
    """A binary in noise, seen by a bank of a few templates, and the numbers of planted scores."""
    keys = config.chirp_search
    look = Look.from_section(keys.model_dump())
    spectra = model_spectra(look)
    signals = draw_signals(Masses(**keys.masses.model_dump()), look, spectra, 2, keys.seed, "a")
    noise = GaussianNoise(spectra, look)
    examples = fixed_examples(signals, noise, look, keys.compared_from_snr, 4, keys.seed, "a")
    assert np.isfinite(examples.windows).all()
    bank = place_bank(Masses(40, 41, 0), look, spectra, keys.bank.minimal_match, 1, keys.seed)
    assert np.isfinite(MatchedFilter(bank)(examples.windows)).all()
    planted = np.random.default_rng(1).normal(size=(4, 40))
    held = Scored(planted[0], planted[1], planted[2:].T, planted[3], np.array([8.0, 12.0]))
    snrs = (keys.compared_from_snr, keys.compared_to_snr)
    assert list(auc_rows("a", held, keys.repeats, keys.seed))
    list(relative_rows("a", held, held, [0.1], snrs, 20, keys.seed))


def taught_chirps(config: Config, tmp_path: Path) -> None:
    keys = config.chirp_search
    look = Look.from_section(keys.model_dump())
    device = choose_device(keys.device, "chirp_search")
    rng = np.random.default_rng(5)
    pairs = (Binary(30, 30, 0, 0, 0, 0, 0, 0, 0),) * 2
    signals = Signals(pairs, rng.standard_normal((2, 2, look.kept)).astype(np.float32))
    noise = GaussianNoise(model_spectra(look), look)
    names = ("steps", "batch_size", "learning_rate", "weight_decay", "dropout", "seed")
    snrs = (keys.training_snr_first, keys.training_snr_low, keys.training_snr_high)
    torch.set_num_threads(1)
    fitted, _ = train_chirp_network(
        signals,
        noise,
        look,
        ChirpRecipe(
            network="classic", validate_every=keys.validation_steps,
            curriculum=Curriculum(*snrs), **{name: getattr(keys, name) for name in names},
        ),
        fixed_examples(signals, noise, look, 8.0, 200, keys.seed, "a"),
        Checkpoint(tmp_path / "state", keys.checkpoint_steps, "a"),
        device,
        choose_precision(keys.precision, device, "chirp_search"),
        lambda step, parts: None,
    )  # fmt: skip
    assert np.isfinite(fitted.losses).all()


def validated(config: Config, tmp_path: Path) -> None:
    """Each question on a few islands, of the many variants the first and the last one."""
    vectors, truth = blobs((40, 24), seed=3)
    keys = config.validation
    starts = START + 32 * np.arange(64)
    rows = pa.table(
        {
            "detector": ["H1"] * 64,
            "gps_start": starts,
            "view": ["window"] * 64,
            "trigger_time": pa.nulls(64, pa.float64()),
            "tile_q": np.full(64, 8.0),
            "embedding": embedding_column(vectors),
        }
    )
    clusters = rows.append_column("cluster", pa.array(truth.astype(np.int32)))
    sample = draw_sample(rows, clusters, keys.rows, keys.block_s, keys.seed)
    count = len(sample.rows)
    every = list(stability.variants(config.clustering, 1, keys.stability, count, keys.seed))
    chosen = [every[0], every[-1]]
    partitions = stability.partitions_of(sample.vectors, chosen)
    kinds = {variant.name: variant.changed for variant in chosen}
    draws = (sample.blocks, keys.repeats, keys.seed)
    assert stability.agreement_rows(sample.labels, partitions, kinds, *draws)
    assert stability.survival_rows(sample.labels, partitions, keys.survival)
    classes = np.array(["a", "b"])[truth][sample.rows]
    assert clusterers.clusterer_rows(partitions, classes, *draws)
    shown = {"map": vectors[sample.rows, :2]}
    assert distortion.distortion_rows(sample, shown, keys.repeats, keys.seed)
    assert distortion.separation_rows(vectors, truth, keys.rows, keys.permutations, keys.seed)
    rare = anomaly.row_p_values(sample.vectors, sample.blocks, config.clustering, 1, keys.seed)
    assert anomaly.cluster_rows(sample.labels, rare, keys.anomaly.rate)
    shapes = dict.fromkeys(("duration", "bandwidth"), np.full(64, np.nan))
    tiles = {f"tile_{name}": np.ones(64) for name in ("time", "frequency", "energy", "snr")}
    run = pa.table({**{name: rows[name] for name in rows.column_names}, **tiles})
    own = reference_table(run, np.array(["a", "b"])[truth], shapes)
    by = keys.similarity
    assert len(name_run(run, truth.astype(np.int32), own, None, by.neighbors).rows) == 64
    bootstrap = Bootstrap(keys.block_s, keys.repeats, keys.seed)
    scored, confusion = score_names(own, None, by.neighbors, by.gap_s, bootstrap)
    assert (scored == []) == (confusion == [])
    blocks = {("H1", block_of(int(start))) for start in starts}
    few = ablation.sample_rows(rows, {}, blocks, keys.ablation.rows, keys.seed)
    assert len(few) == min(keys.ablation.rows, 64)
    for change in keys.ablation.changes:
        assert change in ablation.CHANGES


def slid(config: Config, tmp_path: Path) -> None:
    """Two days of two detectors, with a trigger each half hour: as long as the longest step."""
    rng = np.random.default_rng(2)
    windows = range(START, START + 2 * 86400, 32)
    ledger = [analysed_row(d, t, 32, block_of(t)) for d in ("H1", "L1") for t in windows]
    rows = [
        dict.fromkeys(TRIGGERS.names, 0.0)
        | {"detector": detector, "gps_start": int(time // 32) * 32, "found_by": "tile"}
        | {"peak_time": time, "peak_frequency": 100.0, "q": 8.0, "snr": 9.0, "tiles": 1}
        | {"view": False}
        for detector in ("H1", "L1")
        for time in rng.uniform(START, START + 2 * 86400, 96).tolist()
    ]
    triggers = pa.Table.from_pylist(rows, schema=TRIGGERS)
    run = Observed(
        pa.Table.from_pylist(ledger, schema=LEDGER), triggers, EMBEDDINGS.empty_table(), triggers,
        np.zeros(len(triggers), bool), np.zeros(len(ledger), bool),
    )  # fmt: skip
    found = compare(run, ["H1", "L1"], 32, config.timeslides)
    assert found.summary[0]["slides"] >= 1
    assert rate_limits(found, config.timeslides.p_value, None)


def calibrated(config: Config, tmp_path: Path) -> None:
    """Two islands judged by each other's rows."""
    vectors, truth = blobs((40, 24), seed=3)
    classes, keys = np.array(["a", "b"])[truth], config.calibration
    held = thresholds.limits_of(vectors, classes, keys.rate, 1)
    nobody = np.full(64, -1)
    found = judgement.judge(vectors, classes, held, keys.promise, vectors, nobody, 5)
    never = np.zeros(64, bool)
    decided = status.decide(never, never, found, keys.agreeing)
    assert set(decided.tolist()) <= set(status.Status)
    assert resplit_rows(vectors, classes, keys.rates, min(keys.resplits, 20), 1)
    blocks = np.arange(64) // 4
    row = drift_row(vectors[:, 0], vectors[:, 1], blocks, blocks, keys.drift, 1)
    assert row["recalibrate"] == (row["p_value"] <= keys.drift)


def counted(config: Config, tmp_path: Path) -> None:
    rows = [analysed_row("H1", START + 32 * n, 32, block_of(START)) for n in range(3)]
    ledger = pa.Table.from_pylist(rows, schema=LEDGER)
    occupancy = count_occupancy(CLUSTERS.empty_table(), ledger, config.report.occupancy_bin_s)
    assert occupancy["H1"].analysed.sum() == 3


def known(config: Config, tmp_path: Path) -> None:
    """An event and an injection, among two windows and no trigger."""
    keys = config.known_events
    rows = [analysed_row("H1", START + 32 * n, 32, block_of(START)) for n in range(2)]
    ledger = pa.Table.from_pylist(rows, schema=LEDGER)
    mask = np.zeros(64, np.int64)  # everything is injected
    injected = injected_spans("H1", START, mask, keys.injections)
    assert len(injected) == len(keys.injections)
    event = {"name": "GW", "gps_time": START + 40.5, "version": 1, "release": "R"}
    spans = known_spans(pa.Table.from_pylist([event], schema=CATALOG), injected, ["H1"])
    span = (START, START + 64)
    found = find_known(spans, ledger, TRIGGERS.empty_table(), span, ["H1"], keys.near_s)
    assert set(found["fate"].to_pylist()) == {"missed"}
    assert shows_known(ledger, spans, 32, keys.margin_s).all()


STAGES = {
    "run": planned,
    "run.seed": clustered,
    "run.max_excluded_fraction": judged,
    "run.pictures": drawn,
    "source.kind": planned,
    "source.simulated": simulated,
    "window": drawn,
    "conditioning": drawn,
    "qtransform": drawn,
    "picture": drawn,
    "events": drawn,
    "encoder.name": drawn,
    "clustering": clustered,
    "injections": injected,
    "training": trained,
    "training.seed": shown_pairs,
    "chirp_search": searched,
    **dict.fromkeys(
        [
            f"chirp_search.{name}"
            for name in (
                "batch_size",
                "device",
                "dropout",
                "learning_rate",
                "precision",
                "steps",
                "training_snr_first",
                "training_snr_high",
                "training_snr_low",
                "weight_decay",
            )
        ],
        taught_chirps,
    ),
    "training.detectors": shown_pairs,
    "training.parts": shown_pairs,
    "training.windows_per_part": shown_pairs,
    "training.spread": shown_pairs,
    "autoencoder": autoencoded,
    "comparison": compared,
    "learning": learned,
    "supervised": classified,
    "finetune": specialised,
    "timeslides": slid,
    "validation": validated,
    "known_events": known,
    "calibration": calibrated,
    "report": counted,
}
CASES = [
    (key, value)
    for key, field in leaves(Config)
    if stage_of(key) not in NOT_TRIED
    for value in values(field)
]


@pytest.mark.parametrize("key", [key for key, field in leaves(Config) if list(values(field))])
def test_a_key_with_enumerated_values_or_ends_is_tried_or_says_why_not(key):
    assert stage_of(key) is not None, f"{key}: name a stage for it, or why it cannot be tried"


@pytest.mark.parametrize(("key", "value"), CASES, ids=str)
def test_a_value_that_is_allowed_works(key, value, tmp_path):
    if reason := of_case(ELSEWHERE, key, value):
        pytest.skip(reason)
    try:
        config = configured(key, value)
    except ConfigError as error:
        assert key.partition(".")[0] in str(error)
        return
    stage = stage_of(key)
    assert stage is not None
    STAGES[stage](config, tmp_path)
