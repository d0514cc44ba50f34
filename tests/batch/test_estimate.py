import pytest
from hypothesis import given
from hypothesis import strategies as st

from closeness import near
from gwmorph.batch.costs import Cost, Costs
from gwmorph.batch.estimate import Sample, estimate, sample_of
from gwmorph.batch.rules import Rule
from gwmorph.cli import main
from gwmorph.errors import StorageError

BLOCK = Rule("block", 800, 30, False, "block/{detector}-{block}.tsv")
EMBED = Rule("embed", 4000, 240, False, "embed/{view}/{detector}-{group}.tsv")
CLUSTER = Rule("cluster", 8000, 720, False, "cluster/{view}.tsv")
RULES = (BLOCK, EMBED, CLUSTER)


def ran(blocks: int) -> Sample:
    """A run: 4 s a block, and in each of two views 100 s, and 2 s a block, of clusters."""
    of_views = 100.0 + 2.0 * blocks
    by_rule = (
        Cost("block", blocks, 4.0 * blocks, 4.0 * blocks, 5.0, 460.0),
        Cost("cluster", 2, 2 * of_views, of_views, of_views, 300.0 + blocks),
    )
    return Sample(blocks, 0.5 + 0.01 * blocks, Costs(by_rule, by_rule[0]))


def test_what_a_run_takes_once_is_told_from_what_each_block_takes():
    found = estimate([ran(8), ran(128)], RULES, 1000, 1)
    assert found.core_h * 3600 == near(4.0 * 1000 + 2 * (100 + 2.0 * 1000), 1e-6)
    # One core: all jobs in turn, and 8 ms a block until the first of them.
    assert found.wall_h * 3600 == near(4000 + 4200 + 8, 1e-6)
    assert found.disk_gb == near(0.5 + 10, 1e-6)
    assert found.memory_gb == near((300 + 1000 + 200 + 110) / 1000, 1e-6)


def test_jobs_of_blocks_share_the_cores_and_the_others_wait_for_each_other():
    found = estimate([ran(8), ran(128)], RULES, 1000, 20)
    # Graham's bound: a share of both views' clusters, and all but a share of the longest.
    shared, longest = 4000 / 20 + 4200 / 20, 2100 * (1 - 1 / 20)
    assert found.wall_h * 3600 == near(shared + longest + 8, 1e-6)
    assert found.memory_gb == near((20 * 460 + 200 + 110) / 1000, 1e-6)


def test_more_cores_start_no_more_jobs_than_snakemake_can():
    found = estimate([ran(8), ran(128)], RULES, 100_000, 100_000)
    assert found.wall_h * 3600 > 0.1 * 100_000


def test_a_single_run_is_multiplied():
    found = estimate([ran(100)], RULES, 1000, 1)
    assert found.core_h * 3600 == near(10 * (400 + 2 * 300), 1e-6)


@given(st.integers(1, 10_000), st.integers(1, 500))
def test_more_cores_never_take_longer_and_never_less_than_their_share(blocks, cores):
    found = estimate([ran(8), ran(128)], RULES, blocks, cores)
    more = estimate([ran(8), ran(128)], RULES, blocks, cores + 1)
    assert more.wall_h <= found.wall_h * (1 + 1e-9)
    assert found.wall_h >= found.core_h / cores


@pytest.mark.parametrize(("samples", "blocks", "cores"), [([], 1, 1), ([8], 0, 1), ([8], 1, 0)])
def test_nothing_is_estimated_from_nothing(samples, blocks, cores):
    with pytest.raises(ValueError, match="1 or more"):
        estimate([ran(n) for n in samples], RULES, blocks, cores)


def left(run, name, seconds):
    path = run / "benchmarks" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"s\tcpu_time\tmax_rss\n{seconds}\t{seconds}\t400\n")


def test_the_command_reads_finished_runs(tmp_path, monkeypatch, capsys):
    rules = tmp_path / "workflow" / "rules"
    rules.mkdir(parents=True)
    (rules / "blocks.smk").write_text(
        "rule block:\n    benchmark:\n"
        '        "results/{run}/benchmarks/block/{detector}-{block}.tsv"\n'
        "    resources:\n        mem_mb=800,\n        runtime=30,\n"
    )
    run = tmp_path / "results" / "r"
    for block in range(4):
        left(run, f"block/H1-{block}.tsv", 90.0)
    monkeypatch.chdir(tmp_path)
    main(["estimate", "results/r", "--blocks", "40", "--cores", "1", "2"])
    first, second = capsys.readouterr().out.splitlines()[1:3]
    assert first.split()[:4] == ["40", "1", "1.00", "1.00"]
    assert second.split()[:4] == ["40", "2", "1.00", "0.50"]


def test_a_run_that_has_no_block_yet_is_refused(tmp_path):
    left(tmp_path / "r", "cluster/event.tsv", 3.0)
    with pytest.raises(StorageError, match=r"no job of a block"):
        sample_of(tmp_path / "r", RULES)
