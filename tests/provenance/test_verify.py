import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made import made_facts, made_folder

from gwmorph.cli import main
from gwmorph.provenance.facts import Input
from gwmorph.provenance.hashes import HashedFile
from gwmorph.provenance.names import CODE, OUTPUTS, OWN
from gwmorph.provenance.record import write_record
from gwmorph.provenance.verify import (
    Checked,
    Difference,
    RecordError,
    check,
    describe,
    recorded_files,
    size_of,
)
from gwmorph.storage import sha256_of_file, write_bytes


def build(base):
    """A run with a record in ``base``, and one input in its cache."""
    folder = base / "results" / "t"
    facts, hashed = made_folder(folder)
    write_bytes(base / "cache" / "a.hdf5", b"strain")
    content = HashedFile("cache/a.hdf5", sha256_of_file(base / "cache" / "a.hdf5"), 6)
    given_file = Input(content, "strain", None, "H1")
    write_bytes(folder / CODE / "Snakefile", b"rule all:\n")
    facts = made_facts(products=facts.products, inputs=[given_file, given_file])
    write_record(folder, facts, hashed)
    write_bytes(folder / "provenance" / "config.yaml", b"record")
    return folder


@pytest.fixture
def run(tmp_path):
    return build(tmp_path)


def found(folder, **options):
    base = folder.parents[1]
    checked = check(recorded_files(folder, base, **options), folder)
    return [(one.kind, one.path) for one in checked.differences]


def test_an_untouched_run_is_the_same(run):
    told = []
    recorded = recorded_files(run, run.parents[1])
    checked = check(recorded, run, told.append)
    assert checked.differences == ()
    assert checked.files == len(recorded)
    assert sum(told) == checked.size == size_of(recorded)


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (lambda r: (r / "triggers.parquet").write_bytes(b"x"), ("differs", "triggers.parquet")),
        (lambda r: (r / "pictures/1.png").unlink(), ("missing", "pictures/1.png")),
        (lambda r: (r / "pictures/9.png").touch(), ("new", "pictures/9.png")),
        (lambda r: (r / "config.yaml").write_bytes(b"x"), ("differs", "config.yaml")),
        (lambda r: (r / CODE / "Snakefile").write_bytes(b"x"), ("differs", f"{CODE}/Snakefile")),
        (lambda r: (r.parents[1] / "cache/a.hdf5").unlink(), ("missing", "cache/a.hdf5")),
        (lambda r: (r.parents[1] / "cache/a.hdf5").write_bytes(b"x"), ("differs", "cache/a.hdf5")),
    ],
)
def test_each_change_is_found_and_no_other(run, change, difference):
    change(run)
    assert found(run) == [difference]


@settings(max_examples=15)
@given(st.integers(0, 20), st.integers(0, 7))
def test_no_bit_of_a_result_changes_unseen(tmp_path_factory, place, bit):
    run = build(tmp_path_factory.mktemp("run"))
    path = run / "figures" / "event" / "map.png"
    content = bytearray(path.read_bytes())
    content[place] ^= 1 << bit
    path.write_bytes(content)
    assert found(run) == [("differs", "figures/event/map.png")]


def test_logs_reports_and_marks_are_no_results(run):
    for name in ("logs/map.log", "benchmarks/map.tsv", "report.zip", "schema.json"):
        write_bytes(run / name, b"x")
    (run / "pictures" / ".snakemake_timestamp").touch()
    assert found(run) == []


def test_a_moved_cache_is_named(run):
    base = run.parents[1]
    (base / "cache").rename(base / "elsewhere")
    assert found(run) == [("missing", "cache/a.hdf5")]
    assert found(run, cache=base / "elsewhere") == []


def test_a_list_of_results_that_was_changed_is_found(run):
    path = run / OUTPUTS
    path.write_text(path.read_text().replace("triggers", "trigger5"))
    assert ("differs", OUTPUTS) in found(run)


@pytest.mark.parametrize("name", ["../../../secret", "/etc/hostname", "a/../../secret"])
@pytest.mark.parametrize("listed", [OUTPUTS, OWN])
def test_no_list_of_outputs_leads_out_of_the_folder(run, name, listed):
    with (run / listed).open("a") as stream:
        stream.write(f"{'0' * 64}  {name}\n")
    with pytest.raises(RecordError, match="outside of the run's folder"):
        found(run)


def test_without_a_record_there_is_nothing_to_say(tmp_path):
    with pytest.raises(RecordError, match="snakemake provenance"):
        recorded_files(tmp_path, tmp_path)


def test_what_is_listed_is_counted_where_it_is_long():
    many = tuple(Difference("new", f"{n}.png", False) for n in range(25))
    lines = describe(Checked(3, 10, many), listed=20)
    assert lines[0] == "new: 25 (there, and not in the record)"
    assert lines[-2] == "  and 5 more"
    assert len(lines) == 23


def test_exit_codes_tell_same_different_and_error_apart(run, capsys):
    base = ["--base", str(run.parents[1])]
    assert main(["verify", str(run), *base]) == 0
    assert "same: " in capsys.readouterr().out
    assert main(["verify", str(run / "ro-crate-metadata.json"), *base]) == 0
    (run / "triggers.parquet").unlink()
    assert main(["verify", str(run), *base]) == 3
    assert (
        "missing: 1 (in the record, and not there)\n  triggers.parquet" in capsys.readouterr().out
    )
    (run / OWN).unlink()
    assert main(["verify", str(run), *base]) == 1
    assert "holds no record of how it was made" in capsys.readouterr().err


def test_inputs_can_be_left_out(run):
    (run.parents[1] / "cache" / "a.hdf5").unlink()
    base = ["--base", str(run.parents[1])]
    assert main(["verify", str(run), *base]) == 3
    assert main(["verify", str(run), *base, "--no-inputs"]) == 0
