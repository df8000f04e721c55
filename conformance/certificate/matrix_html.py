"""The matrix as a page for readers."""

from __future__ import annotations

from pathlib import Path

import jinja2

from .matrix import HOST, Matrix
from .shares import shortly

_TEMPLATE = Path(__file__).with_name("matrix.html.jinja")


def to_html(matrix: Matrix) -> str:
    """The matrix as one HTML page that needs no other file."""
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["shortly"] = shortly
    template = environment.from_string(_TEMPLATE.read_text("utf-8"))
    return template.render(matrix=matrix, host=HOST) + "\n"
