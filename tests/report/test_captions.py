"""Every caption must render with a run's configuration, and print what is configured."""

import re
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from docutils.core import publish_parts
from jinja2 import Environment, StrictUndefined

from gwmorph.config import Config

FOLDER = Path(__file__).resolve().parents[2] / "workflow" / "report"
CAPTIONS = sorted(FOLDER.glob("*.rst"))
VIEWS = ("window", "event")
JUDGING = {
    "classes": "classes",
    "promise": "overall",
    "rate": 0.07,
    "agreeing": 0.6,
    "neighbors": 5,
}
PARAMS = SimpleNamespace(events_snr=8.75, listed=37, rate=0.07, judging=JUDGING)


def html(path: Path, config: dict, view: str = "window", files: Sequence[Any] = ()) -> str:
    """Render as `snakemake --report` does, but refuse what is undefined or malformed.

    ``files`` are those that the report holds.
    """
    text = written(path, config, view, files)
    # As in a locale that knows no other letters, which docutils reads included files by.
    settings = {"halt_level": 2, "report_level": 2, "input_encoding": "ascii"}
    return publish_parts(text, writer="html", settings_overrides=settings)["body"]


def written(path: Path, config: dict, view: str = "window", files: Sequence[Any] = ()) -> str:
    """Return the marked-up text that `html` is made of."""
    environment = Environment(
        undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True
    )
    # Snakemake reads captions in whatever encoding the locale has.
    template = environment.from_string(path.read_text(encoding="ascii"))
    job = SimpleNamespace(config=config, wildcards=SimpleNamespace(view=view), params=PARAMS)
    return template.render(snakemake=job, files=files)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("path", CAPTIONS, ids=lambda path: path.stem)
def test_caption_renders_with_the_defaults(path, view):
    assert "<p>" in html(path, Config().model_dump(), view)


@pytest.mark.parametrize("name", ["map", "occupancy", "galleries", "cluster_table"])
def test_caption_speaks_of_its_own_view(name):
    config = Config().model_dump()
    windows, events = (html(FOLDER / f"{name}.rst", config, view) for view in VIEWS)
    assert windows != events
    assert "event" not in windows
    assert "event" in events.lower()


@pytest.mark.parametrize(
    "name",
    [
        "summary",
        "workflow",
        "event_table",
        "glitchgram",
        "map",
        "cluster_table",
        "galleries",
    ],
)
def test_captions_of_a_run_without_scores_speak_of_none(name):
    config = Config().model_dump()
    scored = html(FOLDER / f"{name}.rst", config, "event")
    config["score"]["background"] = "none"
    unscored = html(FOLDER / f"{name}.rst", config, "event")
    for words in (
        "quiet windows",
        "passes the limit",
        "least likely to have",
        "score finds",
        "a box or a path",
    ):
        assert words not in " ".join(unscored.split())
    assert unscored != scored


@pytest.mark.parametrize(
    ("name", "section", "key", "value"),
    [
        ("summary", "events", "snr", 8.25),
        ("map", "events", "snr", 8.25),
        ("occupancy", "report", "occupancy_bin_s", 4321),
        ("galleries", "picture", "energy_max", 33.75),
        ("cluster_table", "events", "snr", 8.25),
        ("summary", "run", "max_excluded_fraction", 0.125),
        ("workflow", "run", "name", "other_run"),
    ],
)
def test_caption_prints_the_configured_threshold(name, section, key, value):
    config = Config().model_dump()
    config[section][key] = value
    assert str(value) in html(FOLDER / f"{name}.rst", config)


@pytest.mark.parametrize(
    ("name", "value"), [("glitchgram", "8.75"), ("event_table", "8.75"), ("event_table", "37")]
)
def test_caption_prints_what_its_rule_was_run_with(name, value):
    assert f"<strong>{value}</strong>" in html(FOLDER / f"{name}.rst", Config().model_dump())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"labels": "my_labels.csv"}, "my_labels.csv"),
        ({"reference": "results/a_/validation"}, "results/a_/validation"),
        ({}, None),
    ],
    ids=["labels", "reference", "none"],
)
def test_captions_speak_of_names_where_a_run_has_some_and_only_there(change, said):
    config = Config().model_dump()
    config["source"]["kind"] = "gwosc"
    config["validation"]["similarity"] |= {"neighbors": 7, **change}
    for name in ("map", "galleries", "cluster_table"):
        text = " ".join(html(FOLDER / f"{name}.rst", config, "event").split())
        assert ("half of the 7 nearest" in text) is (said is not None), name
    assert said is None or said in html(FOLDER / "cluster_table.rst", config)
    opened = " ".join(html(FOLDER / "workflow.rst", config).split())
    assert ("names beside clusters" in opened) is (said is not None)


