import os
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args, get_origin

import pytest
from jsonschema import Draft202012Validator
from snakemake.utils import update_config

from gwmorph import config as c
from gwmorph.cli import main
from gwmorph.config import generated
from gwmorph.encoders.sizes import check_size
from gwmorph.errors import ConfigError, GwmorphError
from gwmorph.evidence.limits import limit_rank
from gwmorph.grid import BLOCK_S, Grid
from gwmorph.plan import make_plan, require_quiet_windows, require_rate, require_tiles
from gwmorph.spectra.tiling import tiling_within_band
from gwmorph.strain.sources import make_source

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = (
    "comparison.yaml",
    "config.yaml",
    "gw150914.yaml",
    "held_out.yaml",
    "chirp_search.yaml",
    "chirp_search_16384.yaml",
    "injections.yaml",
    "my_files.yaml",
    "o4a_day.yaml",
    "supervised_published.yaml",
)
GENERATED = ("config/config.yaml", "config/README.md", "workflow/schemas/config.schema.json")
REGENERATE = "run `gwmorph config --write`"
# Counts, seeds, ratios and energies relative to a median: numbers that have no unit.
DIMENSIONLESS = {
    "autoencoder.batch_size",
    "autoencoder.head.batch_size",
    "autoencoder.head.before",
    "autoencoder.head.hidden",
    "autoencoder.head.learning_rate",
    "autoencoder.head.patience",
    "autoencoder.head.steps",
    "autoencoder.head.validation_steps",
    "autoencoder.head.weight_decay",
    "autoencoder.learning_rate",
    "autoencoder.patience",
    "autoencoder.steps",
    "autoencoder.validation_steps",
    "autoencoder.weight_decay",
    "calibration.agreeing",
    "calibration.drift",
    "calibration.rate",
    "calibration.resplits",
    "calibration.seed",
    "chirp_search.bank.minimal_match",
    "chirp_search.bank.patience",
    "chirp_search.batch_size",
    "chirp_search.checkpoint_steps",
    "chirp_search.compared_from_snr",
    "chirp_search.compared_to_snr",
    "chirp_search.dropout",
    "chirp_search.learning_rate",
    "chirp_search.masses.spin",
    "chirp_search.merger_earliest",
    "chirp_search.merger_latest",
    "chirp_search.noise_windows",
    "chirp_search.repeats",
    "chirp_search.seed",
    "chirp_search.slides.count",
    "chirp_search.steps",
    "chirp_search.test_signals",
    "chirp_search.training_signals",
    "chirp_search.training_snr_first",
    "chirp_search.training_snr_high",
    "chirp_search.training_snr_low",
    "chirp_search.validation_steps",
    "chirp_search.validation_windows",
    "chirp_search.weight_decay",
    "clustering.communities.resolution",
    "clustering.fit_rows",
    "clustering.hdbscan.min_cluster_size",
    "clustering.mixture.covariance_scale",
    "clustering.pca_whitening",
    "clustering.separation.pair_surrogates",
    "clustering.separation.rows",
    "clustering.separation.surrogates",
    "events.candidates.excess",
    "events.candidates.tile_snr",
    "clustering.mixture.components",
    "clustering.mixture.concentration",
    "clustering.mixture.max_iterations",
    "clustering.mixture.starts",
    "clustering.pca_components",
    "clustering.umap.dimensions",
    "clustering.umap.map_min_dist",
    "clustering.umap.min_dist",
    "clustering.umap.neighbors",
    "comparison.campaign.injections_per_point",
    "comparison.campaign.quiet_windows",
    "comparison.campaign.reference_windows",
    "comparison.per_class",
    "comparison.seed",
    "comparison.snr_high",
    "comparison.naming.snr_low",
    "comparison.naming.snr_high",
    "comparison.snr_low",
    "encoder.batch_size",
    "known_events.listed",
    "encoder.blocks_per_job",
    "events.max_per_window",
    "events.snr",
    "events.tile_snr",
    "finetune.batch_size",
    "finetune.dropout",
    "finetune.few_shot_penalty",
    "finetune.folds",
    "finetune.full_steps",
    "finetune.head_learning_rate",
    "finetune.head_steps",
    "finetune.hidden",
    "finetune.learning_rate",
    "finetune.patience",
    "finetune.validation_steps",
    "finetune.weight_decay",
    "injections.injections_per_point",
    "injections.noise_windows",
    "injections.quiet_windows",
    "injections.reference_windows",
    "injections.seed",
    "injections.windows_per_job",
    "learning.checkpoint_steps",
    "learning.per_class",
    "learning.seed",
    "learning.snr_high",
    "learning.snr_low",
    "learning.test_fraction",
    "learning.validation_fraction",
    "picture.energy_max",
    "qtransform.mismatch",
    "qtransform.q_high",
    "qtransform.q_low",
    "report.galleries",
    "report.listed_events",
    "report.gallery_pictures",
    "run.max_excluded_fraction",
    "run.seed",
    "scan.novel_alarm",
    "scan.queue_blocks",
    "scan.receiver.attempts",
    "scan.workers",
    "score.false_alarm_fraction",
    "score.quiet_windows",
    "score.seed",
    "source.gwosc.attempts",
    "source.gwosc.max_downloads",
    "source.simulated.duty_cycle",
    "source.simulated.rate_scale",
    "source.simulated.seed",
    "supervised.epochs",
    "supervised.factor",
    "supervised.factor_epochs",
    "supervised.learning_rate",
    "supervised.mistakes",
    "supervised.patience",
    "supervised.smoothing",
    "supervised.weight_decay",
    "timeslides.errors",
    "timeslides.p_value",
    "timeslides.repeats",
    "timeslides.seed",
    "timeslides.slides",
    "training.checkpoint_steps",
    "training.crop_weight",
    "training.event_pairs",
    "training.learning_rate",
    "training.noise_windows",
    "training.parts",
    "training.seed",
    "training.spread",
    "training.steps",
    "training.temperature",
    "training.weight_decay",
    "training.window_pairs",
    "training.windows_per_part",
    "validation.ablation.blocks",
    "validation.ablation.rows",
    "validation.anomaly.rate",
    "validation.permutations",
    "validation.repeats",
    "validation.rows",
    "validation.similarity.neighbors",
    "validation.seed",
    "validation.stability.bootstraps",
    "validation.stability.seeds",
    "validation.survival",
}


