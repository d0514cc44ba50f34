"""The live page of a scan, made of its folder alone: for a screen on a wall, and for a phone."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from itertools import groupby, islice
from operator import attrgetter
from pathlib import Path
from typing import Any

from gwmorph.errors import GwmorphError
from gwmorph.morphology.status import Status
from gwmorph.scanner.alerts import Novel, is_like_a_chirp, novel_in
from gwmorph.scanner.outbox import Outbox, OutboxCounts
from gwmorph.scanner.record import PICTURES, SUMMARY, LateFile, read_block, read_late, read_record
from gwmorph.scanner.summary import BlockSummary
from gwmorph.spectra.pictures import CROPS_S
from gwmorph.utc import utc
from gwmorph.wording import counted, spoken

BLOCKS_SHOWN = 24
PICTURES_SHOWN = 12
REFRESH_S = 10
_COUNTED_H = 24
# Blocks that failed, of which more than the number is said.
_NAMED = 3

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="{refresh}">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --line: #8885; --novel: #c2410c; --bad: #b91c1c; }}
@media (prefers-color-scheme: dark) {{ :root {{ --novel: #fb923c; --bad: #f87171; }} }}
body {{ font: 16px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 70em; padding: 0.8em; }}
h1 {{ font-size: 1.3em; margin: 0 0 0.3em; }}
h2 {{ font-size: 1.1em; margin: 1.4em 0 0.4em; }}
p {{ margin: 0.3em 0; }}
.warn {{ border-left: 4px solid var(--bad); padding: 0.1em 0.6em; margin: 0.6em 0; }}
.novel {{ color: var(--novel); font-weight: 600; }}
.failed {{ color: var(--bad); font-weight: 600; }}
.small {{ font-size: 0.85em; opacity: 0.8; }}
.cards {{ display: grid; gap: 0.8em; }}
.cards {{ grid-template-columns: repeat(auto-fill, minmax(9.5em, 1fr)); }}
.card img {{ width: 100%; display: block; }}
.card p {{ font-size: 0.85em; margin: 0.15em 0; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }}
th, td {{ padding: 0.3em 0.5em; text-align: right; border-bottom: 1px solid var(--line); }}
th {{ font-size: 0.85em; }}
th:first-child, td:first-child {{ text-align: left; white-space: nowrap; }}
@media (max-width: 40em) {{ .less {{ display: none; }} }}
</style>
</head>
<body>
{body}
</body>
</html>
"""


@dataclass(frozen=True)
class State:
    """What there is to say of a scan.

    Attributes
    ----------
    now : GPS time of saying it, s.
    blocks : summaries of the newest blocks, by GPS time, the newest first.
    newest : of each detector the newest block, whether it is among ``blocks`` or not.
    scanned_up_to : of each detector where the strain of its newest block ends that did not fail,
        GPS s; of one all of whose blocks failed nothing.
    late : files that came after their block was scanned.
    windows : of each detector the number of windows by status, in its last 24 h.
    novel_windows : of each detector how many of them are NOVEL or hold a NOVEL event.
    livetime_s : of each detector the seconds analysed in them.
    novel : what is NOVEL, the newest first, each with the path of its picture in the folder.
    outbox : records that wait, and that were delivered.
    """

    now: float
    blocks: tuple[BlockSummary, ...]
    newest: Mapping[str, BlockSummary]
    scanned_up_to: Mapping[str, int]
    late: tuple[LateFile, ...]
    windows: Mapping[str, Mapping[str, int]]
    novel_windows: Mapping[str, int]
    livetime_s: Mapping[str, int]
    novel: tuple[tuple[Novel, str], ...]
    outbox: OutboxCounts

    def to_json(self) -> dict[str, Any]:
        """Return it as a dictionary that JSON can hold."""
        return {
            "now_gps_s": self.now,
            "behind_s": {name: self.now - end for name, end in self.scanned_up_to.items()},
            "windows_in_last_24_h": {name: dict(n) for name, n in self.windows.items()},
            "novel_windows_in_last_24_h": dict(self.novel_windows),
            "livetime_in_last_24_h_s": dict(self.livetime_s),
            "blocks": [block.to_json() for block in self.blocks],
            "novel": [
                {"instruments": one.detector, "gpstime": one.time, "picture": path}
                for one, path in self.novel
            ],
            "files_too_late": len(self.late),
            "records_waiting": self.outbox.waiting,
            "records_delivered": self.outbox.delivered,
        }


