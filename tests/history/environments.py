"""One environment for each set of versions: folders laid over the one that runs the tests."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

TIMEOUT = 900.0
"""In seconds, for an installation or a run."""


def overlay_name(pins: Sequence[str]) -> str:
    """Return the name of a folder by what is in it: these versions, for this Python."""
    content = "\n".join([sys.implementation.cache_tag or "", *sorted(pins)])
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def overlay(pins: Sequence[str], cache: Path) -> Path:
    """Install these wheels and nothing that they depend on, unless that was done before."""
    folder = cache / overlay_name(pins)
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as temporary:
        made = Path(temporary) / "overlay"
        if shutil.which("uv"):
            command = ["uv", "pip", "install", "--python", sys.executable]
        else:
            command = [sys.executable, "-m", "pip", "install", "--no-compile"]
        _run([*command, "-q", "--no-deps", "--target", str(made), *pins])
        made.replace(folder)
    return folder


def certify(folder: Path, selection: Sequence[str], report: Path) -> None:
    """Write the report of a run that has a folder in front of everything that is installed."""
    options = ["--conformance", "--no-deviations", f"--conformance-report={report}", "-q"]
    quiet = ["-p", "no:cacheprovider", "-W", "ignore"]  # broken plugins leave connections open
    work = report.with_suffix("")
    work.mkdir()
    _run(
        [sys.executable, "-m", "pytest", *options, *quiet, *selection],
        folder=work,
        before=folder,
        allowed=(0, 1),
    )


def diff(old: Path, new: Path) -> str:
    """Return what ``avatar-conformance diff --json`` says of two reports."""
    code = "import sys; from conformance.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "diff", "--json", str(old), str(new)]
    return _run(command, folder=old.parent, allowed=(0, 1))


def _run(
    command: Sequence[str],
    *,
    folder: Path | None = None,
    before: Path | None = None,
    allowed: Sequence[int] = (0,),
) -> str:
    surroundings = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COV_"))}
    surroundings.pop("PYTHONPATH", None)
    if before is not None:
        surroundings["PYTHONPATH"] = str(before)
    done = subprocess.run(
        command,
        cwd=folder,
        env=surroundings,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    assert done.returncode in allowed, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout
