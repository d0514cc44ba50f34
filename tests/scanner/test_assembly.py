"""Which files make up a block, and when it waits no longer."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gwmorph.grid import BLOCK_S, Grid
from gwmorph.scanner.arrivals import ArrivedFile
from gwmorph.scanner.assembly import Assembly

GRID = Grid(32, 32, 4)
FIRST = 4096 * 300000


def file(start, seconds=BLOCK_S, detector="H1"):
    return ArrivedFile(Path(f"{detector}-{start}"), detector, FIRST + start, seconds)


def assembly(finished=(), max_wait_s=60.0, pieces_wait_s=60.0, grid=GRID):
    told = []
    done = {key: {f"{key[0]}-{key[1] - FIRST}"} for key in finished}
    made = Assembly(
        grid, max_wait_s, pieces_wait_s, done, lambda file, block: told.append((file, block))
    )
    return made, told


def taken(block):
    return None if block is None else (block.detector, block.gps_start - FIRST)


def all_of(made, now, *, ended):
    return list(iter(lambda: taken(made.next(now, ended=ended)), None))


def test_a_block_waits_for_the_context_behind_its_last_window():
    made, _ = assembly()
    made.add(file(0), now=0)
    assert made.next(59.9, ended=False) is None
    made.add(file(BLOCK_S, 3), now=1)  # less than the context
    assert made.next(2, ended=False) is None
    made.add(file(BLOCK_S + 3, 1), now=3)
    block = made.next(3, ended=False)
    assert taken(block) == ("H1", 0)
    assert [held.file.start - FIRST for held in block.own] == [0]
    assert [held.file.start - FIRST for held in block.around] == [BLOCK_S, BLOCK_S + 3]


def test_overlapping_windows_need_more_behind_them():
    made, _ = assembly(grid=Grid(32, 16, 4))
    made.add(file(0), now=0)
    made.add(file(BLOCK_S, 19), now=0)
    assert made.next(0, ended=False) is None
    made.add(file(BLOCK_S + 19, 1), now=0)
    assert taken(made.next(0, ended=False)) == ("H1", 0)


def test_a_block_is_given_up_waiting_for_after_the_last_file_that_came_for_it():
    made, _ = assembly()
    made.add(file(0, 100), now=0)
    made.add(file(100, 100), now=50)
    made.add(file(0, detector="L1"), now=100)  # of no use to it
    assert made.next(109.9, ended=False) is None
    assert taken(made.next(110, ended=False)) == ("H1", 0)
    assert made.next(159.9, ended=False) is None
    assert taken(made.next(160, ended=False)) == ("L1", 0)


def test_a_block_with_a_hole_waits_too_and_is_then_scanned_with_it():
    made, _ = assembly()
    made.add(file(0, 1000), now=0)
    made.add(file(1100, BLOCK_S), now=0)
    assert made.next(10, ended=False) is None
    block = made.next(60, ended=False)
    assert [tuple(span) for span in block.covered()] == [
        (FIRST, FIRST + 1000),
        (FIRST + 1100, FIRST + 1100 + BLOCK_S),
    ]


def test_what_comes_too_late_is_told_and_changes_nothing():
    made, told = assembly()
    made.add(file(0, 100), now=0)
    assert taken(made.next(60, ended=False)) == ("H1", 0)
    made.add(file(100, 100), now=61)
    assert made.next(1000, ended=True) is None
    assert told == [(file(100, 100), ("H1", FIRST))]


def test_a_block_that_comes_in_pieces_waits_longer_for_the_next_one():
    made, told = assembly(pieces_wait_s=600.0)
    for piece in range(16):  # as they come
        made.add(file(piece * 256, 256), now=piece * 256)
        assert made.next(piece * 256 + 255.9, ended=False) is None
    made.add(file(BLOCK_S, 256), now=BLOCK_S)
    block = made.next(BLOCK_S, ended=False)
    assert len(block.own) == 16
    assert made.next(BLOCK_S + 599, ended=False) is None
    assert taken(made.next(BLOCK_S + 600, ended=False)) == ("H1", BLOCK_S)
    assert told == []


def test_what_a_finished_block_was_scanned_without_comes_too_late_whenever_that_was():
    made, told = assembly(finished=[("H1", FIRST)])
    made.add(file(100, 100), now=0)
    assert told == [(file(100, 100), ("H1", FIRST))]


def test_a_finished_block_is_not_scanned_again_but_lends_context():
    made, told = assembly(finished=[("H1", FIRST)])
    made.add(file(0), now=0)
    made.add(file(BLOCK_S), now=0)
    block = made.next(0, ended=True)
    assert taken(block) == ("H1", BLOCK_S)
    assert [held.file.start - FIRST for held in block.around] == [0]
    assert made.next(0, ended=True) is None
    assert told == []


@given(
    st.permutations([(d, s) for d in ("H1", "L1") for s in range(6)]),
    st.lists(st.integers(0, 11), unique=True, max_size=4),
)
def test_every_block_comes_once_in_order_whatever_the_order_of_arrival(arrived, doubled):
    made, _ = assembly()
    for detector, number in arrived + [arrived[i] for i in doubled]:
        made.add(file(number * BLOCK_S, detector=detector), now=0)
    found = all_of(made, 0, ended=True)
    assert found == [(d, s * BLOCK_S) for s in range(6) for d in ("H1", "L1")]


@pytest.mark.parametrize("length", [BLOCK_S, 64, 10_000])
def test_files_of_a_long_stream_are_let_go_of(length):
    made, _ = assembly()
    given_away, most = [], 0
    for number in range(60):
        made.add(file(number * length, length), now=number)
        given_away += all_of(made, number, ended=False)
        most = max(most, sum(map(len, made._held.values())))
    assert [start for _, start in given_away] == [n * BLOCK_S for n in range(len(given_away))]
    assert most <= 3 + 2 * BLOCK_S // length


def test_a_block_that_failed_is_tried_again_with_the_next_file_that_comes_for_it():
    made, told = assembly()
    damaged, rest = file(0, 100), file(100, BLOCK_S - 100)
    for one in (damaged, rest, file(BLOCK_S, 100), file(3 * BLOCK_S)):
        made.add(one, now=0)
    made.fail(made.next(0, ended=False))
    assert taken(made.next(1, ended=False)) is None  # not by itself
    later = all_of(made, 100, ended=False)
    assert ("H1", 3 * BLOCK_S) in later  # whose coming lets go of files long past
    made.add(damaged, now=101)
    again = made.next(101, ended=False)
    # With all that it had, and the new file in place of the one of its name.
    assert [(held.file.start - FIRST, held.since) for held in again.own] == [(0, 101), (100, 0)]
    assert [held.file.start - FIRST for held in again.around] == [BLOCK_S]
    assert not told


def test_a_block_that_was_tried_again_and_is_done_is_done():
    made, told = assembly()
    made.add(file(0), now=0)
    made.add(file(BLOCK_S, 4), now=0)
    made.fail(made.next(0, ended=False))
    made.add(file(0), now=1)
    assert taken(made.next(1, ended=False)) == ("H1", 0)
    made.add(file(0), now=2)
    assert told == [(file(0), ("H1", FIRST))]
