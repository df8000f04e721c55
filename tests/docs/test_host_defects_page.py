"""docs/host-defects.md is made by the command."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.cli import main

PAGE = Path(__file__).resolve().parents[2] / "docs/host-defects.md"


@pytest.mark.needs("livekit-agents==1.8.9")
def test_the_page_is_what_the_command_writes(capsys: pytest.CaptureFixture[str]) -> None:
    """`avatar-conformance host --markdown > docs/host-defects.md` mends a failure of this."""
    assert main(["host", "--markdown"]) == 0
    assert capsys.readouterr().out == PAGE.read_text("utf-8")


def test_one_defect_is_shown_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    """Its symptom, script, workaround and mend."""
    assert main(["host", "hd-05"]) == 0
    shown = capsys.readouterr().out
    for words in ("waits for the room's API", "asyncio.run(", "workaround:", "+++ b/livekit/"):
        assert words in shown


def test_an_unknown_defect_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong id is refused with those that there are."""
    assert main(["host", "HD-99"]) == 2
    assert "there is no host defect 'HD-99'" in capsys.readouterr().err
