from html.parser import HTMLParser

from gwmorph.report import html


class Cells(HTMLParser):
    """Text and class of every cell."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.cells: list[tuple[str, str | None]] = []
        self.pictures: list[dict] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag in ("td", "th"):
            self.cells.append(("", dict(attrs).get("class")))
        if tag == "img":
            self.pictures.append(dict(attrs))

    def handle_data(self, data):
        if self.cells:
            text, kind = self.cells.pop()
            self.cells.append((text + data.strip(), kind))


def test_text_is_escaped_and_html_is_not():
    rows = [["<b>", html.Words("a & b"), html.Html("<i>c</i>")]]
    page = html.page("t", html.table([("<x>", '"tip"')], rows), html.paragraph("<p>"))
    assert "<td>&lt;b&gt;</td>" in page
    assert '<td class="words">a &amp; b</td>' in page
    assert "<td><i>c</i></td>" in page
    assert '<th title="&quot;tip&quot;">&lt;x&gt;</th>' in page
    assert "<p>&lt;p&gt;</p>" in page


def test_style_reaches_nothing_outside_of_the_page():
    # The report's start page holds such a page; its own tables must stay as they are.
    style = html.page("t").split("<style>")[1].split("</style>")[0]
    rules = [line for line in style.strip().splitlines() if line]
    assert rules
    assert all(
        selector.strip().startswith("main")
        for line in rules
        for selector in line.split("{")[0].split(",")
    )


def test_a_picture_is_part_of_the_page(tmp_path):
    for kind, media in ((".png", "image/png"), (".svg", "image/svg+xml")):
        file = (tmp_path / "x").with_suffix(kind)
        file.write_bytes(b"abc")
        (shown,) = Cells(html.picture(file, 'a "map"', 50)).pictures
        assert shown == {"src": f"data:{media};base64,YWJj", "alt": 'a "map"', "height": "50"}
