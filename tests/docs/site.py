"""Build the site with warnings as errors, and follow every link within it.

``python -m tests.docs.site OUT`` needs the extra ``docs`` and no network. The exit code is 1 when
Sphinx warns or a link of a page leads nowhere.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

DOCS = Path(__file__).resolve().parents[2] / "docs"
_NOT_PAGES = ("search.html", "genindex.html")  # made by Sphinx; their links are its own


def main(arguments: Sequence[str] | None = None) -> int:
    """Build into the directory that is named, and check the links of what was built."""
    out = Path((sys.argv[1:] if arguments is None else arguments)[0])
    from sphinx.cmd.build import main as sphinx

    code = sphinx(["-q", "-W", "--keep-going", "-E", "-b", "html", str(DOCS), str(out)])
    if code:
        return code
    broken = list(broken_links(out))
    for line in broken:
        print(line, file=sys.stderr)
    pages = len(list(out.rglob("*.html")))
    print(f"{out / 'index.html'}: {pages} pages, {len(broken)} broken links")
    return 1 if broken else 0


def broken_links(site: Path) -> Iterator[str]:
    """Each link or picture of a page that leads to no file, or to no place in its page."""
    pages = {page: _read(page) for page in sorted(site.rglob("*.html"))}
    for page, read in pages.items():
        if page.name in _NOT_PAGES:
            continue
        for link in dict.fromkeys(read.links):
            url = urlsplit(link)
            if url.scheme or url.netloc:
                continue
            target = (page.parent / unquote(url.path)).resolve() if url.path else page
            where = f"{page.relative_to(site)} links to {link}"
            if not target.is_file():
                yield f"{where}: there is no such file"
            elif url.fragment and target.suffix == ".html":
                known = pages.get(target) or _read(target)
                if unquote(url.fragment) not in known.anchors:
                    yield f"{where}: the page has no such place"


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.anchors.add(value)
            elif name in ("href", "src") and value and tag != "link":
                self.links.append(value)


def _read(page: Path) -> _Page:
    read = _Page()
    read.feed(page.read_text("utf-8"))
    return read


if __name__ == "__main__":
    raise SystemExit(main())
