"""How well chirps are told from everything else by their likeness.

Views are balanced: as many of every class of the population, in simulated noise, each with a
trigger. The model in `gwmorph.evidence.chirps` was fitted to the views of ``FITTED``; the figures
are of others. Run as a program this fits it again and prints it.
"""

import subprocess
import sys
from functools import cache, partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import yaml
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from clusters import DEFAULTS, ROOT, encoder, rendering
from gwmorph.config import EventsConfig
from gwmorph.evidence.chirps import (
    MODEL,
    SIMILARITY_WEIGHT,
    ChirpModel,
    Sums,
    bright_sums,
    is_chirp,
    likeness,
    similarities,
)
from gwmorph.evidence.intervals import blocks_of_time, intervals
from gwmorph.evidence.labelled import Draws, labelled_views, pictures_of
from gwmorph.evidence.real_strain import real_strain_views, with_view
from gwmorph.evidence.recall import wilson
from gwmorph.evidence.truth import classes_of
from gwmorph.simulation.population import CHIRP, load_population
from gwmorph.simulation.signals import population_classes
from gwmorph.spectra.pictures import PictureScale
from gwmorph.strain.base import LocalFile
from gwmorph.strain.files import describe, read_strain
from gwmorph.strain.labelled import LabelledStrain, read_labelled_strain
from gwmorph.tables.embeddings import embedding_matrix
from gwmorph.tables.keys import row_keys
from gwmorph.tables.known_events import CHIRPS
from gwmorph.tables.parquet import read_table
from gwmorph.tables.truth import TRUTH
from gwmorph.tables.validation import REFERENCE
from harness import BENCHMARKS, DATA, Entry, benchmark

# Detector, seed, SNRs, views of each glitch class and of chirps.
Recipe = tuple[str, int, float, float, int, int]
FITTED: tuple[Recipe, ...] = (
    ("H1", 3101, 8, 80, 40, 240),
    ("L1", 3102, 8, 80, 40, 240),
    ("H1", 3103, 80, 1000, 12, 0),
)
SCORED: tuple[Recipe, ...] = (
    ("H1", 4101, 8, 80, 40, 200),
    ("L1", 4102, 8, 80, 40, 200),
    ("H1", 4103, 80, 1000, 12, 0),
)
# Of the fitted ones, that the similarity is measured with; another run's, as it were.
REFERENCE_CHIRPS = 40
POPULATION = load_population(ROOT / "config" / "population.yaml")
REPEATS = 2000
# Runs by name and seed: of the limit by both, and of a figure.
RUN = Path(__file__).with_name("chirp_run.yaml")
DEVELOPED, JUDGED = ("chirp_development", 3201), ("chirp_run", 4201)
BINARIES_PER_HOUR = 60.0


@cache
def views(recipe: Recipe) -> tuple[Sums, np.ndarray, np.ndarray]:
    """Return the sums, vectors and classes of the views of one recipe."""
    detector, seed, low, high, glitches, chirps = recipe
    tables = []
    for names, count in ((tuple(POPULATION.glitches), glitches), ((CHIRP,), chirps)):
        loud = [name for name in names if _snr(name).high > low and _snr(name).low < high]
        classes = population_classes(POPULATION, detector, loud, low, high)
        draws = Draws(detector, seed, count)
        tables.append(labelled_views(classes if count else {}, draws, rendering(), _EVENTS))
    picture = DEFAULTS.picture
    scale = PictureScale(picture.scale, picture.energy_max, picture.colormap)
    size = (picture.height, picture.width)
    pictures = np.concatenate([pictures_of(table, size) for table in tables])
    tiling = rendering().tiling()
    sums = bright_sums(scale.energy(pictures), tiling.f_low, tiling.f_top)
    one = encoder()
    parts = [one.encode(pictures[i : i + 64], scale, "event") for i in range(0, len(pictures), 64)]
    labels = [name for table in tables for name in table["morphology"].to_pylist()]
    return sums, np.concatenate(parts), np.array(labels)


_EVENTS = EventsConfig.model_validate(DEFAULTS.events.model_dump())


def _snr(name: str):
    return POPULATION.binaries.network_snr if name == CHIRP else POPULATION.glitches[name].snr


# -- the model ------------------------------------------------------------------------------


def fit(sums: np.ndarray, chirps: np.ndarray) -> ChirpModel:
    """Fit the model to logarithms of sums [n, 4, 4]; chirps weigh as much as all others."""
    flat = sums.reshape(len(sums), -1)
    scaler = StandardScaler().fit(flat)
    fitted = LogisticRegression(C=1.0, class_weight="balanced", max_iter=10_000)
    fitted.fit(scaler.transform(flat), chirps)
    rounded = [
        tuple(round(float(value), 4) for value in values)
        for values in (scaler.mean_, scaler.scale_, fitted.coef_[0])
    ]
    return ChirpModel(*rounded, offset=round(float(fitted.intercept_[0]), 4))


