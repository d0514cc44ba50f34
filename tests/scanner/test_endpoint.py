"""A server that releases one file after the other, and has bad days."""

from pathlib import Path

import numpy as np
import pytest

from gwmorph.scanner.endpoint import polled_endpoint
from gwmorph.strain.gwosc import GwoscSource
from gwosc_files import gwosc_file_name, write_gwosc_file
from replica import GwoscReplica, ServedFile

GPS = 1368195072
BLOCK = 4096
LONGEST_WAIT_S = 8.0


@pytest.fixture(scope="module")
def blocks(tmp_path_factory) -> list[Path]:
    """Whole blocks of H1, of zeros, which compress to nothing."""
    folder = tmp_path_factory.mktemp("blocks")
    paths = [folder / gwosc_file_name("H1", GPS + i * BLOCK) for i in range(4)]
    for i, path in enumerate(paths):
        write_gwosc_file(path, "H1", GPS + i * BLOCK, np.zeros(BLOCK * 4096), 4096)
    return paths


class Polled:
    """A polled replica on a clock of its own."""

    def __init__(self, replica: GwoscReplica, cache: Path, since: int | None = None) -> None:
        self.now = 0.0
        self.told: list[str] = []
        self.replica = replica
        source = GwoscSource(replica.url, "DATA", 4096, cache, attempts=6, timeout_s=5.0)
        self._source = polled_endpoint(
            source,
            ["H1"],
            since,
            1.0,
            LONGEST_WAIT_S,
            tell=self.told.append,
            pause=self._pause,
            clock=lambda: self.now,
        )

    def _pause(self, seconds: float) -> None:
        self.now += seconds

    def release(self, *paths: Path) -> None:
        self.replica.files += [ServedFile.named(path) for path in paths]

    def after(self, seconds: float) -> list[int]:
        end, came = self.now + seconds, []
        while self.now < end:
            if (file := next(self._source)) is not None:
                assert file.path.is_file()
                came.append((file.start - GPS) // BLOCK)
        return came


def test_the_newest_file_comes_first_and_then_every_new_one_once(blocks, tmp_path):
    with GwoscReplica(blocks[:2], {}) as replica:
        polled = Polled(replica, tmp_path)
        assert polled.after(3) == [1]
        polled.release(blocks[3])
        assert polled.after(3) == [3]
        polled.release(blocks[2])
        assert polled.after(3) == [2]
        assert polled.after(9) == []
    assert ["a gap of 4096 s" in polled.told[0], "comes late" in polled.told[1]] == [True, True]


def test_since_asks_for_what_was_missed(blocks, tmp_path):
    with GwoscReplica(blocks[:3], {}) as replica:
        assert Polled(replica, tmp_path, since=GPS + BLOCK).after(2) == [1, 2]


def test_nothing_released_as_yet_is_waited_for(blocks, tmp_path):
    with GwoscReplica([], {}) as replica:
        polled = Polled(replica, tmp_path)
        assert polled.after(3) == []
        polled.release(blocks[0])
        assert polled.after(3) == [0]
        assert not polled.told


def test_a_dead_server_is_asked_less_and_less_and_told_once(blocks, tmp_path):
    with GwoscReplica(blocks[:1], {}) as replica:
        polled = Polled(replica, tmp_path)
        replica.refuse("/api/", status=503)
        assert polled.after(62) == []
        # At 0, 2, 6, 14 s and every 8 s from then on.
        assert replica.count("/api/") == 9
        assert len(polled.told) == 1
        assert "asked for again" in polled.told[0]
        replica._faults.clear()
        assert polled.after(9) == [0]


def test_a_file_that_comes_damaged_holds_up_no_other_and_is_fetched_again(blocks, tmp_path):
    with GwoscReplica(blocks[:1], {}) as replica:
        polled = Polled(replica, tmp_path, since=GPS)
        replica.corrupt(f"{GPS}-4096", times=1)
        polled.release(blocks[1])
        assert polled.after(0.5) == [1]
        assert polled.after(4) == [0]
        damage, late = polled.told
    assert "damaged" in damage
    assert "late" in late
