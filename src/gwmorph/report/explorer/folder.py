"""The explorer's folder: the page and its scripts as they are shipped, and the run's data."""

import json
import shutil
from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib import colormaps
from matplotlib.colors import to_hex

from gwmorph.naming import parse_span_name
from gwmorph.picture_files import is_archive, picture_bytes, picture_names
from gwmorph.report.explorer.columns import script
from gwmorph.report.explorer.contents import ViewTables, chunks_of, columns_of
from gwmorph.report.palette import GREY, LOUDNESS, cluster_color
from gwmorph.report.vetoes import Choice, summary_of, write_veto
from gwmorph.runs.vetoes import Veto
from gwmorph.strain.base import LocalFile

PAGE = Path(__file__).parent / "page"
_DATA, _VETOES, _PACKED = "data", "vetoes", "pictures"
# Colours before they repeat, and steps of a scale.
_HUES = 27
_STEPS = 64


def write_explorer(
    folder: Path,
    about: Mapping[str, Any],
    views: Mapping[str, ViewTables],
    vetoes: Mapping[int, Mapping[str, Veto]],
    pictures: Sequence[Path] = (),
) -> None:
    """Write the explorer of a run into a folder that does not exist.

    Parameters
    ----------
    folder
        ``results/NAME/explorer``: the page looks for pictures beside it.
    about
        What `about_run` returned.
    views
        Tables by view, ``event`` or ``window``, the one to begin with first.
    vetoes
        Of each cluster of events, by detector; those without segments are left out.
    pictures
        As for `about_run`. What is in archives, which a page opened as a file cannot look into, is
        copied: a script for each, a third larger.

    Raises
    ------
    OSError
        The folder exists, or cannot be written.
    TableError
        An archive is damaged.
    """
    shutil.copytree(PAGE, folder, copy_function=shutil.copyfile)
    data = folder / _DATA
    data.mkdir()
    linked = {number: _linked(folder, about["run"], number, of) for number, of in vetoes.items()}
    run = {**about, "views": list(views), "vetoes": linked}
    _write(data / "run.js", script("explorer.run", run))
    for name, view in views.items():
        _write(data / f"{name}.js", script("explorer.columns", name, columns_of(view)))
        for number, chunk in enumerate(chunks_of(view)):
            path = data / f"{name}-{number:05d}.js"
            _write(path, script("explorer.details", name, number, chunk))
    for archive in filter(is_archive, pictures):
        _write_packed(data / _PACKED, archive)


def _write_packed(folder: Path, archive: Path) -> None:
    """Write the pictures of an archive, one at a time, as a script that the page runs."""
    folder.mkdir(exist_ok=True)
    with (folder / f"{archive.name}.js").open("w", encoding="ascii") as stream:
        stream.write(f"explorer.packed({json.dumps(archive.name)}, {{")
        for number, name in enumerate(picture_names(archive)):
            content = b64encode(picture_bytes(archive / name)).decode("ascii")
            stream.write(f'{"," if number else ""}\n{json.dumps(name)}: "{content}"')
        stream.write("});\n")


def _linked(
    folder: Path, run: str, cluster: int, vetoes: Mapping[str, Veto]
) -> list[dict[str, Any]]:
    """Write a cluster's vetoes, and return what the page says of them and where they are."""
    choice = Choice(f"results/{run}", "cluster", cluster)
    return [
        {
            "detector": detector,
            "summary": summary_of(veto),
            "files": [
                path.relative_to(folder).as_posix()
                for path in write_veto(veto, folder / _VETOES, choice)
            ],
        }
        for detector, veto in vetoes.items()
        if veto.segments
    ]


def about_run(
    run: str, window_s: int, pictures: Sequence[Path], files: Sequence[LocalFile]
) -> dict[str, Any]:
    """Return what the page knows of a run: its name, and where pictures and strain are.

    Parameters
    ----------
    run
        Its name.
    window_s
        Length of a window in s.
    pictures
        Folders or archives of pictures of windows and of events,
        ``results/NAME/{pictures,events}/…``.
    files
        Strain that the run has read; ``path`` as a command line of the checkout names it.
    """
    return {
        "run": run,
        "palette": [to_hex(cluster_color(number)) for number in range(_HUES)],
        "greys": GREY,
        "ramps": {name: _ramp(name) for name in ("snr", "frequency", "time")},
        "windowSeconds": window_s,
        "folders": {
            f"{kind} {name.detector} {name.gps_start}": f"../{folder.parent.name}/{folder.name}"
            for folder in sorted(pictures)
            for name in [parse_span_name(folder.name)]
            for kind in ["event" if name.what == "EVENTS" else "window"]
        },
        "strain": [
            {
                "detector": file.detector,
                "start": file.gps_start,
                "end": file.gps_start + file.duration,
                "path": file.path,
                "layout": file.layout,
                "holder": file.dataset_or_channel,
            }
            for file in files
        ],
    }


def _ramp(name: str) -> list[str]:
    """Return the colours of a scale, the smallest value first; loudness as in every figure."""
    scale = LOUDNESS if name == "snr" else colormaps["cividis"]
    return [to_hex(scale(step / (_STEPS - 1))) for step in range(_STEPS)]


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="ascii")