def merged(name: str) -> dict:
    """An example over the defaults, merged as Snakemake merges configuration files."""
    raw = c.load_yaml(ROOT / "config" / "config.yaml")
    update_config(raw, c.load_yaml(ROOT / "config" / name))
    return raw


# -- generated files ------------------------------------------------------------------------


@pytest.mark.parametrize("name", GENERATED)
def test_generated_file_is_what_the_models_say(tmp_path, name):
    (tmp_path / "config").mkdir()
    readme = "config/README.md"
    (tmp_path / readme).write_text((ROOT / readme).read_text())
    generated.write_generated_files(tmp_path)
    assert (ROOT / name).read_text() == (tmp_path / name).read_text(), REGENERATE


def test_generating_outside_a_checkout_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="checkout"):
        generated.write_generated_files(tmp_path)
    assert not list(tmp_path.iterdir())


def test_defaults_survive_the_way_through_yaml():
    assert c.parse_config(c.load_yaml(ROOT / "config" / "config.yaml")) == c.Config()


def test_key_table_lists_each_key_once():
    listed = re.findall(r"^\| `([a-z_.0-9]+)` \|", generated.key_table(), re.MULTILINE)
    assert listed == [name for name, _ in c.leaves(c.Config)]


# -- what every key must have ---------------------------------------------------------------


@pytest.mark.parametrize(("name", "field"), list(c.leaves(c.Config)), ids=lambda v: str(v)[:40])
def test_key_is_described_and_has_a_default(name, field):
    assert field.description
    assert field.description.endswith("."), f"{name}: descriptions are sentences"
    assert not field.is_required(), f"{name}: needs a default"


def test_only_dimensionless_numbers_lack_a_unit():
    schema = generated.json_schema()
    definitions = schema["$defs"]

    def numbers_without_unit(node, prefix=""):
        for name, entry in node["properties"].items():
            reference = entry.get("$ref") or entry.get("allOf", [{}])[0].get("$ref")
            if reference:
                nested = definitions[reference.rpartition("/")[2]]
                yield from numbers_without_unit(nested, f"{prefix}{name}.")
                continue
            kinds = [entry, *entry.get("anyOf", [])]
            is_number = any(
                kind.get("type") in ("integer", "number")
                or isinstance(kind.get("const", kind.get("enum", [""])[0]), int)
                for kind in kinds
            )
            if is_number and not entry.get("unit"):
                yield f"{prefix}{name}"

    assert set(numbers_without_unit(schema)) == DIMENSIONLESS