def test_report_says_when_strain_is_simulated_and_only_then():
    simulated = Config().model_dump()
    public = Config().model_dump()
    public["source"]["kind"] = "gwosc"
    assert re.search(r"simulated</strong>", html(FOLDER / "workflow.rst", simulated))
    assert "simulated" not in html(FOLDER / "workflow.rst", public)


def test_report_opens_on_the_summary_where_there_is_one(tmp_path):
    page = tmp_path / "summary.html"
    page.write_text("<main>the summary\N{EM SPACE}</main>", encoding="utf-8")
    config = Config().model_dump()
    opened = html(
        FOLDER / "workflow.rst", config, files=[SimpleNamespace(target=page.name, path=page)]
    )
    assert "<main>the summary\N{EM SPACE}</main>" in opened
    assert opened.index("<main>") < opened.index("Windows.")
    assert "the summary" not in html(FOLDER / "workflow.rst", config)


def test_start_page_says_triggers_scores_and_events():
    opened = html(FOLDER / "workflow.rst", Config().model_dump())
    assert all(f"<strong>{word}.</strong>" in opened for word in ("Triggers", "Scores", "Events"))
    assert "1 % of quiet" in " ".join(opened.split())


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("path", CAPTIONS, ids=lambda path: path.stem)
def test_sentences_are_apart(path, view):
    text = re.sub(r"<style>.*?</style>", "", html(path, Config().model_dump(), view), flags=re.S)
    run_on = re.findall(r"[a-z)%][.:;][A-Z]\w+", re.sub(r"<[^>]+>", "", text))
    assert not run_on


@pytest.mark.parametrize("name", ["event_table", "cluster_table", "summary"])
def test_captions_speak_of_known_events_where_there_may_be_some(name):
    def words(**changes) -> str:
        config = Config().model_dump()
        for section, keys in changes.items():
            config[section] |= keys
        return " ".join(html(FOLDER / f"{name}.rst", config, "event").split())

    known = "hardware injection"
    assert known not in words(source={"kind": "simulated"})
    masks = words(source={"kind": "directory"})
    assert known in masks
    assert "none were asked for" in masks
    listed = words(source={"kind": "simulated"}, known_events={"catalog": "gwosc"})
    assert known in listed
    assert "none were asked for" not in listed


# One line each, as the configuration takes them, that would be something else if they were read as
# marked-up text or as HTML.
HOSTILE = (
    "</script><img src=x onerror=alert(1)> javascript:alert(1)",
    " x`` `y <javascript:alert(1)>`_ ``z .. raw:: html",
)


class Seen(HTMLParser):
    """Every tag, and every value that a browser would act on."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.acting: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.acting += [name for name, _ in attrs if name.startswith("on")]
        self.acting += [value for name, value in attrs if name in ("href", "src") and value]


def free_texts(schema: dict, part: dict, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the way to each key that takes any text, or a list of such."""
    if "$ref" in part:
        part = {**part, **schema["$defs"][part["$ref"].rpartition("/")[2]]}
    for option in part.get("anyOf", ()):
        yield from free_texts(schema, option, path)
    for name, inner in part.get("properties", {}).items():
        yield from free_texts(schema, inner, (*path, name))
    if part.get("type") == "array" and list(free_texts(schema, part["items"])):
        yield (*path, "[]")
    if part.get("type") == "string" and not part.keys() & {"enum", "const", "pattern"}:
        yield path


def hostile_config(text: str) -> dict:
    schema = Config.model_json_schema()
    config = Config().model_dump()
    for way in free_texts(schema, schema):
        if way[-2:] == ("backbones", "[]"):  # words that are known, or of letters and digits
            continue
        *sections, key = [name for name in way if name != "[]"]
        held = config
        for name in sections:
            held = held[name]
        held[key] = [text] if way[-1] == "[]" else text
    return config


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_the_configuration_becomes_a_part_of_a_caption(text):
    config = hostile_config(text)
    assert config["known_events"]["file"] == config["calibration"]["atlas"] == text
    assert config["comparison"]["unseen"] == [text]
    harmless = hostile_config("harmless")
    told = 0
    for path in CAPTIONS:
        # Of labels and another run's only one is told.
        for other in ("labels", "reference"):
            config["validation"]["similarity"] |= {"labels": text, "reference": text, other: None}
            if written(path, config) == written(path, Config().model_dump()):
                continue
            said, usual = (Seen(html(path, one, "event")) for one in (config, harmless))
            told += 1
            assert said.tags - {"span"} <= usual.tags, path  # parts of a literal
            assert not [act for act in said.acting if "alert" in act or act.startswith("on")], path
    assert told > 8
