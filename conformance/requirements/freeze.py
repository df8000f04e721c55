"""Freeze the catalogue as the current revision: ``python -m conformance.requirements.freeze``.

For a revision that has not been released yet. A released one stays as it is; a requirement that
comes later belongs to the next.
"""

from __future__ import annotations

import json

from .catalogue import FAMILIES, read_family
from .revision import CURRENT, REVISIONS, text_digest

COMMAND = "python -m conformance.requirements.freeze"


def frozen() -> str:
    """The text of the current revision's file, as the catalogue has it now."""
    entries = [entry for family in FAMILIES for entry in read_family(family)["requirement"]]
    requirements = {
        entry["id"]: {"level": entry["level"], "text": text_digest(entry["text"])}
        for entry in entries
        if entry["since"] <= CURRENT
    }
    return json.dumps({"revision": CURRENT, "requirements": requirements}, indent=2) + "\n"


if __name__ == "__main__":
    (REVISIONS / f"{CURRENT}.json").write_text(frozen(), "utf-8")
