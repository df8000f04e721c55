"""Which mutants fail which requirement's checks: what ``tox -e kill`` has last written."""

from __future__ import annotations

import json
from pathlib import Path

FILE = Path(__file__).resolve().parent / "kills.json"
"""``{"kills": {"SWAP-02": ["drops-queued-frames", ...], ...}}``"""


def killed_mutants(requirement: str, *, file: Path | None = None) -> tuple[str, ...] | None:
    """The mutants that the requirement's checks fail; None when no matrix has been written."""
    file = file or FILE
    if not file.is_file():
        return None
    kills = json.loads(file.read_text("utf-8"))["kills"]
    return tuple(kills.get(requirement, ()))