def few_chirps(labels: np.ndarray) -> np.ndarray:
    """Return the rows of a reference with so few chirps as a run may have, all others included."""
    return np.flatnonzero(~is_chirp(labels) | (np.cumsum(is_chirp(labels)) <= REFERENCE_CHIRPS))


def limits(model: ChirpModel) -> tuple[float, float]:
    """Return what one in a hundred others passes, by the track alone and by both.

    By the track of the fitted views; by both of a development run's events, each by rows of other
    times among which are `REFERENCE_CHIRPS` chirps, drawn five times.
    """
    found = [views(recipe) for recipe in FITTED]
    track = np.concatenate([model.log_odds(sums) for sums, _, _ in found])
    labels = np.concatenate([names for _, _, names in found])
    return (
        float(np.quantile(track[~is_chirp(labels)], 0.99)),
        float(np.mean([_limit_of_both(seed) for seed in range(5)])),
    )


def _limit_of_both(seed: int) -> float:
    rows = read_table(a_run(DEVELOPED, "validation/event/reference.parquet"), REFERENCE)
    found = read_table(a_run(DEVELOPED, "known_events/chirps.parquet"), CHIRPS)
    track = dict(zip(row_keys(found), found["track"].to_pylist(), strict=True))
    labels = np.array(rows["label"].to_pylist(), dtype=str)
    times = np.array(rows["trigger_time"].to_pylist(), dtype=float)
    rng = np.random.default_rng(seed)
    few = rng.choice(np.flatnonzero(is_chirp(labels)), REFERENCE_CHIRPS, replace=False)
    kept = np.sort(np.concatenate([np.flatnonzero(~is_chirp(labels)), few]))
    vectors = embedding_matrix(rows)
    apart = np.abs(times[:, None] - times[kept]) > DEFAULTS.known_events.gap_s
    near = similarities(vectors, vectors[kept], labels[kept], apart)
    both = np.array([track[key] for key in row_keys(rows)]) + SIMILARITY_WEIGHT * near
    return float(np.nanquantile(both[~is_chirp(labels)], 0.99))


def main() -> None:
    found = [views(recipe) for recipe in FITTED]
    sums = np.concatenate([part.logarithms for part, _, _ in found])
    model = fit(sums, is_chirp(np.concatenate([names for _, _, names in found])))
    print(model)
    print("limits by the track and by both:", limits(model))


# -- the figures ----------------------------------------------------------------------------


@cache
def scored() -> dict[str, np.ndarray]:
    """Return what is known of the scored views: columns [n], views of all recipes in turn."""
    _, reference, known = views(FITTED[0])
    rows = few_chirps(known)
    columns: dict[str, list[np.ndarray]] = {"track": [], "similarity": [], "label": []}
    for recipe in SCORED:
        sums, vectors, labels = views(recipe)
        columns["track"].append(MODEL.log_odds(sums))
        columns["similarity"].append(similarities(vectors, reference[rows], known[rows]))
        columns["label"].append(labels)
    found = {name: np.concatenate(parts) for name, parts in columns.items()}
    found["both"] = likeness(found["track"], found["similarity"])
    found["alone"] = likeness(found["track"], np.full(len(found["track"]), np.nan))
    return found


def area(name: str, column: str, text: str) -> Entry:
    """Return the area under the ROC; the interval is a bootstrap of chirps and of others."""
    found = scored()
    score, chirps = found[column], is_chirp(found["label"])
    rng = np.random.default_rng(SCORED[0][1])
    drawn = [
        roc_auc_score(chirps[rows], score[rows])
        for rows in (
            np.concatenate(
                [rng.choice(np.flatnonzero(own), own.sum()) for own in (chirps, ~chirps)]
            )
            for _ in range(REPEATS)
        )
    ]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Entry(
        name, float(roc_auc_score(chirps, score)), text, float(low), float(high),
        peer="track alone", peer_value=float(roc_auc_score(chirps, found["track"])),
        n=len(score), seed=SCORED[0][1],
    )  # fmt: skip


