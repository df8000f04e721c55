"""Write every page that is made from the code."""

from __future__ import annotations

from . import DOCS, PAGES

for name, render in PAGES.items():
    text = render()
    page = DOCS / name
    changed = not page.exists() or page.read_text("utf-8") != text
    page.write_text(text, "utf-8")
    print(f"docs/{name}: {'written' if changed else 'as it was'}")
