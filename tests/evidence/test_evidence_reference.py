"""Figures of numbers that never change, against values that were written down.

Whoever changes one on purpose measures anew what README and docs say.
"""

import numpy as np
import pyarrow as pa

from gwmorph.config import InjectionsConfig
from gwmorph.evidence.agreement import cluster_agreement, neighbor_agreement
from gwmorph.evidence.campaign import noise_seed, plan_jobs, plan_noise_jobs
from gwmorph.evidence.limits import fold_limits, limit_at, limit_rank, passing_interval
from gwmorph.evidence.patches import best_count, farthest
from gwmorph.evidence.quality import glitch_rows, pixel_components, share_rows
from gwmorph.evidence.real_strain import trigger_rows
from gwmorph.evidence.recall import achieved, half_snr, wilson
from gwmorph.evidence.score import (
    Tail,
    combine,
    fit_tails,
    mutual_distance,
    surprises_of,
    vector_distance,
)
from gwmorph.evidence.truth import nearest_injections
from reference import SINGLE, check

INTERVAL = ("value", "low", "high")


def rng():
    return np.random.default_rng(11)


def unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_tails_and_scores(num_regression):
    draw = rng()
    quiet = {name: draw.gamma(3, 2, 80) for name in "abcde"}
    tails = fit_tails(quiet)
    values = np.array([0.5, 3, 6, 12, 15, 20, 40, 90.0])
    surprises = surprises_of(tails, dict.fromkeys(quiet, values))
    few = Tail.fit(draw.gamma(3, 2, 8))
    rows = [*surprises.values(), combine(surprises), few.surprise(values)]
    known = [[tail.threshold, tail.scale] for tail in [*tails.values(), few, few]]
    names = ("threshold", "scale", *map(str, values))
    check(num_regression, names, np.column_stack([known, rows]), signed=names[2:4])


def test_distances_to_quiet_vectors(num_regression):
    draw = rng()
    quiet, others = unit(draw.normal(size=(40, 9))), unit(draw.normal(size=(12, 9)))
    rows = [vector_distance(quiet, others), mutual_distance(quiet)[:12]]
    check(num_regression, ("others", "mutual"), np.transpose(rows), SINGLE)


def test_limits(num_regression):
    draw = rng()
    scores = draw.gamma(2, 1, 300)
    rows = []
    for quiet, fraction in ((100, 0.01), (199, 0.01), (300, 0.1), (300, 0.5)):
        rank = limit_rank(quiet, fraction, "key")
        limit = limit_at(scores[:quiet], fraction, "key")
        rows.append([rank, limit, *passing_interval(500, quiet, rank)])
    by_fold = draw.gamma(2, 1, (1500, 1)) + draw.normal(0, 0.1, (1500, 10))
    number = np.repeat(np.arange(10), 30)
    limits = fold_limits(by_fold.mean(axis=1), by_fold, scores, number, 3)
    rows.append([limits.mean(), limits.std(), limits.min(), limits.max()])
    check(num_regression, tuple("abcd"), rows)