def read_state(folder: Path, outbox: Path, now: float) -> State:
    """Read what there is to say of a scan.

    Parameters
    ----------
    folder, outbox
        The scan's folder, and the outbox of its event records; neither need be there yet.
    now
        GPS time, s.

    Raises
    ------
    StorageError, TableError
        What is in the folder cannot be read, or is of another version.
    """
    record = read_record(folder)
    blocks = sorted(record.values(), key=lambda one: (one.gps_start, one.detector), reverse=True)
    newest: dict[str, BlockSummary] = {}
    windows: dict[str, Counter[str]] = {}
    novel: Counter[str] = Counter()
    livetime: Counter[str] = Counter()
    for block in blocks:
        name = block.detector
        if block.gps_end > newest.setdefault(name, block).gps_end - _COUNTED_H * 3600:
            windows.setdefault(name, Counter()).update(block.windows)
            novel[name] += len(block.novel_windows)
            livetime[name] += block.livetime_s
    return State(
        now,
        tuple(blocks[:BLOCKS_SHOWN]),
        {name: newest[name] for name in sorted(newest)},
        {block.detector: block.strain_end for block in reversed(blocks) if not block.failed},
        tuple(read_late(folder)),
        windows,
        novel,
        livetime,
        tuple(islice(_novel_in(folder, blocks), PICTURES_SHOWN)),
        Outbox(outbox).counts(),
    )


def _novel_in(folder: Path, blocks: Iterable[BlockSummary]) -> Iterator[tuple[Novel, str]]:
    """Yield what is NOVEL in blocks that come the newest first, with the picture's path."""
    for _, at_once in groupby(blocks, key=attrgetter("gps_start")):
        found = [(one, block.folder) for block in at_once for one in _read_novel(folder, block)]
        for one, name in sorted(found, key=lambda each: each[0].time, reverse=True):
            yield one, f"{name}/{PICTURES}/{one.picture}"


def _read_novel(folder: Path, block: BlockSummary) -> list[Novel]:
    if not block.novel_windows:
        return []
    return novel_in(*read_block(folder, block))


def render(state: State) -> str:
    """Return the page as HTML that needs no script, and no other file but the pictures."""
    title = _title(state)
    parts = [f"<h1>{title}</h1>", *_warnings(state), *_detectors(state), *_novel(state)]
    return _PAGE.format(
        refresh=REFRESH_S, title=title, body="\n".join([*parts, *_blocks(state), _foot(state)])
    )


def render_fault(fault: GwmorphError) -> str:
    """Return a page that says why there is none."""
    body = f'<h1>gwmorph: no state of the scan</h1><p class="warn">{escape(str(fault))}</p>'
    return _PAGE.format(refresh=REFRESH_S, title="gwmorph: no state of the scan", body=body)


def _title(state: State) -> str:
    if not state.newest:
        return "gwmorph: no block yet"
    novel = counted(sum(state.novel_windows.values()), "window")
    names = ", ".join(map(escape, state.newest))
    return f"gwmorph: {names}, something NOVEL in {novel} of {_COUNTED_H} h"


def _warnings(state: State) -> Iterator[str]:
    failed = [block for block in state.blocks if block.failed]
    # Of each detector the newest: it counts what earlier ones of the same hours did.
    alarms = {block.detector: block.alarm for block in reversed(state.blocks) if block.alarm}
    yield from (_warning(alarm.text) for _, alarm in sorted(alarms.items()))
    for block in failed[:_NAMED]:
        yield _warning(f"{block.detector} {block.gps_start} FAILED: {block.why}")
    if len(failed) > _NAMED:
        yield _warning(f"{counted(len(failed) - _NAMED, 'more block')} FAILED, see below.")
    if state.late:
        last = state.late[-1]
        yield _warning(
            f"{counted(len(state.late), 'file')} came after its block was scanned, and was not "
            f"looked at (late.jsonl), the last one: {last.file}, for {last.detector} "
            f"{last.gps_start}."
        )
    if state.outbox.waiting:
        yield _warning(
            f"Not delivered: {counted(state.outbox.waiting, 'event record')}. They are kept, and "
            "tried again and again."
        )


def _warning(text: str) -> str:
    return f'<p class="warn">{escape(text)}</p>'