_AREA = "area under the ROC, chirps against all other classes of simulated event views"
BENCHMARKS["chirp_likeness_auc"] = partial(area, "chirp_likeness_auc", "both", _AREA)
BENCHMARKS["chirp_track_auc"] = partial(
    area, "chirp_track_auc", "alone", f"{_AREA}; by the track alone"
)
BENCHMARKS["chirp_similarity_auc"] = partial(
    area, "chirp_similarity_auc", "similarity",
    f"{_AREA}; by {REFERENCE_CHIRPS} labelled chirps of other views alone",
)  # fmt: skip


def share(name: str, column: str, of_chirps: bool, text: str) -> Entry:
    """Return the share of chirps, or of others, that has a likeness above 0; Wilson interval."""
    found = scored()
    own = is_chirp(found["label"]) == of_chirps
    passed = int((found[column][own] > 0).sum())
    low, high = wilson(passed, int(own.sum()))
    return Entry(
        name, passed / own.sum(), text, low, high, n=int(own.sum()), seed=SCORED[0][1]
    )  # fmt: skip


for _column, _by in (("both", "likeness"), ("alone", "track")):
    BENCHMARKS[f"chirp_{_by}_found"] = partial(
        share, f"chirp_{_by}_found", _column, True, "of simulated chirps' views called chirps"
    )
    BENCHMARKS[f"chirp_{_by}_false"] = partial(
        share, f"chirp_{_by}_false", _column, False, "of other simulated views called chirps"
    )


@benchmark
def chirp_worst_class_auc() -> Entry:
    """The area against the class that is most like chirps."""
    found = scored()
    chirps = is_chirp(found["label"])
    areas = {
        str(name): float(roc_auc_score(chirps[own], found["both"][own]))
        for name in np.unique(found["label"][~chirps])
        for own in [chirps | (found["label"] == name)]
    }
    worst = min(areas, key=lambda name: areas[name])
    return Entry(
        "chirp_worst_class_auc", areas[worst],
        f"area under the ROC, chirps against {worst}, the class most like them",
        n=int((chirps | (found["label"] == worst)).sum()), seed=SCORED[0][1],
    )  # fmt: skip


# -- a run ----------------------------------------------------------------------------------


