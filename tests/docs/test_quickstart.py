"""docs/quickstart.md: the example is run as the page tells it, and prints what the page shows."""

from __future__ import annotations

import difflib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.quickstart import (
    COMMAND,
    EXAMPLE,
    SHOWN,
    Newcomer,
    apply,
    with_counts_left_out,
    without_what_varies,
)


@pytest.mark.needs("livekit-agents==1.8.9")
@pytest.mark.parametrize(("name", "code"), [("red", 1), ("green", 0)])
def test_the_run_prints_what_the_page_shows(tmp_path: Path, name: str, code: int) -> None:
    """`python -m tests.docs.quickstart` mends a failure of this, when the output is right."""
    ran = Newcomer.in_folder(tmp_path, mended=name == "green").run("--conformance")
    printed = with_counts_left_out(without_what_varies(ran.stdout))
    shown = with_counts_left_out((SHOWN / f"{name}.txt").read_text("utf-8"))
    lines = difflib.unified_diff(
        shown.splitlines(), printed.splitlines(), "the page", "printed", lineterm=""
    )
    difference = "\n".join(lines)
    assert ran.returncode == code, ran.stdout
    assert not difference, f"{COMMAND} makes docs/quickstart/{name}.txt anew:\n{difference}"


def test_the_example_is_a_root_of_its_own() -> None:
    """In a checkout, pytest takes the example's folder as its root and not the kit's."""
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-p", "no:cacheprovider"],
        cwd=EXAMPLE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"rootdir: {EXAMPLE}\n" in ran.stdout


@pytest.mark.skipif(shutil.which("patch") is None, reason="the diff was not applied: no patch")
def test_the_mend_is_a_patch(tmp_path: Path) -> None:
    """`patch -p1 < mend.diff` does what the mended example has."""
    shutil.copytree(EXAMPLE / "livekit", tmp_path / "by-patch" / "livekit")
    shutil.copytree(EXAMPLE / "livekit", tmp_path / "by-us" / "livekit")
    with (EXAMPLE / "mend.diff").open() as diff:
        subprocess.run(["patch", "-p1"], cwd=tmp_path / "by-patch", stdin=diff, check=True)
    apply(EXAMPLE / "mend.diff", tmp_path / "by-us")
    avatar = "livekit/plugins/acme/avatar.py"
    mended = (tmp_path / "by-us" / avatar).read_text("utf-8")
    assert (tmp_path / "by-patch" / avatar).read_text("utf-8") == mended
    assert "wait_remote_track" in mended


def test_a_mend_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    """The page's diff is about the example as it is, or the page is wrong."""
    file = tmp_path / "livekit/plugins/acme/avatar.py"
    file.parent.mkdir(parents=True)
    file.write_text("nothing of the sort\n")
    with pytest.raises(ValueError, match="does not fit"):
        apply(EXAMPLE / "mend.diff", tmp_path)