def _detectors(state: State) -> Iterator[str]:
    for name, block in state.newest.items():
        counts = state.windows[name]
        said = ", ".join(f"{counts[status]} {status}" for status in reversed(Status))
        judged = ""
        if block.latency_s is not None:
            judged = f" The newest block was judged {spoken(block.latency_s)} after its last file."
        yield (
            f"<p><strong>{escape(name)}</strong>: {_progress(state, name)}.{judged}<br>"
            f'<span class="small">Windows in its last {_COUNTED_H} h: {said}. Analysed: '
            f"{spoken(state.livetime_s[name])}.</span></p>"
        )


def _progress(state: State, name: str) -> str:
    if name not in state.scanned_up_to:
        return "every block FAILED"
    end = state.scanned_up_to[name]
    return f"scanned up to {_utc(end)}, <strong>{spoken(state.now - end)} behind</strong>"


def _novel(state: State) -> Iterator[str]:
    yield "<h2>Newest NOVEL</h2>"
    if not state.novel:
        yield "<p>Nothing is NOVEL.</p>"
        return
    crops = ", ".join(f"{seconds:g}" for seconds in CROPS_S)
    yield (
        f'<p class="small">An event is shown in {crops} s around it, a window whole; brighter is '
        "more energy, frequency goes up. NOVEL is what is like nothing in the atlas: whether it "
        "is of the detector or the sky, nobody has said.</p>"
    )
    yield '<div class="cards">'
    yield from (_card(one, path) for one, path in state.novel)
    yield "</div>"


def _card(one: Novel, path: str) -> str:
    row = one.row
    if one.view == "event":
        what = [f"SNR {row['snr']:.3g}, {row['peak_frequency']:.0f} Hz"]
    else:
        what = [f"the window {row['gps_start']} as a whole"]
    if row["similarity"] is not None:
        what.append(f"nearest: {row['named']} ({row['similarity']:.2f})")
    if is_like_a_chirp(row):
        what.append("like a chirp")
    lines = [f"<strong>{escape(one.detector)}</strong> {_utc(one.time)}", f"GPS {one.time:.3f}"]
    lines += map(escape, what)
    words = escape(f"{one.detector} {one.view} at GPS {one.time:.3f}")
    return (
        f'<div class="card"><a href="{escape(path)}"><img src="{escape(path)}" alt="{words}" '
        f'loading="lazy"></a>' + "".join(f"<p>{line}</p>" for line in lines) + "</div>"
    )


_HEADINGS = (
    ("block", ""),
    ("NOVEL", ""),
    ("AMBIGUOUS", "less"),
    ("KNOWN", ""),
    ("QUIET", ""),
    ("EXCLUDED", ""),
    ("analysed", "less"),
    ("judged after", "less"),
)


def _blocks(state: State) -> Iterator[str]:
    if not state.blocks:
        return
    heads = "".join(f'<th class="{kind}">{text}</th>' for text, kind in _HEADINGS)
    yield f'<h2>Last blocks</h2><div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>'
    yield from map(_block_row, state.blocks)
    yield "</tbody></table></div>"


def _block_row(block: BlockSummary) -> str:
    name = f"{escape(block.detector)} {_utc(block.gps_start)}"
    link = f'<a href="{escape(block.folder)}/{SUMMARY}">{name}</a>'
    cells = [("", link + (' <span class="failed">FAILED</span>' if block.failed else ""))]
    for text, kind in _HEADINGS[1:6]:
        number = block.windows.get(text, 0)
        said = "\N{EN DASH}" if block.failed and not number else str(number)
        cells.append((f"{kind} novel" if text == Status.NOVEL and number else kind, said))
    late = "" if block.latency_s is None else spoken(block.latency_s)
    cells += [("less", spoken(block.livetime_s)), ("less", late)]
    reasons = ", ".join(f"{reason}: {n}" for reason, n in sorted(block.excluded.items()) if n)
    tip = f' title="EXCLUDED {escape(reasons)}"' if reasons else ""
    return f"<tr{tip}>" + "".join(f'<td class="{k}">{text}</td>' for k, text in cells) + "</tr>"


def _foot(state: State) -> str:
    return (
        f'<p class="small">Made at {_utc(state.now)} and again every {REFRESH_S} s. '
        f"{counted(state.outbox.delivered, 'event record')} delivered. "
        '<a href="state.json">The same as JSON</a>.</p>'
    )


def _utc(gps: float) -> str:
    return f"{utc(int(gps))} UTC"
