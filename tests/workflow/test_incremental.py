"""What reruns, and what does not: the real snakemake on a small run."""

import hashlib
import os
import signal
import subprocess
import time

import pytest
from workflow_project import BLOCK_S, FIRST, HALF_S, border

from gwmorph.picture_files import picture_bytes, picture_names

pytestmark = pytest.mark.workflow

VIEWS = ("window", "event")
GALLERIES = [f"Drawing examples of every {view} cluster of run t" for view in VIEWS]
OCCUPANCY = [f"Drawing the {view} clusters of run t over time" for view in VIEWS]
MAPS = [f"Drawing the map of the {view} views of run t" for view in VIEWS]
TABLES = [f"Writing the table of {view} clusters of run t" for view in VIEWS]
EXPLORER = "Making the explorer of run t"
LISTED = "Listing the loudest and the least probable events of run t"
PAGE = "Writing the summary of run t as a page"
SUMMED = ["Summing up run t", PAGE]
REPORT = [*GALLERIES, *OCCUPANCY, *MAPS, *TABLES, LISTED, EXPLORER]
CLUSTERING = [f"Clustering the {view} views of run t" for view in VIEWS]
# By its clusters, since the run has no labels.
STATUSES = [
    job
    for view in VIEWS
    for job in (
        f"Setting limits for the {view} views of run t",
        f"Saying what becomes of the {view}s of run t",
        f"Drawing what becomes of the {view}s of run t",
    )
]
CLUSTERED = [*CLUSTERING, *REPORT, *STATUSES, *SUMMED]
# What follows from other events: windows are clustered as before, but other ones may be known or
# hold nothing.
EVENTS = [
    *(job for job in [*CLUSTERING, *REPORT] if "event" in job),
    *(TABLES[0], *STATUSES, EXPLORER),
]
CONFIG = "Recording the configuration of run t"
PLAN = "Keeping the plan of run t"
SCORES = "Scoring the windows of run t"
QUIET = [f"Simulating quiet windows of {d}" for d in ("H1", "L1")]
TRIGGERS = [
    "Joining the triggers of run t",
    "Encoding the candidates of run t that became events",
    "Drawing the triggers of run t over time and frequency",
    "Looking for known events in run t",
]
JUDGED = [SCORES, *TRIGGERS, *EVENTS, *SUMMED]
COLLECTED = "Collecting what is known to be in the data of run t"
VERDICT = "Judging how many windows of run t were lost"


def encoding(*detectors):
    return [f"Encoding {d} {view} views from 1262288896 on" for d in detectors for view in VIEWS]


def test_a_finished_run_has_nothing_to_do(copy):
    project = copy()
    before = project.times()
    assert "Nothing to be done" in project.make()
    assert project.times() == before


def test_a_umap_key_reruns_the_clustering_and_what_follows(copy):
    project = copy().change(clustering={"umap": {"neighbors": 6}})
    assert project.would_run() == sorted([*CLUSTERED, CONFIG])


