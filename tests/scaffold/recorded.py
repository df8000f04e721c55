"""How near a recorded adapter comes to the one that was written by hand.

``python -m tests.scaffold.recorded [VENDOR ...]`` judges each vendor's plugin by its bundled
adapter and by one that `avatar-conformance adapter` has just recorded, and shows where the outcomes
differ.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from conformance.scaffold.adapter import Written, write_adapter
from conformance.scaffold.names import VENDORS
from tests.clients.judged import Judged, judge


@dataclass(frozen=True)
class Compared:
    """The outcomes by two adapters; ``differences`` has those that are not the same, by check."""

    vendor: str
    written: Written
    checks: int
    differences: dict[str, tuple[str, str]]
    seconds: float


def compare(vendor: str) -> Compared:
    """Record a vendor's plugin, and judge it by both adapters."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"recorded_{vendor}.py"
        written = write_adapter(f"livekit-plugins-{vendor}", file)
        recorded = judge(loaded(file))
    by_hand = judge(importlib.import_module(f"vendor_adapters.{vendor}"))
    ours, theirs = (_outcomes(each) for each in (by_hand, recorded))
    different = {
        check: (ours.get(check, "-"), theirs.get(check, "-"))
        for check in {**ours, **theirs}
        if ours.get(check) != theirs.get(check)
    }
    return Compared(vendor, written, len(ours), different, time.monotonic() - began)


def loaded(file: Path) -> ModuleType:
    """An adapter, imported from its file."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _outcomes(judged: Judged) -> dict[str, str]:
    return {str(r.id).partition("::")[2]: r.outcome.value for r in judged.results}


def main(vendors: Sequence[str]) -> None:
    """Compare, and print a line for each vendor and each difference."""
    logging.disable()  # what plugins say of the faults that they are shown
    same = 0
    for vendor in vendors:
        found = compare(vendor)
        same += not found.differences
        asked = len(found.written.questions)
        print(
            f"{vendor:12} {found.checks} checks, {len(found.differences)} outcomes differ, "
            f"{asked} questions, {found.seconds:.0f} s",
            flush=True,
        )
        for check, (ours, theirs) in sorted(found.differences.items()):
            print(f"    {check}: {ours} by hand, {theirs} as recorded")
    print(f"{same} of {len(vendors)} recorded adapters certify to the same outcomes, unchanged")


if __name__ == "__main__":
    main(sys.argv[1:] or sorted(VENDORS))