@pytest.mark.parametrize(("ending", "unit"), [("_s", "s"), ("_hz", "Hz"), ("sample_rate", "Hz")])
def test_unit_agrees_with_the_key_name(ending, unit):
    fields = [field for name, field in c.leaves(c.Config) if name.endswith(ending)]
    assert fields
    assert {generated.unit_of(field) for field in fields} == {unit}


# -- examples -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_is_valid_over_the_defaults(name):
    raw = merged(name)
    Draft202012Validator(generated.json_schema()).validate(raw)
    assert isinstance(c.parse_config(raw, name), c.Config)


def test_examples_have_different_run_names():
    names = [c.parse_config(merged(example)).run.name for example in EXAMPLES]
    assert len(set(names)) == len(EXAMPLES)


@pytest.mark.parametrize(
    ("name", "gps", "first", "last"),
    [
        ("gw150914.yaml", 1126259462.4, 1126051217, 1137254417),  # O1
        ("o4a_day.yaml", 1384782888.6, 1368975618, 1389456018),  # O4a, GW231123
    ],
)
def test_public_example_holds_its_event_in_whole_blocks_of_the_observing_run(
    name, gps, first, last
):
    run = c.parse_config(merged(name)).run
    assert first <= run.gps_start < gps < run.gps_end <= last
    assert run.gps_start % BLOCK_S == run.gps_end % BLOCK_S == 0


def test_dinov2_example_pins_its_weights():
    weights = c.parse_config(merged("o4a_day.yaml")).encoder.weights
    assert re.fullmatch(r"[0-9a-f]{40}", weights.revision)


# -- numbers that are not finite --------------------------------------------------------------


def floats(annotation: object) -> bool:
    return annotation is float or any(floats(part) for part in get_args(annotation))


def not_finite(annotation: object) -> list[object]:
    """Values of a kind that holds floats, one of which is not finite."""
    values = [float("inf"), float("-inf"), float("nan")]
    return [[1.0, value] for value in values] if get_origin(annotation) is list else values


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (name, value)
        for name, field in c.leaves(c.Config)
        if floats(field.annotation)
        for value in not_finite(field.annotation)
    ],
)
def test_no_number_may_be_infinite_or_not_a_number(key, value):
    with pytest.raises(ConfigError, match=rf"{re.escape(key)}.*finite number"):
        c.parse_config(dotted(key, value))


# -- faults ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"run": {"gps_strat": 1}}, "did you mean 'run.gps_start'?"),
        ({"clustering": {"umap": {"neighbours": 5}}}, "did you mean 'clustering.umap.neighbors'?"),
        ({"conditoning": {}}, "did you mean 'conditioning'?"),
        ({"picture": {"with": 3}}, "did you mean 'picture.width'?"),
        ({"zzzz": 1}, "see config/README.md"),
    ],
)
def test_unknown_key_is_refused_with_the_nearest_one(raw, expected):
    with pytest.raises(ConfigError, match="unknown key") as caught:
        c.parse_config(raw, "mine.yaml")
    assert expected in str(caught.value)
    assert str(caught.value).startswith("mine.yaml")


def dotted(key: str, value: object) -> dict:
    for part in reversed(key.split(".")):
        value = {part: value}
    return value


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("run.name", "../elsewhere"),
        ("run.name", ""),
        ("run.name", 101 * "x"),
        ("run.gps_start", 0),
        ("run.gps_start", 100),
        ("run.gps_end", 2**31),
        ("run.detectors", []),
        ("run.detectors", ["H2"]),
        ("run.seed", -1),
        ("run.max_excluded_fraction", 1.5),
        ("source.kind", "tape"),
        ("source.gwosc.max_downloads", 0),
        ("source.simulated.duty_cycle", 0),
        ("window.duration_s", 64),
        ("window.stride_s", 8),
        ("window.context_s", 1),
        ("conditioning.sample_rate", 1000),
        ("picture.colormap", "jet"),
        ("encoder.weights.sha256", "abc"),
        ("clustering.mixture.concentration", 0),
        ("events.snr", "loud"),
        ("events.tile_snr", 2.9),
        ("events.gap_s", -0.1),
    ],
)
def test_bad_value_is_refused_and_named(key, value):
    with pytest.raises(ConfigError) as caught:
        c.parse_config(dotted(key, value))
    assert key in str(caught.value)
    assert repr(value)[:99] in str(caught.value) or "H2" in str(caught.value)


