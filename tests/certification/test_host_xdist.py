from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def report(workers: int, folder: Path) -> dict[str, Any]:
    """The report of a small run on that many workers, without its timings."""
    file = folder / f"{workers}.json"
    run = f"-m pytest -q -p no:cacheprovider -p no:randomly -n {workers} --conformance"
    chosen = "--provider anam --provider simli --requirement BIND-0[1-4] --requirement PLAY-0[19]"
    subprocess.run(
        [sys.executable, *run.split(), *chosen.split(), f"--conformance-report={file}"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if "PYTEST" not in name},
        check=False,
        capture_output=True,
    )
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    del found["timing"]
    return found


def test_two_workers_report_what_one_process_does(tmp_path: Path) -> None:
    """With ``-n 2`` and ``-n 0`` the reports are the same but for the timings."""
    assert report(2, tmp_path) == report(0, tmp_path)
