"""A comparison of encoders through the real workflow, small enough for a test."""

import re

import h5py
import numpy as np
import pytest
from matplotlib import colormaps
from PIL import Image

from gwmorph.encoders.crop_network import Architecture, CropNetwork
from gwmorph.encoders.indomain import write_network
from gwmorph.report.palette import saved_figure
from gwmorph.tables.comparison import ENCODER_QUALITY, NAMED
from gwmorph.tables.parquet import read_table

pytestmark = pytest.mark.workflow

COMPARISON = {
    "encoders": ["dct", "indomain"],
    "held_out": "held_out.safetensors",
    # One that the campaign has as well, and one that only a population has.
    "classes": ["blip", "low_frequency_blip"],
    "unseen": ["sine_gaussian_q8", "ring_up"],
    "per_class": 7,  # fewer events than are clustered: UMAP takes half a minute to compile
    "glitch_pictures": "glitches",
    "labelled_strain": ["labelled.hdf5"],
    "campaign": {
        "reference_windows": 100,
        "quiet_windows": 100,
        "injections_per_point": 2,
        "snrs": [30.0],
    },
}


def write_glitches(folder):
    """Write two pictures of each of two glitches of two classes, in Gravity Spy's colours."""
    rng = np.random.default_rng(3)
    for label, row in (("Low", 80), ("High", 20)):
        (folder / label).mkdir(parents=True)
        for glitch in ("one", "two"):
            for seconds in ("0.5", "1.0"):
                energy = rng.exponential(0.03, (112, 128))
                energy[row : row + 8, 40:80] = 1
                colours = colormaps["viridis"](np.clip(energy, 0, 1), bytes=True)
                name = f"H1_{label}{glitch}_spectrogram_{seconds}.png"
                Image.fromarray(colours).save(folder / label / name)


def write_strain(path):
    """Write four real blips in noise of 14 s each, the last too faint for a trigger."""
    rng, rate = np.random.default_rng(4), 2048
    time = np.arange(14 * rate) / rate - 7
    pulse = np.exp(-0.5 * (time / 0.004) ** 2) * np.cos(2 * np.pi * 150 * time)
    with h5py.File(path, "w") as file:
        for number, snr in enumerate((15.0, 20.0, 30.0, 0.1)):
            noise = rng.standard_normal(len(time))
            file[f"blip_{number}"] = noise + snr * pulse / np.linalg.norm(pulse)
            about = {"detector": "L1", "label": "Blip", "snr": snr}
            about |= {"sample_rate": rate, "glitch_time_s": 7.0}
            file[f"blip_{number}"].attrs.update(about)


def write_weights(folder):
    network = CropNetwork(Architecture(stem=4, width=16, blocks=1, heads=2, crop_size=96))
    for name, excluded in (("own", []), ("held_out", COMPARISON["unseen"])):
        about = {"training": {"excluded": excluded, "elements": ["pulse"]}}
        write_network(folder / f"{name}.safetensors", network, about)


@pytest.fixture(scope="module")
def compared(new, tmp_path_factory):
    project = new(tmp_path_factory.mktemp("comparison") / "project")
    write_glitches(project.folder / "glitches")
    write_strain(project.folder / "labelled.hdf5")
    write_weights(project.folder)
    changed = project.change(
        run={"name": "compared"},
        comparison=COMPARISON,
        encoder={"indomain": {"path": "own.safetensors"}},
        picture={"height": 112, "width": 112},
        injections={"morphologies": ["blip"]},
    )
    changed.make("compare_encoders")
    return changed


def test_comparison_leaves_a_table_a_figure_and_every_figure_of_quality(compared):
    folder = compared.folder / "results" / "compared" / "comparison"
    page = (folder / "encoders.html").read_text()
    assert "dct" in page
    assert "recall of the event view, SNR 30" in page
    assert (folder / "encoders.svg").stat().st_size > 10_000
    quality = read_table(folder / "quality.parquet", ENCODER_QUALITY).to_pylist()
    figures = {(row["features"], row["data"], row["figure"]) for row in quality}
    assert {
        ("dct", "seen", "top1"),
        ("dct", "unseen", "cluster_ami"),
        ("triggers", "seen", "top1_minus_dct"),
        ("pixels", "real", "top1_any_minus_dct"),
        ("dct", "real", "top1_same"),
        ("random", "unseen", "top1"),
        ("indomain", "unseen", "cluster_ari"),
        ("indomain", "real", "top1_any_minus_dct"),
    } <= figures
    (real,) = [
        row["value"] for row in quality if (row["features"], row["figure"]) == ("dct", "top1_any")
    ]
    assert real == 1


