"""The way from the summary page to the explorer, wherever the page is opened from."""

# Snakemake's report keeps the page four folders below the one that it is unpacked in; the page
# itself, and the report's start page, which may hold it, lie one folder below the run's.
# No <script>: the report keeps its start page as text inside one, which the first end of a script
# would end, whatever it is in.
_HREF = (
    "if (location.pathname.includes('/data/raw/')) this.href = '../../../../explorer/index.html'"
)
_LINK = f"""<p>Every window and event, to look at, filter and name:
<a id="explorer-link" href="../explorer/index.html" target="_blank"
onmouseenter="{_HREF}" onfocus="{_HREF}" onclick="{_HREF}">the explorer</a>
(<code>explorer/index.html</code> in the run's folder; from a report the link works where
report.zip is unpacked in that folder).</p>"""


def explorer_link() -> str:
    """Return a paragraph of HTML with a link to the explorer of the run."""
    return _LINK