def test_intervals_of_shares(num_regression):
    draw = rng()
    hits = {name: draw.random(90) < 0.6 for name in ("dct", "pixels", "indomain")}
    rows = share_rows("top1", hits, np.arange(90) // 3, 5)
    classes, glitches = np.repeat(["a", "b", "c"], 16), np.repeat(np.arange(12), 4).astype(str)
    vectors = {"dct": draw.normal(size=(48, 6)), "indomain": draw.normal(size=(48, 6))}
    rows += glitch_rows(vectors, classes, glitches, np.tile([0.5, 1, 2, 4.0], 12), 5)
    known = [*map(wilson, (0, 3, 50, 97), (5, 10, 100, 97))]
    values = [[row[name] for name in INTERVAL] for row in rows]
    check(num_regression, INTERVAL, [*values, *((0, *pair) for pair in known)], signed=INTERVAL)


def test_neighbours_and_clusters(num_regression):
    draw = rng()
    classes = draw.choice(["a", "b", "c"], 120)
    centres = np.searchsorted(["a", "b", "c"], classes)
    near = np.eye(3, 8)[centres] + draw.normal(0, 0.6, (120, 8))
    labels = np.where(draw.random(120) < 0.6, centres, draw.integers(0, 5, 120))
    told = [neighbor_agreement(near, classes, metric) for metric in ("cosine", "euclidean")]
    rows = [[row[name] for name in ("top1", "top1_low", "top1_high")] for row in told]
    agreed = cluster_agreement(labels.astype(np.int32), classes)
    figures = ("ari", "ami", "purity", "largest_share", "ari_without_largest", "jaccard")
    rows += np.reshape([agreed[name] for name in figures], (2, 3)).tolist()
    pictures = draw.integers(0, 256, (70, 8, 8)).astype(np.uint8)
    components = pixel_components(pictures)
    rows.append([components.shape[1], np.abs(components[:, 0]).sum(), np.abs(components).sum()])
    check(num_regression, INTERVAL, rows, SINGLE)


def test_triggers_against_labels(num_regression):
    draw = rng()
    count = 25
    table = pa.table(
        {
            "snr": draw.uniform(8, 40, count),
            "trigger_snr": draw.uniform(8, 40, count),
            "glitch_time": draw.uniform(10, 20, count),
            "trigger_time": draw.uniform(10, 20, count),
            "picture": pa.array([b"x" if i % 5 else None for i in range(count)]),
        }
    )
    rows = [[row[name] for name in INTERVAL] for row in trigger_rows(table, 3)]
    check(num_regression, INTERVAL, rows)


def test_jobs_of_a_campaign(num_regression):
    small = InjectionsConfig(morphologies=["blip", "comb"], windows_per_job=50)
    jobs = [*plan_jobs(small), *plan_noise_jobs(small, "L1")]
    rows = [[job.windows, job.seed, len(job.snrs), noise_seed(job, 2) % 2**30] for job in jobs]
    check(num_regression, ("windows", "seed", "snrs", "noise"), rows)


def test_recall_and_false_alarms(num_regression):
    draw = rng()
    calibration, fresh = ({"score": draw.gamma(2, 1, 400)} for _ in range(2))
    names = ("limit", "above", "low", "high", "expected_low", "expected_high")
    rows = [[row[n] for n in names] for row in achieved(calibration, fresh, (0.01, 0.1))]
    recalls = ([0.1, 0.4, 0.7], [0.6, 0.2, 0.9], [0.0, 0.1, 0.2], [0.5, 0.8, 1.0])
    for recall in recalls:
        reached, snr = half_snr([6, 8, 12], recall)
        rows.append([("below", "inside", "not").index(reached), snr or 0, 0, 0, 0, 0])
    check(num_regression, names, rows)


def test_patches(num_regression):
    draw = rng()
    quiet, injected = (np.sort(draw.gamma(2, 1, (30, 64)))[:, ::-1] for _ in range(2))
    injected[:, :3] += 2
    rows = [[count, farthest(injected, count).sum()] for count in (1, 4, 16)]
    rows.append([best_count(quiet, injected), best_count(quiet, quiet)])
    check(num_regression, ("count", "sum"), rows)


def test_nearest_injections(num_regression):
    draw = rng()
    times = np.sort(draw.uniform(0, 400, 40))
    events = pa.table(
        {"detector": ["H1", "L1"] * 20, "gps_start": times.astype(int), "trigger_time": times}
    )
    injected = np.sort(draw.uniform(0, 400, 60))
    truth = pa.table(
        {
            "detector": ["H1", "L1", "L1"] * 20,
            "gps_time": injected,
            "duration": draw.uniform(0, 3, 60),
            "snr": draw.uniform(5, 30, 60),
        }
    )
    check(num_regression, ("nearest",), nearest_injections(events, truth)[:, None])