def test_real_glitches_are_named_and_those_without_a_trigger_are_counted(compared):
    folder = compared.folder / "results" / "compared" / "comparison"
    quality = read_table(folder / "strain_quality.parquet", ENCODER_QUALITY)
    found = {
        (row["features"], row["figure"]): row
        for row in quality.to_pylist()
        if row["morphology"] is None
    }
    assert found["trigger", "has_trigger"]["value"] == 0.75
    assert found["dct", "real_strain_top1"]["value"] == 1
    assert found["indomain", "simulated_to_real_top1"]["pictures"] == 3
    named = read_table(folder / "named.parquet", NAMED)
    assert {*named["features"].to_pylist()} == {"dct", "indomain", "random", "pixels", "triggers"}
    page = (folder / "named.html").read_text()
    assert page.count("<td>none; loudest tile") == 1
    assert "real glitches named from simulated views" in (folder / "encoders.html").read_text()


def test_vectors_made_again_give_the_same_bytes(compared):
    before = compared.results("compared")
    target = "results/compared/comparison/vectors/dct.parquet"
    (compared.folder / target).unlink()
    compared.make(target, cores=1)
    compared.make("compare_encoders")
    after = compared.results("compared")
    for times in ("comparison/costs/dct.json", "comparison/encoders.html"):
        assert before.pop(times)
        after.pop(times)
    assert after == before


def test_unknown_class_is_named(compared):
    done = compared.change(comparison={"classes": ["blip", "koi_fsh"]}).snakemake(
        "compare_encoders"
    )
    assert done.returncode != 0
    assert "the population has no class 'koi_fsh'; did you mean 'koi_fish'?" in done.stdout


def test_report_of_a_comparison_is_made(compared):
    compared.make("compare_encoders")  # what failed or was changed above has withdrawn the record
    compared.make("compare_encoders", "--report", "compared.zip")
    assert (compared.folder / "compared.zip").stat().st_size > 100_000


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"comparison": {"classes": ["blip", "tomtte"]}}, "comparison.classes: .*'tomte'"),
        ({"comparison": {"unseen": ["blip", "noiseburst"]}}, "comparison.unseen: .*'noise_burst'"),
        (
            {
                "comparison": {
                    "naming": {"snr_low": 4000.0, "snr_high": 5000.0},
                    "labelled_strain": ["not looked at yet.hdf5"],
                }
            },
            "comparison.classes",
        ),
        ({"picture": {"height": 100, "width": 100}}, "indomain encoder needs at least 112 pixels"),
        ({"comparison": {"glitch_pictures": "nowhere"}}, "nowhere has no pictures"),
    ],
)
def test_what_cannot_be_compared_is_told_before_any_job(unfinished, change, message):
    project = unfinished.change(**{"picture": {"height": 112, "width": 112}, **change})
    done = project.snakemake("compare_encoders", "--dry-run", cores=1)
    assert done.returncode != 0
    assert re.search(f"ConfigError: .*{message}", done.stdout)
    assert "Traceback" not in done.stdout


def test_pictures_with_axes_are_told_before_any_job(unfinished, tmp_path):
    picture = tmp_path / "Blip" / "H1_abcdefghij_spectrogram_0.5.png"
    picture.parent.mkdir()
    with saved_figure(picture, 4, 3) as figure:
        figure.subplots().set_title("not the spectrogram alone")
    project = unfinished.change(
        picture={"height": 112, "width": 112}, comparison={"glitch_pictures": str(tmp_path)}
    )
    done = project.snakemake("compare_encoders", "--dry-run", cores=1)
    assert done.returncode != 0
    assert re.search(f"TableError: {picture}", done.stdout)
    assert "Traceback" not in done.stdout
