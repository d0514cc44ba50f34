from base64 import b64encode
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gwmorph.picture_files import write_archive
from gwmorph.report import html
from whole_pictures import PNG, SVG


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
    for kind, media, content in ((".png", "image/png", PNG), (".svg", "image/svg+xml", SVG)):
        file = (tmp_path / "x").with_suffix(kind)
        file.write_bytes(content)
        (shown,) = Cells(html.picture(file, 'a "map"', 50)).pictures
        source = f"data:{media};base64,{b64encode(content).decode()}"
        assert shown == {"src": source, "alt": 'a "map"', "height": "50"}
    packed = tmp_path / "x.zip"
    write_archive(packed, {"x.png": PNG})
    assert html.picture(packed / "x.png", "a") == html.picture(tmp_path / "x.png", "a")


class Everything(HTMLParser):
    """Every tag, every attribute and the whole text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data


PIECES = {
    "heading": html.heading,
    "paragraph": html.paragraph,
    "warning": html.warning,
    "cell": lambda text: html.table([("a", "b")], [[text]]),
    "words": lambda text: html.table([("a", "b")], [[html.Words(text)]]),
    "column": lambda text: html.table([(text, text)], []),
    "page": lambda text: html.page(text, html.paragraph(text)),
    # A cell that is HTML and was added to is text again.
    "added": lambda text: html.table([("a", "b")], [[html.cluster_mark(1) + text]]),
}


@pytest.mark.parametrize("piece", PIECES)
@given(text=st.text(max_size=40))
@example(text="</script><img src=x onerror=alert(1)>")
@example(text='" onmouseover="alert(1)')
@example(text="{blocks} {0} %s &lt;b&gt; --><!--")
def test_no_text_becomes_a_part_of_a_page(piece, text):
    made, usual = (Everything(PIECES[piece](said)) for said in (text, "harmless"))
    assert made.tags == usual.tags
    assert [name for name, _ in made.attributes] == [name for name, _ in usual.attributes]
    shown = text.strip()
    assert shown in made.text or shown in [value.strip() for _, value in made.attributes if value]


def test_no_text_becomes_a_part_of_a_picture(tmp_path):
    (tmp_path / "x.svg").write_text("<svg><script>alert(1)</script></svg>")
    made = Everything(html.picture(tmp_path / "x.svg", '"><script>alert(1)</script>'))
    # Inside of an img a browser runs no script of an SVG.
    assert made.tags == ["img"]
    assert dict(made.attributes)["src"].startswith("data:image/svg+xml;base64,")
    assert dict(made.attributes)["alt"] == '"><script>alert(1)</script>'
