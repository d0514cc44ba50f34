"""Tables and words of the report as HTML pages that need no other file."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from matplotlib.colors import to_hex

from gwmorph.picture_files import picture_bytes
from gwmorph.report.palette import cluster_color
from gwmorph.seals import require_whole_picture

# Every rule of style is for what is inside <main>: the start page of the report holds pages, too.
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>
main {{ font-family: sans-serif; margin: 1.5em; color: #222; }}
main p {{ max-width: 60em; }}
main table {{ border-collapse: collapse; font-size: 0.9em; }}
main th, main td {{ padding: 0.3em 0.45em; text-align: right; border-bottom: 1px solid #ddd; }}
main th {{ border-bottom: 2px solid #222; vertical-align: bottom; max-width: 7em; }}
main .words {{ text-align: left; max-width: 40em; }}
main td.words {{ min-width: 14em; }}
main img {{ max-width: 100%; }}
main td img {{ max-width: none; }}
main tbody tr:hover {{ background: #f2f2f2; }}
</style>
</head>
<body>
<main>
{blocks}
</main>
</body>
</html>
"""

_MEDIA = {".png": "image/png", ".svg": "image/svg+xml"}


class Words(str):
    """Plain text of a cell that is read, not compared: it stands on the left."""


class Html(str):
    """A cell that is HTML already."""


def page(title: str, *blocks: str) -> str:
    """Return a page of ``blocks``, each a piece of HTML as `table` and `paragraph` make it."""
    return _PAGE.format(title=escape(title), blocks="\n".join(blocks))


def heading(text: str) -> str:
    """Return plain text as a heading."""
    return f"<h2>{escape(text)}</h2>"


def paragraph(text: str) -> str:
    """Return plain text as a paragraph."""
    return f"<p>{escape(text)}</p>"


def warning(text: str) -> str:
    """Return plain text as a paragraph that nobody overlooks."""
    return f"<p><strong>{escape(text)}</strong></p>"


def cluster_mark(number: int) -> Html:
    """Return a cluster's number beside its colour, the same as in every figure."""
    color = to_hex(cluster_color(number))
    return Html(f'<span style="color: {color}">\N{BLACK SQUARE}</span>&nbsp;{number}')


def picture(file: Path | str, words: str, height: int | None = None) -> Html:
    """Return a PNG or SVG as part of the page; ``words`` say what it shows; ``height`` in pixels.

    Raises
    ------
    OSError
        The file cannot be read.
    StorageError
        It was altered.
    TableError
        The archive that a picture is in cannot be read, or does not have it.
    """
    read = picture_bytes(file)
    require_whole_picture(file, read)
    content = b64encode(read).decode()
    media = _MEDIA[Path(file).suffix]
    size = f' height="{height}"' if height is not None else ""
    return Html(f'<img src="data:{media};base64,{content}" alt="{escape(words)}"{size}>')


def table(headings: Sequence[tuple[str, str]], rows: Iterable[Iterable[str]]) -> str:
    """Return a table; headings are (text, tooltip), cells plain text, `Words` or `Html`."""
    heads = "".join(
        f'<th title="{escape(tip)}"{_kind(text)}>{escape(text)}</th>' for text, tip in headings
    )
    body = "\n".join("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows)
    return f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"


def _cell(cell: str) -> str:
    return f"<td{_kind(cell)}>{cell if isinstance(cell, Html) else escape(cell)}</td>"


def _kind(text: str) -> str:
    return ' class="words"' if isinstance(text, Words) else ""


def table_page(
    title: str, headings: Sequence[tuple[str, str]], rows: Iterable[Iterable[str]]
) -> str:
    """Return a page with one table."""
    return page(title, table(headings, rows))
