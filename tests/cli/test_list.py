from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.cli import main


def test_it_lists_each_provider_with_its_distribution(capsys: pytest.CaptureFixture[str]) -> None:
    """A user sees which providers there are, and which of them are installed."""
    assert main(["list"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["provider", "installed", "distribution", "adapter"]
    anam = next(line for line in lines if line.startswith("anam "))
    assert re.search(r"(not installed|\d+\.\d+\S*)  +livekit-plugins-anam +bundled$", anam)


def test_it_shows_the_repositorys_own_adapter(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A broken adapter in the repository is one line on stderr, and the others are still listed."""
    (tmp_path / "conformance_adapter.py").write_text("import no_such_module\n")

    assert main(["list", "--rootdir", str(tmp_path)]) == 2

    captured = capsys.readouterr()
    assert captured.out.startswith("provider ")
    assert captured.err.startswith("avatar-conformance: adapter conformance_adapter.py: importing")
    assert captured.err.count("\n") == 1


def test_a_rootdir_that_is_not_there_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong path is told as such."""
    assert main(["list", "--rootdir", "/no/such/place"]) == 2

    assert capsys.readouterr().err == (
        "avatar-conformance: --rootdir /no/such/place: there is no such directory\n"
    )


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["lst"], "No such command 'lst'"),
        (["list", "--nope"], "No such option"),
        (["diff"], "Missing argument 'OLD'"),
    ],
)
def test_what_was_typed_wrong_is_one_line(
    arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wrong commands, options and arguments end with exit code 2 and no traceback."""
    assert main(arguments) == 2

    err = capsys.readouterr().err
    assert err.startswith(f"avatar-conformance: {line}")
    assert err.count("\n") == 1


def test_help_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    """--help lists the commands."""
    assert main(["--help"]) == 0

    out = capsys.readouterr().out
    assert "list" in out
    assert "explain" in out


def test_listing_imports_no_livekit() -> None:
    """The command answers at once, and without the plugins' dependencies."""
    program = (
        "import sys; from conformance.cli import main; main(['list']); "
        "print([n for n in sys.modules if n.split('.')[0] in ('livekit', 'pytest')])"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines()[-1] == "[]"
