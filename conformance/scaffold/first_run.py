"""The first judgement of a plugin by an adapter that was just written."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .adapter import FILE

_BAD = ("failed", "error")


def first_run(adapter: Path, options: Sequence[str] = ()) -> str:
    """Certify by the adapter in ``adapter``, in an empty folder; says in words what came of it.

    ``options`` are more options of pytest's.
    """
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / FILE).write_bytes(adapter.read_bytes())
        report = place / "report.json"
        command = [
            sys.executable,
            "-m",
            "pytest",
            "--conformance",
            f"--conformance-report={report}",
        ]
        ran = subprocess.run(
            [*command, *options, "-q", "-p", "no:cacheprovider", "--rootdir", str(place)],
            cwd=place,
            capture_output=True,
            text=True,
            check=False,
        )
        if not report.exists():
            said = [line for line in (ran.stdout + ran.stderr).splitlines() if line.strip()]
            return f"it could not be judged by it: {said[-1] if said else 'pytest said nothing'}"
        return "\n".join(_lines(json.loads(report.read_text("utf-8"))))


def _lines(report: Mapping[str, Any]) -> Iterator[str]:
    for subject in (each for each in report["subjects"] if each["kind"] == "provider"):
        results = subject["results"]
        failed: dict[str, str] = {}
        for result in results:
            if result["outcome"] in _BAD:
                finding = result.get("finding") or {}
                said = finding.get("observed") or result.get("reason", "")
                failed.setdefault(result["requirement"], said)
        passed = sum(result["outcome"] == "passed" for result in results)
        counted = f"{passed} of {len(results)} checks pass, {len(failed)} requirements fail"
        yield f"judged by it: {counted}"
        yield from (f"  {requirement}: {said}" for requirement, said in failed.items())
