import numpy as np
import pyarrow as pa
import pytest
from matplotlib.figure import Figure
from vector import drawn_twice

from gwmorph.report.training import (
    draw_curves,
    draw_losses,
    panels_by_measure,
    panels_by_training,
)
from gwmorph.tables.training import CURVES, LOSSES

CHANCE = {"event": 4.8, "crop": 4.8, "window": 3.4}


def losses(steps: int, factor: float = 1.0) -> pa.Table:
    falling = factor * np.exp(-np.arange(steps) / 50)
    columns = {name: chance * falling for name, chance in CHANCE.items()}
    return pa.table({"step": np.arange(1, steps + 1), **columns}, schema=LOSSES)


@pytest.mark.parametrize("steps", [2, 200, 20_000])
def test_equal_losses_give_equal_bytes_and_others_do_not(steps, tmp_path):
    for name, factor in (("one", 1.0), ("other", 0.5)):
        said = drawn_twice(tmp_path / f"{name}.svg", draw_losses, losses(steps, factor), CHANCE)
        assert {"update", "event views", "single crops"} <= set(said)
    assert (tmp_path / "one.svg").read_bytes() != (tmp_path / "other.svg").read_bytes()


# Steps and values of every line: the second is the smallest, the third the largest.
POINTS = ((10, 0.5), (20, 0.4), (30, 0.6))


def curves(trained, *measures, points=POINTS) -> pa.Table:
    rows = [
        {"trained": name, "step": step, "measure": measure, "value": value}
        for name in trained
        for measure in measures
        for step, value in reversed(points)
    ]
    return pa.Table.from_pylist(rows, schema=CURVES)


CLASSIFIERS = curves(
    ("one", "two"),
    *(
        f"{part} {name}"
        for part in ("training", "validation")
        for name in ("error", "cross_entropy")
    ),
)
CHIRPS = curves(
    ("classic", "residual"), "training loss", "validation loss", "validation efficiency"
)
AUTOENCODER = pa.concat_tables(
    [
        curves(
            ["network"], "validation mse", "validation mse of training pictures", "training mse"
        ),
        curves(["head"], "validation cross entropy", "validation accuracy"),
    ]
)
ENCODERS = {
    name: curves(("probe", "full"), "training cross_entropy", "validation cross_entropy")
    for name in ("indomain", "vit")
}


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    """Return a function that draws panels and returns their axes and what the legend names."""
    figures = []

    def draw(panels):
        with monkeypatch.context() as patched:
            patched.setattr(Figure, "savefig", lambda figure, *a, **k: figures.append(figure))
            draw_curves(panels, tmp_path / "a.png")
        (legend,) = figures[-1].legends
        return figures[-1].axes, [text.get_text() for text in legend.get_texts()]

    return draw


def lines(axes, dashes):
    return [line for line in axes.lines if line.get_linestyle() == dashes]


def best(axes):
    return [line.get_xdata()[0] for line in axes.lines if line.get_marker() == "o"]


@pytest.mark.parametrize(
    ("panels", "labels", "named"),
    [
        (
            panels_by_measure(CLASSIFIERS),
            ["cross entropy (nat)", "named wrong (share)"],
            ["one", "two", "training", "validation"],
        ),
        (
            panels_by_measure(CHIRPS),
            ["cross entropy (nat)", "signals found (share)"],
            ["classic", "residual", "training", "validation"],
        ),
        (
            panels_by_measure(AUTOENCODER),
            ["mean squared error", "cross entropy (nat)", "named right (share)"],
            ["network", "head", "training", "validation", "training pictures as they are"],
        ),
        (
            panels_by_training(ENCODERS, "cross entropy"),
            ["cross entropy (nat)", ""],
            ["indomain", "vit", "training", "validation"],
        ),
        (panels_by_measure(curves(["x"], "validation new_one")), ["new one"], ["x", "validation"]),
    ],
)
def test_curves_say_what_they_show(panels, labels, named, drawn, tmp_path):
    axes, legend = drawn(panels)
    assert [one.get_ylabel() for one in axes] == labels
    assert legend == named
    said = drawn_twice(tmp_path / "a.svg", draw_curves, panels)
    assert {*named, *labels, "update"} - {""} <= set(said)


def test_training_is_dashed_validation_solid_and_the_best_one_marked(drawn):
    (entropy, _), _ = drawn(panels_by_measure(CLASSIFIERS))
    for dashes, drawn_so in (("--", 2), ("-", 2)):
        for line in lines(entropy, dashes):
            assert list(zip(*line.get_data(), strict=True)) == list(POINTS)
        assert len(lines(entropy, dashes)) == drawn_so
    assert best(entropy) == [20, 20]
    (loss, found), _ = drawn(panels_by_measure(CHIRPS))
    assert (loss.get_yscale(), found.get_ylim()) == ("log", (-0.02, 1.02))
    assert (best(loss), best(found)) == ([20, 20], [30, 30])


def test_training_pictures_as_they_are_stand_beside_the_validation(drawn):
    (errors, entropy, _), _ = drawn(panels_by_measure(AUTOENCODER))
    assert [len(lines(errors, dashes)) for dashes in ("--", "-", ":")] == [1, 1, 1]
    assert best(errors) == [20]
    assert errors.lines[0].get_color() != entropy.lines[0].get_color()


def test_encoders_that_were_trained_alike_share_a_panel_and_its_scale(drawn):
    axes, _ = drawn(panels_by_training(ENCODERS, "cross entropy"))
    assert [one.get_title("left") for one in axes] == ["probe", "full"]
    assert [len(one.lines) for one in axes] == [6, 6]
    assert axes[0].get_ylim() == axes[1].get_ylim()


def test_a_single_validation_is_seen(drawn):
    (axes,), _ = drawn(panels_by_measure(curves(["x"], "training loss", points=POINTS[:1])))
    assert [line.get_marker() for line in axes.lines] == ["."]
