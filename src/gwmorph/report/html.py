"""Tables of the report as HTML pages that need no other file."""

from collections.abc import Iterable, Sequence
from html import escape

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ font-family: sans-serif; margin: 2em; color: #222; }}
table {{ border-collapse: collapse; }}
th, td {{ padding: 0.3em 0.8em; text-align: right; border-bottom: 1px solid #ddd; }}
th {{ border-bottom: 2px solid #222; vertical-align: bottom; max-width: 7em; }}
tbody tr:hover {{ background: #f2f2f2; }}
</style>
</head>
<body>
<table>
<thead><tr>{heads}</tr></thead>
<tbody>
{body}
</tbody>
</table>
{note}
</body>
</html>
"""


def table_page(
    title: str,
    headings: Sequence[tuple[str, str]],
    rows: Iterable[Iterable[str]],
    note: str = "",
) -> str:
    """Return a page with one table; headings are (text, tooltip), cells and note plain text."""
    heads = "".join(f'<th title="{escape(tip)}">{escape(text)}</th>' for text, tip in headings)
    body = "\n".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    below = f"<p>{escape(note)}</p>" if note else ""
    return _PAGE.format(title=escape(title), heads=heads, body=body, note=below)
