"""How Sphinx builds the documentation: `make docs`."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import generate

project = "gwmorph"
author = copyright = "The gwmorph developers"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["_build"]
# A heading is linked to by the anchor that GitHub gives it, and one that is not there is an error.
myst_heading_anchors = 4
# What stands in single backticks in a docstring is code.
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
# Types stand in the signature; a `numpy.str_` below it would be read as markup.
napoleon_attr_annotations = False
# Names in backticks are led to what they mean, if that is plain, and else are code.
suppress_warnings = ["ref.python"]
# Commands and what they print are most of what has no language.
highlight_language = "none"
html_theme = "furo"
html_title = "gwmorph"
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_copy_source = False
# Shell prompts of printed examples are not copied.
copybutton_prompt_text = "$ "
# Publishers that refuse programs, and addresses of this machine in examples.
linkcheck_ignore = [r"https?://(localhost|127\.0\.0\.1)", r"https://doi\.org/"]


def setup(app):
    """Write the generated pages first, and lead links to them."""
    generate.write_pages()
    app.connect("source-read", _lead_links)
    app.connect("autodoc-process-docstring", _as_plain_text, priority=400)  # before napoleon's


def _lead_links(app, page, source):
    folder = Path("docs", page).parent.as_posix()
    source[0] = generate.with_links_to_generated(source[0], folder)


def _as_plain_text(app, what, name, thing, options, lines):
    # Bars and stars outside of code are absolute values, products and unpacking, not markup.
    parts = re.split(r"(``.*?``|`[^`]*`)", "\n".join(lines), flags=re.DOTALL)
    parts[::2] = [re.sub(r"([|*])", r"\\\1", part) for part in parts[::2]]
    lines[:] = "".join(parts).split("\n")
