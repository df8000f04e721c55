"""Checks the installed wheel, from outside the checkout: what is in it, and that it runs.

``python -I tests/wheel_check.py`` in an environment into which the wheel was installed, in a folder
that has nothing in it. Prints what is wrong and exits with 1.
"""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import tempfile
from pathlib import Path

NEEDED = (
    "conformance/py.typed",
    "conformance/schemas/manifest.schema.json",
    "conformance/schemas/report.schema.json",
    "conformance/templates/plugin/copier.yml",
    "conformance/requirements/data/swap.toml",
    "conformance/requirements/host_defects.toml",
    "conformance/requirements/symbols.json",
    "conformance/requirements/revisions/2026.1.json",
    "vendor_adapters/py.typed",
    "vendor_adapters/anam.py",
)
FOREIGN = ("tests/", "docs/", ".ci/", "schemas/", "templates/")
"""Beginnings of paths that have no business at the top of site-packages."""


def contents() -> list[str]:
    """What is wrong with the files of the wheel."""
    distribution = importlib.metadata.distribution("avatar-conformance")
    files = {file.as_posix() for file in distribution.files or ()}
    wrong = [f"the wheel lacks {name}" for name in NEEDED if name not in files]
    wrong += [f"the wheel has {f}" for f in sorted(files) if f.startswith(FOREIGN)]
    entries = {(e.group, e.name) for e in distribution.entry_points}
    for entry in (("pytest11", "avatar_conformance"), ("console_scripts", "avatar-conformance")):
        if entry not in entries:
            wrong.append(f"the wheel lacks the entry point {entry[1]} in {entry[0]}")
    return wrong


def runs() -> list[str]:
    """What goes wrong when the wheel is used in an empty folder."""
    command = str(Path(sys.executable).with_name("avatar-conformance"))
    pytest = [sys.executable, "-m", "pytest", "-q"]
    wrong = []
    for arguments, due in (
        ([command, "list"], "anam"),
        ([command, "explain", "SWAP-02"], "SWAP-02"),
        ([*pytest, "--conformance", "--provider", "anam", "--requirement", "BIND-0[14]"], "passed"),
    ):
        with tempfile.TemporaryDirectory() as empty:
            done = subprocess.run(arguments, cwd=empty, capture_output=True, text=True, check=False)
        if due not in done.stdout:
            said = (done.stdout + done.stderr).strip()[-2000:]
            wrong.append(f"{' '.join(arguments)} does not say {due!r} but:\n{said}")
    return wrong


if __name__ == "__main__":
    problems = [*contents(), *runs()]
    print("\n".join(problems) or "the wheel is complete and runs in an empty folder")
    sys.exit(1 if problems else 0)
