"""Freeze the catalogue as the current revision: ``python -m conformance.requirements.freeze``.

For a revision that has not been released yet. A released one stays as it is; a requirement that
comes later belongs to the next.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from .catalogue import DEPLOYED_FAMILIES, FAMILIES, HEARD, read_family
from .revision import CURRENT, CURRENT_DEPLOYED, REVISIONS, text_digest

COMMAND = "python -m conformance.requirements.freeze"


def frozen(
    name: str = CURRENT, families: Sequence[str] = FAMILIES, more: Sequence[str] = ()
) -> str:
    """The text of the file of a current revision, as the catalogue has it now.

    ``more`` are requirements of other families.
    """
    entries = [entry for family in families for entry in read_family(family)["requirement"]]
    elsewhere = {e["id"]: e for family in FAMILIES for e in read_family(family)["requirement"]}
    entries += [elsewhere[requirement] for requirement in more]
    requirements = {
        entry["id"]: {"level": entry["level"], "text": text_digest(entry["text"])}
        for entry in entries
        if entry["since"] <= CURRENT
    }
    return json.dumps({"revision": name, "requirements": requirements}, indent=2) + "\n"


if __name__ == "__main__":
    (REVISIONS / f"{CURRENT}.json").write_text(frozen(), "utf-8")
    (REVISIONS / f"{CURRENT_DEPLOYED}.json").write_text(
        frozen(CURRENT_DEPLOYED, DEPLOYED_FAMILIES, HEARD), "utf-8"
    )