@pytest.mark.parametrize(
    "span", [(1000000100, 1000000050), (1000000100, 1000000100)], ids=["reversed", "empty"]
)
def test_reversed_or_empty_span_is_refused_with_both_ends(span):
    start, end = span
    with pytest.raises(ConfigError) as caught:
        c.parse_config({"run": {"gps_start": start, "gps_end": end}})
    assert f"gps_end ({end}) must be greater than gps_start ({start})" in str(caught.value)


# Every pair of keys that bound one quantity is here or in the next two tests: refused with both
# values, cut to one another, or checked when the run is planned.
@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"run": {"detectors": ["H1", "H1"]}}, "run.detectors: names 'H1' twice"),
        ({"clustering": {"views": ["event", "event"]}}, "names 'event' twice"),
        (
            {"run": {"gps_start": 1_100_000_000, "gps_end": 1_200_000_001}},
            "100000001 s apart, expected at most 100000000 s",
        ),
        ({"source": {"kind": "directory"}}, "directory.files is empty"),
        ({"injections": {"snrs": [8, 8]}}, "snrs must rise"),
        ({"encoder": {"name": "autoencoder"}}, "autoencoder needs autoencoder.path"),
        (
            {"comparison": {"encoders": ["dct", "autoencoder"]}},
            "comparison.encoders: autoencoder needs encoder.autoencoder.path",
        ),
        ({"comparison": {"snr_low": 9, "snr_high": 9}}, "snr_high (9) must be greater than"),
        ({"chirp_search": {"snrs": [8, 8]}}, "snrs must rise, got 8, 8"),
        ({"chirp_search": {"merger_earliest": 0.9, "merger_latest": 0.8}}, "got 0.9, 0.8"),
        ({"chirp_search": {"low_hz": 100, "high_hz": 200, "training_snr_low": 20}}, "got 20, 20"),
        ({"chirp_search": {"training_snr_first": 30}}, "training_snr_high must rise, got 30, 20"),
        ({"chirp_search": {"masses": {"low": 90}}}, "high (80) must be greater than low (90)"),
        ({"chirp_search": {"noise_windows": 100}}, "0.001 is finer than 100 windows"),
        ({"chirp_search": {"slides": {"count": 2}}}, "is below the floor 1/T_bg of 2 slides"),
        (
            {"chirp_search": {"slides": {"count": 16, "ring_s": 16}, "window_s": 1}},
            "slides.false_alarms_per_hour 1 is below the floor",
        ),
        ({"chirp_search": {"noise": "files"}}, "noise_files names none of H1, L1"),
        ({"qtransform": {"q_low": 64, "q_high": 8}}, "q_high must be greater than q_low"),
        ({"events": {"snr": 5, "tile_snr": 5.5}}, "snr (5) must not be less than tile_snr (5.5)"),
        (
            {"events": {"candidates": {"tile_snr": 5}}},
            "candidates.tile_snr (5) must not be less than tile_snr (5.5)",
        ),
        ({"qtransform": {"f_low": 500, "f_high": 400}}, "f_high must be greater than f_low"),
        ({"comparison": {"naming": {"snr_low": 9, "snr_high": 8}}}, "snr_high (8) must be"),
        ({"score": {"quiet_windows": 100, "false_alarm_fraction": 0.01}}, "100 quiet windows"),
        (
            {"injections": {"quiet_windows": 100}},
            "false_alarm_fractions 0.001 is finer than 100 windows (quiet_windows) resolve",
        ),
        (
            {"injections": {"reference_windows": 100, "noise_files": {"H1": ["a.hdf5"]}}},
            "false_alarm_fractions 0.001 is finer than 100 windows (reference_windows) resolve",
        ),
        ({"encoder": {"runtime": "pytorch", "precision": "int8"}}, "needs runtime openvino"),
        (
            {"encoder": {"name": "dct"}, "validation": {"stability": {"trainings": ["a"]}}},
            "validation.stability.trainings: encoder.name dct has no weights",
        ),
        (
            {"validation": {"stability": {"trainings": ["a", "a"]}}},
            "validation.stability.trainings: names 'a' twice",
        ),
        (
            {"validation": {"stability": {"trainings": [""]}}},
            "validation.stability.trainings.0: String should have at least 1 character",
        ),
    ],
)
def test_values_that_contradict_each_other_are_refused(raw, expected):
    with pytest.raises(ConfigError, match=re.escape(expected)):
        c.parse_config(raw)


