"""The way from the summary page to the explorer, wherever the page is opened from."""

# Snakemake's report keeps the page four folders below the one that it is unpacked in; the page
# itself, and the report's start page, which holds it, lie one folder below the run's. The start
# page is a string inside of a script, which a tag of a script would end.
_LINK = """<p>Every window and event, to look at, filter and name:
<a id="explorer-link" href="../explorer/index.html" target="_blank"
onclick="if (location.pathname.includes('/data/raw/'))
this.href = '../../../../explorer/index.html'">the explorer</a> (<code>explorer/index.html</code>
in the run's folder; from a report the link works where report.zip is unpacked in that folder).
</p>"""


def explorer_link() -> str:
    """Return a paragraph of HTML with a link to the explorer of the run, without a script."""
    return _LINK