def a_run(named: tuple[str, int], path: str) -> Path:
    """Make a file of the run of ``chirp_run.yaml`` under a name and from a seed; return it."""
    name, seed = named
    raw = yaml.safe_load(RUN.read_text(encoding="utf-8"))
    population = ROOT / raw["source"]["simulated"]["population"]
    text = (ROOT / "config" / "population.yaml").read_text(encoding="utf-8")
    usual = f"rate_per_hour: {POPULATION.binaries.rate_per_hour:g}\n"
    assert text.count(usual) == 1
    population.parent.mkdir(exist_ok=True)
    more = text.replace(usual, f"rate_per_hour: {BINARIES_PER_HOUR:g}\n")
    population.write_text(more, encoding="utf-8")
    wanted = f"results/{name}/{path}"
    seeds = [
        f"run={{'name': '{name}', 'seed': {seed}}}",
        f"source={{'simulated': {{'seed': {seed}}}}}",
    ]
    call = [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", str(RUN)]
    call += ["--config", *seeds, "--", wanted]
    subprocess.run(call, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return ROOT / wanted


@cache
def run_likeness() -> tuple[pa.Table, np.ndarray]:
    """Return CHIRPS of a run's events of known class, and which of them are chirps."""
    chirps = read_table(a_run(JUDGED, "known_events/chirps.parquet"), CHIRPS)
    classes = classes_of(chirps, read_table(a_run(JUDGED, "truth.parquet"), TRUTH))
    known = chirps.filter(pa.array(classes != ""))
    return known, classes[classes != ""] == CHIRP


@benchmark
def chirp_run_auc() -> Entry:
    """Views as a run has them: of every trigger of a signal, and of what has no loud tile."""
    rows, chirps = run_likeness()
    columns = {name: np.array(rows[name].to_pylist(), float) for name in ("likeness", "track")}

    def areas(own: np.ndarray) -> dict[str, float]:
        both = chirps[own].any() and not chirps[own].all()
        return {
            name: float(roc_auc_score(chirps[own], score[own])) if both else float("nan")
            for name, score in columns.items()
        }

    blocks = blocks_of_time(rows, DEFAULTS.validation.block_s)
    found = intervals(areas, blocks, REPEATS, SCORED[0][1])
    value, low, high = found["likeness"]
    text = f"area under the ROC, {int(chirps.sum())} events of chirps against all others of a run"
    return Entry(
        "chirp_run_auc", value, text, low, high, peer="track alone",
        peer_value=found["track"][0], n=len(rows), seed=JUDGED[1],
    )  # fmt: skip


def _of_run(name: str, of_chirps: bool, text: str) -> Entry:
    """Return the share of a run's events of chirps, or of others, above 0; block bootstrap."""
    rows, chirps = run_likeness()
    own = rows.filter(pa.array(chirps == of_chirps))
    passed = own["likeness"].to_numpy() > 0
    blocks = blocks_of_time(own, DEFAULTS.validation.block_s)
    found = intervals(lambda some: {"": float(passed[some].mean())}, blocks, REPEATS, JUDGED[1])
    value, low, high = found[""]
    return Entry(name, value, text, low, high, n=len(own), seed=JUDGED[1])


BENCHMARKS["chirp_run_found"] = partial(
    _of_run, "chirp_run_found", True, "of a run's events of chirps called chirps"
)
BENCHMARKS["chirp_run_false"] = partial(
    _of_run, "chirp_run_false", False, "of a run's other events called chirps"
)


# -- real events and glitches ---------------------------------------------------------------


STRAIN = DATA / "strain"
# Detector, GPS start of the file, time of the event at that detector.
REAL = {
    "GW150914 H1": ("H-H1_LOSC_4_V2-1126259446-32.hdf5", 1126259462.42),
    "GW150914 L1": ("L-L1_LOSC_4_V2-1126259446-32.hdf5", 1126259462.413),
    "GW151012 H1": ("H-H1_LOSC_4_V2-1128678884-32.hdf5", 1128678900.44),
    "GW151012 L1": ("L-L1_LOSC_4_V2-1128678884-32.hdf5", 1128678900.44),
}


def _event(name: str, file: str, gps: float) -> LabelledStrain:
    path = STRAIN / file
    about = describe(path)
    receipt = LocalFile(
        name[-2:], about.gps_start, about.duration, about.sample_rate, str(path), "", 0, "gwosc",
        about.dataset_or_channel,
    )  # fmt: skip
    end = about.gps_start + about.duration
    strain = read_strain([receipt], name[-2:], about.gps_start, end, about.sample_rate)
    return LabelledStrain(
        name, path, name[-2:], CHIRP, 1.0, about.sample_rate, gps - about.gps_start, strain.values
    )


@cache
def real_likeness() -> list[tuple[str, str, float, float, float]]:
    """Return name, class, track, similarity and likeness of every real view that a trigger has.

    Labelled chirps and others are simulated views. Nothing was chosen on the real ones.
    """
    glitches = STRAIN / "O3_labelled_glitches_14s_4096Hz.hdf5"
    if not glitches.exists():
        raise SystemExit(f"no real strain at {STRAIN}: set GWMORPH_DATA to a folder that has it")
    real = [_event(name, *about) for name, about in REAL.items()]
    real += read_labelled_strain([glitches])
    shown = with_view(real_strain_views(real, rendering(), _EVENTS))
    picture = DEFAULTS.picture
    scale = PictureScale(picture.scale, picture.energy_max, picture.colormap)
    pictures = pictures_of(shown, (picture.height, picture.width))
    tiling = rendering().tiling()
    track = MODEL.log_odds(bright_sums(scale.energy(pictures), tiling.f_low, tiling.f_top))
    _, reference, known = views(FITTED[0])
    rows = few_chirps(known)
    vectors = encoder().encode(pictures, scale, "event")
    near = similarities(vectors, reference[rows], known[rows])
    named = (shown[name].to_pylist() for name in ("name", "label"))
    return list(zip(*named, track, near, likeness(track, near), strict=True))


@benchmark
def chirp_real_auc() -> Entry:
    """Events against glitches; two detectors see one event, so that there is no interval."""
    found = real_likeness()
    for name, label, track, near, score in sorted(found, key=lambda row: -row[-1]):
        print(f"  {score:6.1f} track {track:5.1f} similarity {near:5.2f} {name} {label}")
    chirps = np.array([label == CHIRP for _, label, *_ in found])
    areas = [roc_auc_score(chirps, [row[place] for row in found]) for place in (4, 2)]
    return Entry(
        "chirp_real_auc", float(areas[0]),
        f"area under the ROC, {int(chirps.sum())} views of real events with a trigger against "
        "real labelled glitches",
        peer="track alone", peer_value=float(areas[1]), n=len(found),
    )  # fmt: skip


@benchmark
def chirp_real_false() -> Entry:
    """Real glitches that are called chirps."""
    score = np.array([row[4] for row in real_likeness() if row[1] != CHIRP])
    passed = int((score > 0).sum())
    low, high = wilson(passed, len(score))
    return Entry(
        "chirp_real_false", passed / len(score), "of real labelled glitches called chirps", low,
        high, n=len(score),
    )  # fmt: skip


if __name__ == "__main__":
    main()
