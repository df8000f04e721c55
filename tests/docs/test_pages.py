"""The pages that are made from the code are what the code says."""

from __future__ import annotations

import pytest

from tests.docs.pages import COMMAND, DOCS, PAGES
from tests.docs.pages.markdown import in_markdown


@pytest.mark.parametrize("name", [name for name in PAGES if name != "host-defects.md"])
def test_a_page_is_what_is_made_from_the_code(name: str) -> None:
    """`python -m tests.docs.pages` mends a failure of this."""
    assert (DOCS / name).read_text("utf-8") == PAGES[name](), f"{COMMAND} makes docs/{name} anew"


def test_a_docstring_becomes_markdown() -> None:
    """Literals and roles of reST are code, and what a double colon announces is Python."""
    text = "Like ``this`` and :class:`That`::\n\n    x = 1\n\nAnd more."
    assert in_markdown(text) == "Like `this` and `That`:\n\n```python\nx = 1\n```\n\nAnd more."
