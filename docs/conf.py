"""How Sphinx builds the site: ``tox -e docs``, or ``python -m sphinx -W docs OUT``."""

from __future__ import annotations

import importlib.metadata

project = "avatar-conformance"
copyright = "the avatar-conformance authors"
release = version = importlib.metadata.version("avatar-conformance")

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
nitpicky = True

myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 3
myst_links_external_new_tab = False
suppress_warnings = ["myst.header"]  # the folded parts of generated pages have none

html_theme = "furo"
html_title = "avatar-conformance"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "source_repository": "https://github.com/avatar-conformance/avatar-conformance/",
    "source_branch": "main",
    "source_directory": "docs/",
}
pygments_style = "friendly"
pygments_dark_style = "github-dark"