@pytest.mark.parametrize(
    ("conditioning", "qtransform", "band"),
    [
        ({"low_hz": 100}, {}, (100, 1291)),
        ({"high_hz": 200}, {}, (20, 200)),
        ({"sample_rate": 2048}, {"q_low": 50}, (20, 850)),
        ({}, {"f_high": 4000, "q_low": 50}, (20, 1700)),
        ({"low_hz": 10}, {"f_low": 50}, (50, 1291)),
    ],
)
def test_bands_that_reach_beyond_each_other_are_cut(conditioning, qtransform, band):
    config = c.parse_config({"conditioning": conditioning, "qtransform": qtransform})
    tiling = tiling_within_band(
        36, config.conditioning.model_dump(), config.qtransform.model_dump()
    )
    assert (tiling.f_low, tiling.f_top) == pytest.approx(band, abs=1)


def refused_when_planned(config, tmp_path):
    require_tiles(config.window, config.conditioning, config.qtransform)
    check_size(config.encoder.name, (config.picture.height, config.picture.width))
    grid = Grid(config.window.duration_s, config.window.stride_s, config.window.context_s)
    plan, _ = make_plan(tmp_path, config.run, config.source, grid, make_source)
    require_rate(plan, config.conditioning.sample_rate)
    require_quiet_windows(plan, config.score)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"qtransform": {"f_low": 1500}}, "there are no tiles from 1500 to 1291"),
        ({"qtransform": {"f_high": 90}, "conditioning": {"low_hz": 95}}, "from 95 to 90 Hz"),
        ({"picture": {"width": 100}}, "at least 112 pixels, got 224 x 100"),
        ({"source": {"simulated": {"sample_rate": 2048}}}, "2048 Hz is lower"),
        ({"score": {"background": "run"}}, "H1 has 12"),
        (
            {"source": {"kind": "directory", "directory": {"files": {"L1": ["a.hdf5"]}}}},
            "source.directory.files",
        ),
    ],
)
def test_what_only_the_plan_can_know_is_refused_by_it(raw, expected, tmp_path):
    span = {"gps_start": 1262301184, "gps_end": 1262301184 + 4096, "detectors": ["H1"]}
    config = c.parse_config(raw | {"run": span})
    with pytest.raises(GwmorphError, match=re.escape(expected)):
        refused_when_planned(config, tmp_path)


def test_all_faults_are_listed_at_once():
    with pytest.raises(ConfigError) as caught:
        c.parse_config({"run": {"seed": -1}, "events": {"snr": 0}, "zzzz": 1})
    assert "3 fault(s)" in str(caught.value)
    assert all(key in str(caught.value) for key in ("run.seed", "events.snr", "zzzz"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"- a\n- b\n", ": expected sections with keys and values, got list."),
        (b"# all keys are gone\n", ": expected sections with keys and values, got nothing."),
        (b"run:\n  seed: [1,\n", ", line 3, column 1: is not valid YAML: expected"),
        (b"run:\n\tseed: 1\n", ", line 2, column 1: is not valid YAML: found character"),
        (b"run: !!python/tuple [1]\n", ", line 1, column 6: is not valid YAML: could not"),
        (b"run:\n  name: \xff\n", ": is not valid YAML: 'utf-8' codec"),
        (b"run:\n  name: 2001-99-99\n", ": is not valid YAML: month"),
        (
            b"run:\n  name: a\nwindow: {}\nrun:\n  seed: 1\n",
            ", line 4, column 1: is not valid YAML: the key 'run' stands in line 1 already",
        ),
        (
            b"run:\n  seed: 1\n  name: a\n  seed: 2\n",
            ", line 4, column 3: is not valid YAML: the key 'seed' stands in line 2 already",
        ),
    ],
)
def test_yaml_that_is_no_configuration_is_refused_with_its_place(tmp_path, content, message):
    path = tmp_path / "odd.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        c.load_yaml(path)
    assert str(caught.value).startswith(f"{path}{message}")


def test_what_is_merged_into_a_mapping_may_be_overridden(tmp_path):
    path = tmp_path / "merged.yaml"
    path.write_text("a: &a {x: 1, y: 1}\nb: &b {<<: *a, x: 2}\nc: {<<: *b, y: 3}\n")
    assert c.load_yaml(path)["c"] == {"x": 2, "y": 3}