@pytest.mark.parametrize(
    ("change", "jobs"),
    [
        ({"report": {"gallery_pictures": 3}}, [*GALLERIES, CONFIG]),
        ({"report": {"occupancy_bin_s": 2048}}, [*OCCUPANCY, CONFIG]),
        ({"run": {"max_excluded_fraction": 0.9}}, [VERDICT, CONFIG]),
        ({"source": {"directory": {"prefer": ["*.hdf5"]}}}, [PLAN, CONFIG]),
        (
            {"encoder": {"batch_size": 5}},
            [*encoding("H1", "L1"), *CLUSTERED, SCORES, *TRIGGERS, CONFIG],
        ),
        (
            {"score": {"false_alarm_fraction": 0.05}},
            [*JUDGED, CONFIG],
        ),
        ({"score": {"seed": 1}}, [*QUIET, *JUDGED, CONFIG]),
        ({"events": {"parts": ["chirp"]}}, [*TRIGGERS, *EVENTS, *SUMMED, CONFIG]),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_a_key_reruns_the_stages_that_use_it(copy, change, jobs):
    assert copy().change(**change).would_run() == sorted(jobs)


@pytest.mark.parametrize(
    "change",
    [{"picture": {"energy_max": 30.0}}, {"events": {"snr": 9.0}}],
    ids=["picture", "events"],
)
def test_a_key_of_the_blocks_reruns_every_one_and_fetches_nothing(copy, change):
    jobs = copy().change(**change).would_run()
    assert not [job for job in jobs if "Checking" in job]
    assert [job for job in jobs if "block" in job] == [
        f"Drawing {detector} block {number}" for detector in ("H1", "L1") for number in range(3)
    ]


def test_pictures_in_archives_change_no_vector_and_take_the_place_of_folders(copy):
    project = copy()
    before = project.results()
    (shard,) = (name for name in before if name.startswith("embeddings/event/H1-"))
    packed = project.change(run={"pictures": "zip"})
    printed = packed.make(f"results/t/{shard}")
    assert printed.count("Drawing H1 block") == 3
    assert "Checking" not in printed  # no strain is fetched
    after = packed.results()
    assert after[shard] == before[shard]
    folder = project.folder / "results" / "t"
    for view in ("pictures", "events"):
        kept = sorted(path for path in (folder / view).iterdir() if path.name.startswith("H1"))
        assert [path.suffix for path in kept] == [".zip"] * 3
        found = {
            f"{view}/{path.stem}/{name}": hashlib.sha256(picture_bytes(path / name)).hexdigest()
            for path in kept
            for name in picture_names(path)
        }
        assert found == {
            name: digest for name, digest in before.items() if name.startswith(f"{view}/H1")
        }


def test_a_block_more_makes_itself_its_neighbour_and_the_aggregates(copy):
    project = copy().change(run={"gps_end": FIRST + 4 * BLOCK_S})
    assert project.would_run() == sorted(
        [
            *(f"Checking {d} strain of block 3" for d in ("H1", "L1")),
            *(f"Drawing {d} block {n}" for d in ("H1", "L1") for n in (2, 3)),
            *encoding("H1", "L1"),
            *CLUSTERED,
            COLLECTED,
            CONFIG,
            PLAN,
            SCORES,
            *TRIGGERS,
            VERDICT,
        ]
    )


def test_a_changed_segment_list_reruns_the_blocks_that_it_touches(copy):
    project = copy()
    rows = [(border(n) - HALF_S, border(n) + HALF_S) for n in range(4)]
    rows[0] = (rows[0][0] + 40, rows[0][1])  # in block 0, far from block 1
    text = "\n".join(f"{start} {end}" for start, end in rows)
    (project.folder / "segments" / "H1.txt").write_text(text)
    expected = sorted(
        [
            *("Drawing H1 block 0", *encoding("H1"), *CLUSTERED),
            *(SCORES, *TRIGGERS, VERDICT, PLAN, CONFIG),
        ]
    )
    assert project.would_run() == expected


def test_a_segment_list_that_says_the_same_reruns_nothing(copy):
    project = copy()
    path = project.folder / "segments" / "H1.txt"
    path.write_text("# a comment\n" + path.read_text())
    assert project.would_run() == [PLAN]


@pytest.mark.parametrize(
    ("module", "jobs"),
    [
        ("report/map.py", [*MAPS, PAGE, CONFIG]),
        ("report/summary.py", [*SUMMED, CONFIG]),
        ("morphology/clustering.py", [*CLUSTERED, CONFIG]),
        (
            "encoders/dct.py",
            [*encoding("H1", "L1"), *CLUSTERED, *QUIET, SCORES, *TRIGGERS, CONFIG],
        ),
        ("evidence/score.py", [*QUIET, *JUDGED, CONFIG]),
        ("evidence/events.py", [*TRIGGERS, *EVENTS, *SUMMED, CONFIG]),
        ("simulation/noise.py", [*QUIET, *JUDGED, PLAN, CONFIG]),
        ("simulation/blocks.py", [PLAN]),
        ("config/base.py", []),
    ],
)
def test_a_changed_module_reruns_the_stages_that_import_it(copy, module, jobs):
    project = copy()
    with (project.folder / "src" / "gwmorph" / module).open("a") as stream:
        stream.write("\n# changed\n")
    assert project.would_run() == sorted(jobs)


def test_a_script_counts_by_its_content(copy):
    project = copy()
    for script in (project.folder / "scripts").iterdir():
        script.touch()
    assert project.would_run() == []
    with (project.folder / "scripts" / "map.py").open("a") as stream:
        stream.write("\n# changed\n")
    assert project.would_run() == sorted([*MAPS, PAGE, CONFIG])


def test_strain_files_that_were_only_touched_are_only_planned_anew(copy):
    project = copy()
    for path in (project.folder / "data").iterdir():
        path.touch()
    assert project.would_run() == [PLAN]


def test_a_changed_strain_file_reruns_the_blocks_that_read_it(copy):
    project = copy()
    path = next((project.folder / "data").glob(f"H-H1_*-{border(1) - HALF_S}-*.hdf5"))
    content = path.read_bytes()
    path.unlink()
    time.sleep(0.02)
    path.write_bytes(content[:-8] + bytes(8))
    jobs = project.would_run()
    assert [job for job in jobs if "Checking" in job] == [
        f"Checking H1 strain of block {number}" for number in (1, 2)
    ]
    # block 0 reads its neighbour's receipt
    assert [job for job in jobs if "Drawing H1 block" in job] == [
        f"Drawing H1 block {number}" for number in (0, 1, 2)
    ]
    assert not [job for job in jobs if "L1" in job]


def test_a_killed_run_resumes_and_ends_with_the_same_bytes(finished, emptied):
    process = subprocess.Popen(
        emptied.command(),
        cwd=emptied.folder,
        env=emptied.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    pictures = emptied.folder / "results" / "t" / "pictures"
    limit = time.monotonic() + 120
    while not list(pictures.glob("*/*.png")):
        assert process.poll() is None
        assert time.monotonic() < limit
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)  # all of its session: snakemake and its jobs
    process.wait()
    assert not list((emptied.folder / "results" / "t" / "clusters").glob("*"))
    emptied.snakemake("--unlock")
    # on another number of cores
    printed = emptied.make(cores=1)
    assert emptied.results() == finished.results()
    assert "\nResults: results/t\nSummary: results/t/tables/summary.html, or: gwmorph" in printed
    assert "--configfile results/t/config.yaml --report results/t/report.zip\n" in printed


def test_runs_of_two_names_do_not_touch_each_other(copy):
    project = copy()
    before = project.times()
    other = project.change(
        run={
            "name": "u",
            "detectors": ["H1"],
            "gps_end": FIRST + BLOCK_S,
            "max_excluded_fraction": 1,
        }
    )
    other.make("tables")
    assert {path for path in other.results("u") if path.startswith("ledger")} == {
        f"ledger/H1-GWMORPH_LEDGER-{FIRST}-{BLOCK_S}.parquet"
    }
    after = project.times()
    assert {path: after[path] for path in before if "/results/t" in path} == {
        path: stamp for path, stamp in before.items() if "/results/t" in path
    }
    assert project.would_run() == []
