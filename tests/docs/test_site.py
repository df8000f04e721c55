from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.site import DOCS, broken_links


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("gone.html", "there is no such file"),
        ("other.html#nowhere", "the page has no such place"),
        ("#nowhere", "the page has no such place"),
    ],
)
def test_a_link_that_leads_nowhere_is_named(tmp_path: Path, link: str, said: str) -> None:
    """The page, the link, and what is missing."""
    (tmp_path / "page.html").write_text(f"<a href='{link}'>x</a>")
    (tmp_path / "other.html").write_text("<h1 id='here'></h1>")
    assert list(broken_links(tmp_path)) == [f"page.html links to {link}: {said}"]


def test_links_that_lead_somewhere_are_not(tmp_path: Path) -> None:
    """A page, a place in it, a picture and another site."""
    (tmp_path / "page.html").write_text(
        "<a href='a/other.html#h%C3%A4r'>x</a><img src='x.png'><a href='https://example.org'>y</a>"
    )
    (tmp_path / "x.png").write_bytes(b"")
    (tmp_path / "a").mkdir()
    (tmp_path / "a/other.html").write_text("<h1 id='här'></h1><a href='../page.html'>back</a>")
    assert list(broken_links(tmp_path)) == []


def test_every_page_is_in_a_table_of_contents() -> None:
    """A page that nothing links to is found by nobody."""
    listed = (DOCS / "index.md").read_text("utf-8").split()
    pages = {page.stem for page in DOCS.glob("*.md")} - {"index"}
    assert pages <= set(listed), f"docs/index.md leaves out {sorted(pages - set(listed))}"
