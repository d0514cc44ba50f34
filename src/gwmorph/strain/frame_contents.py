"""What a frame file holds, asked of LALFrame in a process that it may take down.

`gwmorph.strain.frame_process` runs this file: a line of JSON for each question, the path of a
file, a channel or null, and the number of a frame; a line of JSON back. It imports nothing of
gwmorph, to begin quickly.
"""

import json
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lal
import lalframe

# LALFrame takes the memory that a file says it needs, or takes more and more: bytes, and bytes for
# each byte of the file.
_MEMORY, _EXPANSION = 2 << 30, 8


def _contents(path: str) -> dict[str, Any]:
    frames = lalframe.FrFileOpenURL(f"file://localhost{path}")
    numbers = range(lalframe.FrFileQueryNFrame(frames))
    starts = [lalframe.FrFileQueryGTime(lal.LIGOTimeGPS(), frames, i) for i in numbers]
    return {
        "channels": list(_channel_names(path)),
        "starts": [float(start) for start in starts],
        "durations": [lalframe.FrFileQueryDt(frames, i) for i in numbers],
    }


def _channel(path: str, name: str, frame: int) -> dict[str, Any]:
    """Return what a frame says of a channel; it is read once, which takes seconds."""
    file = lalframe.FrameUFrFileOpen(path, "r")
    read = lalframe.FrameUFrChanRead(file, name, frame)
    return {
        "samples": lalframe.FrameUFrChanVectorQueryNData(read),
        "kind": lalframe.FrameUFrChanVectorQueryType(read),
    }


def _channel_names(path: str) -> Iterator[str]:
    file = lalframe.FrameUFrFileOpen(path, "r")  # must outlive its table of contents
    contents = lalframe.FrameUFrTOCRead(file)
    for kind in ("Adc", "Proc", "Sim"):
        count = getattr(lalframe, f"FrameUFrTOCQuery{kind}N")(contents)
        for index in range(count):
            yield getattr(lalframe, f"FrameUFrTOCQuery{kind}Name")(contents, index)


def _limit_memory(path: str) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    limit = _MEMORY + _EXPANSION * Path(path).stat().st_size
    if most != resource.RLIM_INFINITY:
        limit = min(limit, most)
    resource.setrlimit(resource.RLIMIT_AS, (limit, most))


def _answer(path: str, channel: str | None, frame: int) -> dict[str, Any]:
    try:
        _limit_memory(path)
        return _contents(path) if channel is None else _channel(path, channel, frame)
    except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
        return {"error": str(error)}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(_answer(*json.loads(line))), flush=True)
