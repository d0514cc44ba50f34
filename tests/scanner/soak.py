"""A watch that has bad days: files with every fault, a receiver that is down, processes killed.

`gwmorph watch` runs as its users run it, in processes of its own. Run by hand for hundreds of
blocks (``make soak``)::

    python tests/scanner/soak.py --blocks 500 --seconds 4096

In the end every window of every block must be accounted for exactly once, and every planted event
be delivered exactly once.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, cycle, repeat
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import numpy as np
import yaml

sys.path += [str(Path(__file__).parent), str(Path(__file__).parents[1])]

from receiving import LoopbackReceiver
from scanning import BLOCK, RATE, RAW, make_atlas, noise

from gwmorph.scanner.record import WINDOW_TABLE, read_record
from gwmorph.scanner.summary import BlockSummary
from gwmorph.tables.parquet import read_table
from gwmorph.tables.scan import SCAN_WINDOWS
from gwosc_files import gwosc_file_name, write_gwosc_file

STRIDE = 4096
WINDOW = 32
POOL = 4
AHEAD = 6
_LONGEST_S = 180
# What befalls a block; each in turn, with as many good ones between them.
FAULTS = (
    "truncated",
    "nan",
    "duplicate",
    "out of order",
    "other detector's content",
    "worker killed",
    "receiver down",
    "process killed",
    "detector without atlas",
    "slow copy",
)
FAILING = ("truncated", "other detector's content", "detector without atlas")


@dataclass(frozen=True)
class Planned:
    """A block of the soak: what befalls it, and the GPS times of the events planted in it."""

    start: int
    fault: str
    events: tuple[float, ...]

    @property
    def detector(self) -> str:
        return "V1" if self.fault == "detector without atlas" else "H1"


class Soak:
    """``blocks`` blocks of ``seconds`` s each, in a folder of its own.

    Shorter than 4096 s they lie apart, and each waits for what it lacks, in vain, for ``wait_s``.
    With ``good`` every second block is without a fault.
    """

    def __init__(
        self, folder: Path, blocks: int, seconds: int, wait_s: float, *, good: bool
    ) -> None:
        self.folder, self.seconds = folder, seconds
        self.arriving, self.out = folder / "arriving", folder / "scan"
        self.arriving.mkdir()
        self.pool = self._pool(folder / "pool")
        faults = cycle(chain.from_iterable(repeat(fault, 1 + good) for fault in FAULTS))
        self.plan = [
            self._planned(i, "none" if good and i % 2 == 0 else fault)
            for i, fault in zip(range(blocks), faults, strict=False)
        ]
        self.kills = 0
        atlas = make_atlas(folder)
        raw = RAW | {
            "run": RAW["run"] | {"max_excluded_fraction": 1.0},
            "scan": {
                "workers": 2,
                "max_wait_s": wait_s,
                "pieces_wait_s": wait_s,
                "novel_alarm": 10**6,
                "watch": {
                    "poll_s": 0.05,
                    "settle_s": 0.3,
                    "give_up_s": 1.0,
                    "longest_wait_s": 1.0,
                },
                "receiver": {"timeout_s": 5.0},
            },
        }
        (folder / "soak.yaml").write_text(yaml.safe_dump(raw), encoding="utf-8")
        self._atlas = atlas.folder

    def _pool(self, folder: Path) -> list[tuple[Path, tuple[float, ...]]]:
        """Make a few files, each with events in the middle of windows that lie inside."""
        folder.mkdir()
        made = []
        for i in range(POOL):
            step = max(2, self.seconds // 4 // WINDOW) * WINDOW
            windows = range(WINDOW, self.seconds - 2 * WINDOW, step)
            times = tuple(start + 10.0 + i for start in windows)
            path = folder / gwosc_file_name("H1", BLOCK, duration=self.seconds, sample_rate=RATE)
            path = path.with_name(f"{i}_{path.name}")
            write_gwosc_file(path, "H1", BLOCK, noise(self.seconds, times, seed=i), RATE)
            made.append((path, times))
        return made

    def _planned(self, i: int, fault: str) -> Planned:
        start = BLOCK + i * STRIDE
        events = () if fault in FAILING else tuple(start + t for t in self.pool[i % POOL][1])
        if fault == "nan":
            events = events[1:]  # the first one's window is what is not there
        return Planned(start, fault, events)

    # ------------------------------------------------------------- what arrives

    def put(self, block: Planned) -> None:
        """Let a block's file appear, by a rename but for copies that are slow."""
        i = (block.start - BLOCK) // STRIDE
        name = gwosc_file_name(
            block.detector, block.start, duration=self.seconds, sample_rate=RATE
        )
        content = "L1" if block.fault == "other detector's content" else block.detector
        partial = Path(shutil.copyfile(self.pool[i % POOL][0], self.folder / f"{name}.making"))
        self._adapt(partial, block, content)
        if block.fault == "truncated":
            os.truncate(partial, partial.stat().st_size // 2)
        if block.fault == "duplicate":
            shutil.copyfile(partial, self.arriving / name.replace("_R1-", "_R2-"))
        if block.fault == "slow copy":
            self._copy_slowly(partial, self.arriving / name)
        else:
            partial.rename(self.arriving / name)

    def _adapt(self, path: Path, block: Planned, detector: str) -> None:
        with h5py.File(path, "r+") as file:
            file["meta/GPSstart"][()] = block.start
            del file["meta/Detector"]
            file["meta/Detector"] = detector
            for name in ("strain/Strain", "quality/simple/DQmask", "quality/injections/Injmask"):
                file[name].attrs["Xstart"] = block.start
            if block.fault == "nan":
                first = WINDOW + 12
                file["strain/Strain"][first * RATE : (first + 2) * RATE] = np.nan

    def _copy_slowly(self, source: Path, target: Path) -> None:
        content = source.read_bytes()
        source.unlink()
        with target.open("wb") as stream:
            for piece in range(4):
                part = slice(piece * len(content) // 4, (piece + 1) * len(content) // 4)
                stream.write(content[part])
                stream.flush()
                time.sleep(0.1)

    # ------------------------------------------------------------- the watch

    @contextmanager
    def watching(self, receiver: LoopbackReceiver) -> Iterator[subprocess.Popen[str]]:
        call = [
            *(sys.executable, "-m", "gwmorph.cli", "watch", str(self.arriving)),
            *("--atlas", str(self._atlas), "--out", str(self.out)),
            *("--configfile", str(self.folder / "soak.yaml"), "--receiver", receiver.url),
        ]
        with (self.folder / "watch.log").open("a", encoding="utf-8") as log:
            process = subprocess.Popen(call, stdout=log, stderr=log, text=True)
            try:
                yield process
            finally:
                self.kills += process.poll() is None
                process.kill()
                process.wait()

    def run(self, tell: Callable[[str], None] = lambda text: None) -> "Outcome":
        """Do all of it and return what is left to be judged."""
        with LoopbackReceiver() as receiver:
            todo = self._in_order_of_arrival()
            while todo:
                with self.watching(receiver) as process:
                    todo = self._feed(todo, process, receiver, tell)
            # Once more from the beginning: blocks whose worker was killed are scanned again.
            with self.watching(receiver) as process:
                self._until(self._all_settled, process)
                self._until(lambda: set(receiver.given) >= self._expected_ids(receiver), process)
                process.send_signal(signal.SIGTERM)
                code = process.wait(timeout=60)
            return Outcome(self, receiver, code)

    def _in_order_of_arrival(self) -> list[Planned]:
        late = [i for i, block in enumerate(self.plan) if block.fault == "out of order"]
        order = list(self.plan)
        for i in late:
            if i + 1 < len(order):
                order[i], order[i + 1] = order[i + 1], order[i]
        return order

    def _feed(
        self,
        todo: list[Planned],
        process: "subprocess.Popen[str]",
        receiver: LoopbackReceiver,
        tell: Callable[[str], None],
    ) -> list[Planned]:
        """Let blocks arrive; return what is left where the process was killed."""
        for done, block in enumerate(todo, start=1):
            self._until(lambda: self._ahead() < AHEAD, process)
            receiver.down = block.fault == "receiver down"
            self.put(block)
            self._tidy()
            tell(f"{block.start}: {block.fault}")
            if block.fault == "worker killed":
                self._until(lambda: self._kill_worker(process), process)
            if block.fault == "process killed":
                self._until(self._recorded, process)
                return todo[done:]  # which ends the `with` block of the watch: it is killed
        receiver.down = False
        return []

    def _recorded(self) -> dict[tuple[str, int], BlockSummary]:
        return dict(read_record(self.out))

    def _ahead(self) -> int:
        put = [one for one in self.plan if self._path(one).exists()]
        return len({(one.detector, one.start) for one in put} - self._recorded().keys())

    def _path(self, block: Planned) -> Path:
        return self.arriving / gwosc_file_name(
            block.detector, block.start, duration=self.seconds, sample_rate=RATE
        )

    def _tidy(self) -> None:
        """Remove files that nobody needs: blocks done for long, whatever the next one reads."""
        done = [key for key, summary in self._recorded().items() if not summary.failed]
        for block in self.plan:
            if (block.detector, block.start) in done and block.start < max(done)[1] - 8 * STRIDE:
                self._path(block).unlink(missing_ok=True)

    def _kill_worker(self, process: "subprocess.Popen[str]") -> bool:
        for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
            # The fork server's and the tracker's are not those that draw.
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                os.kill(int(child), signal.SIGKILL)
                return True
        return False

    def _all_settled(self) -> bool:
        recorded = self._recorded()
        return all(
            (found := recorded.get((block.detector, block.start))) is not None
            and found.failed == (block.fault in FAILING)
            for block in self.plan
        )

    def _expected_ids(self, receiver: LoopbackReceiver) -> set[str]:
        wanted = Counter(t for block in self.plan for t in block.events)
        there = [record["gpstime"] for record in receiver.records.values()]
        found = sum(any(abs(t - at) < 0.1 for at in there) for t in wanted)
        return set() if found == len(wanted) else {"what is not there yet"}

    def _until(self, holds: Callable[[], object], process: "subprocess.Popen[str]") -> None:
        end, record, before = time.monotonic() + _LONGEST_S, self.out / "blocks.jsonl", 0
        while not holds():
            if record.exists() and (now := record.stat().st_size) != before:
                end, before = time.monotonic() + _LONGEST_S, now  # slow, but it goes on
            if process.poll() is not None or time.monotonic() > end:
                log = (self.folder / "watch.log").read_text(encoding="utf-8")
                raise AssertionError(f"the watch ended or hangs ({process.poll()}):\n{log}")
            time.sleep(0.05)


@dataclass(frozen=True)
class Outcome:
    """What the soak left."""

    soak: Soak
    receiver: LoopbackReceiver
    code: int

    def check(self) -> None:
        """Fail where a window is not accounted for once, or an event not delivered once."""
        assert self.code == 3  # it was told to stop, and blocks had failed
        recorded = read_record(self.soak.out)
        assert set(recorded) == {(block.detector, block.start) for block in self.soak.plan}
        for block in self.soak.plan:
            self._check_windows(block, recorded[block.detector, block.start])
        self._check_events()

    def _check_windows(self, block: Planned, summary: BlockSummary) -> None:
        table = read_table(self.soak.out / summary.folder / WINDOW_TABLE, SCAN_WINDOWS)
        rows = {row["gps_start"]: row for row in table.to_pylist()}
        own = set(range(block.start, block.start + self.soak.seconds - WINDOW + 1, WINDOW))
        assert len(rows) == len(table), block
        assert own <= set(rows) <= set(range(block.start, block.start + STRIDE, WINDOW)), block
        # What lies between it and the next block's file may be told of, as what it is.
        beside = {rows.pop(t)["reason"] for t in set(rows) - own}
        assert beside <= {"gap", "failed" if block.fault in FAILING else "gap"}, (block, beside)
        reasons = Counter(row["reason"] for row in rows.values())
        if block.fault in FAILING:
            assert set(reasons) == {"failed"}, (block, reasons)
        else:
            assert reasons["failed"] == 0, (block, reasons)
            assert (reasons["nan"] > 0) == (block.fault == "nan"), (block, reasons)
            for time_ in block.events:
                assert rows[int(time_) // WINDOW * WINDOW]["status"] == "NOVEL", (block, time_)

    def _check_events(self) -> None:
        planted = sorted(t for block in self.soak.plan for t in block.events)
        times = sorted(record["gpstime"] for record in self.receiver.records.values())
        assert len(times) == len(planted), (len(times), len(planted))
        np.testing.assert_allclose(times, planted, rtol=0, atol=0.1)
        # Who is killed between a delivery and its note delivers once more, with the same id.
        again = sum(self.receiver.given.values()) - len(self.receiver.given)
        assert again <= self.soak.kills, self.receiver.given

    def __str__(self) -> str:
        windows = len(self.soak.plan) * self.soak.seconds // WINDOW
        return (
            f"{len(self.soak.plan)} blocks, {windows} windows, each accounted for once; "
            f"{len(self.receiver.records)} planted events delivered, each by one id; "
            f"{self.soak.kills} times killed, "
            f"{sum(self.receiver.given.values()) - len(self.receiver.given)} deliveries repeated"
        )


def main() -> None:
    """Soak for as long as it takes."""
    parser = argparse.ArgumentParser(description="Watch hundreds of blocks with every fault.")
    parser.add_argument("--blocks", type=int, default=500)
    parser.add_argument("--seconds", type=int, default=STRIDE, help="strain in each block")
    arguments = parser.parse_args()
    with TemporaryDirectory(prefix="gwmorph-soak-") as folder:
        # Blocks that are not whole wait for what never comes.
        wait_s = 5.0 if arguments.seconds == STRIDE else 1.0
        soak = Soak(Path(folder), arguments.blocks, arguments.seconds, wait_s, good=True)
        outcome = soak.run(lambda text: print(text, flush=True))
        outcome.check()
        print(outcome)


if __name__ == "__main__":
    main()
