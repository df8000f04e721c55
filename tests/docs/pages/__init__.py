"""The pages of the documentation that are made from the code: ``python -m tests.docs.pages``.

Each module renders one page; `PAGES` names them. A test fails where a page is not what its module
renders.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Mapping
from pathlib import Path

from . import adapter, endpoint, requirements, schemas

DOCS = Path(__file__).resolve().parents[3] / "docs"
COMMAND = "python -m tests.docs.pages"


def _host_defects() -> str:
    from conformance.cli import main

    written = io.StringIO()
    with contextlib.redirect_stdout(written):
        main(["host", "--markdown"])
    return written.getvalue()


PAGES: Mapping[str, Callable[[], str]] = {
    "adapter.md": adapter.render,
    "endpoint.md": endpoint.render,
    "host-defects.md": _host_defects,
    "requirements.md": requirements.render,
    "schemas.md": schemas.render,
}
"""The renderer of each page, by the name of its file in docs/."""