def test_a_terminal_that_lacks_a_sign_stops_no_command(tmp_path):
    path = tmp_path / "é.yaml"
    path.write_text("run: {seed: 1}")
    done = subprocess.run(
        [sys.executable, "-m", "gwmorph.cli", "config", str(path)],
        env={**os.environ, "PYTHONIOENCODING": "ascii:strict"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"\\xe9.yaml: every key is known" in done.stdout


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.yaml")), ids=lambda p: p.name)
def test_configuration_files_are_ascii(path):
    """Snakemake puts them into a report, and reads them in the locale's encoding for it."""
    assert path.read_bytes().isascii()


@pytest.mark.parametrize(("text", "status"), [("run: {seed: 1}\n", 0), ("run: {seed: -1}\n", 1)])
def test_a_file_can_be_checked_without_a_run(tmp_path, capsys, text, status):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    assert main(["config", str(path)]) == status
    said = capsys.readouterr()
    assert str(path) in said.out + said.err
    assert ("run.seed" in said.err) is bool(status)


def test_missing_yaml_is_refused_by_name(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.yaml"):
        c.load_yaml(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"encoder": {"name": "dinov2"}}, "encoder: dinov2 needs weights.path"),
        (
            {"encoder": {"name": "dinov2", "weights": {"revision": "main"}}},
            "a branch or tag can change), got 'main'",
        ),
        ({"source": {"gwosc": {"host": "gwosc.org"}}}, "source.gwosc.host"),
        ({"picture": 7}, "picture: expected a section with keys of its own, got 7"),
        ({"run": None}, "run: expected a section with keys of its own, got None"),
        ({7: {}}, "7: Keys should be strings"),
        ({"events": {"max_per_window": False}}, "events: max_per_window: a yes or no is no value"),
        ({"injections": {"snrs": [True]}}, "injections: snrs: a yes or no is no value"),
        ({"qtransform": {"f_high": 10**400}}, "qtransform.f_high: Input should be a valid"),
        ({"source": {"directory": {"files": {"H2": ["a"]}}}}, "source.directory.files.H2: "),
    ],
)
def test_faults_name_their_key_and_stay_short(raw, message):
    with pytest.raises(ConfigError) as caught:
        c.parse_config(raw)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(("fraction", "fewest"), [(0.01, 199), (0.02, 100), (0.5, 100)])
def test_a_limit_needs_quiet_windows_enough_for_two_to_exceed_it(fraction, fewest):
    assert c.score.fewest_quiet_windows(fraction) == fewest
    assert limit_rank(fewest, fraction, "a.key") >= 2
    if fewest > 100:
        fewer = {"score": {"quiet_windows": fewest - 1, "false_alarm_fraction": fraction}}
        with pytest.raises(ConfigError, match=f"raise quiet_windows to {fewest}"):
            c.parse_config(fewer)


@pytest.mark.parametrize("text", ["a\nb", "a\r", "\x1b[31m", "a\u2028b", "a\x85b", "\x00", "a\tb"])
def test_no_text_breaks_its_line_or_commands_a_terminal(text):
    for given in (
        {"source": {"cache": text}},
        {"validation": {"similarity": {"labels": text}}},
        {"comparison": {"unseen": ["whistle", text]}},
        {"source": {"directory": {"files": {"H1": [text]}}}},
        {"finetune": {"transfer": {"classes": {text: "Blip"}}}},
    ):
        with pytest.raises(ConfigError, match="control characters are no part"):
            c.parse_config(given)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("run: " + "[" * 5000, "line 1, column 105: is not valid YAML: what .* 100 deep"),
        ("run: &a [*a]\n", "line 1, column 6: .* contains itself"),
        (
            "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}' if n else 'x'] * 9)}]\n"
                    for n in range(9)),
            "stands for more than 100,000 values",
        ),
        ("run: {[a]: 1}\n", "is not valid YAML"),
        ("run: {? {a: 1} : 2}\n", "is not valid YAML"),
    ],
)  # fmt: skip
def test_yaml_that_has_no_end_or_no_sense_is_refused(tmp_path, text, said):
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(ConfigError, match=rf"a\.yaml.*{said}"):
        c.load_yaml(tmp_path / "a.yaml")
