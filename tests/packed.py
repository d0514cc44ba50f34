"""Folders of pictures turned into the archives that a run makes of them."""

import shutil
from pathlib import Path

from gwmorph.picture_files import write_archive


def pack(folder: Path) -> Path:
    """Put a folder's pictures into an archive beside it, and remove it; return the archive."""
    archive = folder.with_name(f"{folder.name}.zip")
    write_archive(archive, {path.name: path.read_bytes() for path in folder.iterdir()})
    shutil.rmtree(folder)
    return archive
