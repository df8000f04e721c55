"""The example of docs/quickstart.md: run as it is and mended; what is printed, and the pictures.

``python -m tests.docs.quickstart`` writes docs/quickstart/{red,green}.txt and, where there is a
Chromium and the extra ``browser``, the pictures in docs/images. It needs no network.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote
from zipfile import ZipFile

from hatchling.builders.wheel import WheelBuilder

from conformance.stage.environ import ambient

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "quickstart"
SHOWN = ROOT / "docs" / "quickstart"
IMAGES = ROOT / "docs" / "images"
COMMAND = "python -m tests.docs.quickstart"
FILES = (
    "pyproject.toml",
    "conformance_adapter.py",
    "livekit/plugins/acme/__init__.py",
    "livekit/plugins/acme/avatar.py",
    "livekit/plugins/acme/py.typed",
)
PICTURES = {
    "quickstart-red.png": ("red", "acme::BIND-12"),
    "quickstart-swap.png": ("green", "acme::SWAP-02[start-then-close]"),
}
"""Of each picture the run that it is of, and the check."""

_VARIES = (
    (r"\A(?s:.*?)(?==+ test session starts =+$)", ""),
    (r"^(platform|rootdir:|plugins:|configfile:|asyncio:|Using --randomly-seed).*\n", ""),
    (r"\d+\.\d\ds(?: \(\d:\d\d:\d\d\))?", "...s"),
    (r", about \d+ (?:s|min) left", ""),
    (r"^\w+ +\d+ of \d+ checks(?:, \d+ failed)?\n", ""),
)


@dataclass(frozen=True)
class Newcomer:
    """A folder with the example in it, and the example's plugin installed beside it."""

    place: Path

    @classmethod
    def in_folder(cls, place: Path, *, mended: bool) -> Newcomer:
        """Copy the example, mend it where asked, and install it without an index."""
        folder = place / "acme"
        for name in FILES:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(EXAMPLE / name, folder / name)
        if mended:
            apply(EXAMPLE / "mend.diff", folder)
        (wheel,) = WheelBuilder(str(folder)).build(
            directory=str(place / "dist"), versions=["standard"]
        )
        # as any installer does; neither pip nor an index is needed for it
        ZipFile(wheel).extractall(place / "site")
        return cls(place)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run pytest in the folder, 80 columns wide."""
        return subprocess.run(
            # not -m: that would find the folder's plugin before the installed one
            [Path(sys.executable).with_name("pytest"), *arguments],
            cwd=self.place / "acme",
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def environment(self) -> Mapping[str, str]:
        """The environment of a shell in which the example is installed."""
        unwanted = ("PYTEST", "COV", "GITHUB_")
        own = ambient(os.environ)  # the header names them, and each shell has others
        kept = {k: v for k, v in os.environ.items() if not (k.startswith(unwanted) or k in own)}
        path = os.pathsep.join([str(self.place / "site"), str(ROOT)])
        return {**kept, "PYTHONPATH": path, "COLUMNS": "80"}


def apply(diff: Path, folder: Path) -> None:
    """Apply a unified diff of one hunk; raises `ValueError` where it does not fit."""
    lines = diff.read_text("utf-8").splitlines()
    file = folder / lines[1].removeprefix("+++ b/")
    hunk = lines[3:]
    before = "\n".join(line[1:] for line in hunk if not line.startswith("+"))
    after = "\n".join(line[1:] for line in hunk if not line.startswith("-"))
    text = file.read_text("utf-8")
    if text.count(before) != 1:
        raise ValueError(f"{diff} does not fit {file}")
    file.write_text(text.replace(before, after), "utf-8")


def without_what_varies(output: str) -> str:
    """What pytest printed, without versions, folders and durations."""
    for pattern, put in _VARIES:
        output = re.sub(pattern, put, output, flags=re.MULTILINE)
    output = re.sub(r"^=+ (.* in \.\.\.s) =+$", r"== \1 ==", output, flags=re.MULTILINE)
    return output.strip() + "\n"


def with_counts_left_out(text: str) -> str:
    """The same without the number of checks, which grows; how many failed stays."""
    counted = r"checks?|items|passed|listed defects?|host-defect|not.applicable"
    text = re.sub(rf"(?<![.\d])\d+ +({counted})\b", r"... \1", text)
    # the closing line has its counts in the order in which they came first
    *lines, end = text.strip().splitlines()
    counts = end.strip("= ").removesuffix(" in ...s").split(", ")
    return "\n".join([*lines, ", ".join(sorted(counts))])


def main() -> None:
    """Write the texts and the pictures."""
    SHOWN.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        for name in ("red", "green"):
            newcomer = Newcomer.in_folder(Path(scratch) / name, mended=name == "green")
            report = Path(scratch) / f"{name}.html"
            ran = newcomer.run("--conformance", "--conformance-html", str(report))
            (SHOWN / f"{name}.txt").write_text(without_what_varies(ran.stdout), "utf-8")
            print(f"docs/quickstart/{name}.txt: exit code {ran.returncode}")
        for picture, (name, check) in PICTURES.items():
            photograph(Path(scratch) / f"{name}.html", check, IMAGES / picture)
            print(f"docs/images/{picture}")


def photograph(report: Path, check: str, picture: Path) -> None:
    """Take a picture of the panel of one check in an HTML report."""
    from playwright.sync_api import sync_playwright

    browser = os.environ.get("CHROMIUM") or shutil.which("chromium") or "chromium"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = launched.new_page(viewport={"width": 1100, "height": 900}, device_scale_factor=1.5)
        page.goto(f"{report.as_uri()}#check={quote(check)}")
        page.wait_for_timeout(400)
        page.get_by_role("dialog").screenshot(path=picture)
        launched.close()


if __name__ == "__main__":
    main()
