from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from conformance.certification.deviations_file import read_baseline
from conformance.cli import main
from conformance.report.json_report import render
from conformance.results.outcomes import Outcome
from conformance.results.run import Run
from tests.certificate.certificate_sample import use, whole_run
from tests.conftest import Repository

FAILING = {"acme::SWAP-01": Outcome.FAILED, "acme::UNBIND-02": Outcome.FAILED}
FILLED = ("--reference", "https://example.test/7")


def put(tmp_path: Path, run: Run) -> Path:
    """A report in a file."""
    path = tmp_path / "r.json"
    path.write_text(render(run), "utf-8")
    return path


SOON = str(datetime.date.today() + datetime.timedelta(days=100))


def draft(report: Path, *more: str, expires: str = SOON) -> tuple[int, Path]:
    """The exit code of the command, and the file that it wrote."""
    out = report.with_name("deviations.json")
    command = ["baseline", str(report), "--out", str(out), "--owner", "acme", "--expires", expires]
    return main([*command, *more]), out


def entries(path: Path) -> list[dict[str, Any]]:
    """The deviations in a file."""
    found: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["deviations"]
    return found


def test_each_failure_becomes_a_deviation(tmp_path: Path) -> None:
    """One entry for each failed requirement, with what was observed, and the owner and the day."""
    code, out = draft(put(tmp_path, whole_run(FAILING)), *FILLED)
    assert code == 0
    assert {entry["requirement"] for entry in entries(out)} == {"SWAP-01", "UNBIND-02"}
    for entry in entries(out):
        assert entry["provider"] == "acme"
        assert entry["owner"] == "acme"
        assert entry["expires"] == SOON
        assert entry["reason"] == "expected one tail is bound; observed no tail is bound"
    assert set(read_baseline(out, ("acme",))) == {"acme"}


def test_a_reference_must_be_filled_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --reference the file says so, and a run refuses it until somebody answers."""
    code, out = draft(put(tmp_path, whole_run(FAILING)))
    assert code == 0
    assert "no reference is given for SWAP-01, UNBIND-02: a run refuses" in capsys.readouterr().err
    with pytest.raises(Exception, match="reference' is empty"):
        read_baseline(out, ("acme",))


def test_what_another_file_excused_is_kept(tmp_path: Path) -> None:
    """A used deviation of a file stays as it is; one of the adapter, or stale, does not."""
    deviations = [
        use("SWAP-02", origin="old.json", reason="agreed upon with the vendor"),
        use("SWAP-03"),
        use("SWAP-04", origin="old.json", state="stale"),
    ]
    _, out = draft(put(tmp_path, whole_run(FAILING, deviations=deviations)), *FILLED)
    kept = {entry["requirement"]: entry["reason"] for entry in entries(out)}
    assert set(kept) == {"SWAP-01", "UNBIND-02", "SWAP-02"}
    assert kept["SWAP-02"] == "agreed upon with the vendor"


def test_a_clean_run_gives_an_empty_baseline(tmp_path: Path) -> None:
    """Failures of the host are nobody's deviation."""
    _, out = draft(put(tmp_path, whole_run({"host::HOST-01": Outcome.FAILED})))
    assert entries(out) == []


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--expires", "soon"), "'soon' is no day"),
        (("--expires", "2020-01-01"), "is over"),
        (("--expires", "9999-12-31"), "more than 12 months ahead"),
        (("--owner", " "), "--owner is empty"),
        (("--reason", "short"), "too short"),
        (("--out", "none/there/x.json"), "cannot be written"),
    ],
)
def test_a_wrong_argument_is_one_line(
    tmp_path: Path, more: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2 and a line that says what is wrong."""
    assert draft(put(tmp_path, whole_run(FAILING)), *more)[0] == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert message in err


def test_a_baseline_is_not_overwritten_unasked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What somebody has filled in is not lost to a second run of the command."""
    report = put(tmp_path, whole_run(FAILING))
    assert draft(report)[0] == 0
    assert draft(report)[0] == 2
    assert "exists" in capsys.readouterr().err
    assert draft(report, "--overwrite")[0] == 0


def test_a_baseline_makes_a_failing_run_pass_until_it_is_mended(repository: Repository) -> None:
    """Drafted, filled in, used: exit code 0. Mended and still listed: stale, exit code 1."""
    repository.behave({"acme::SWAP-01[close-then-start]": "fail"})
    assert repository.run("--conformance-report", "r.json").ret == 1
    report = repository.pytester.path / "r.json"
    code, out = draft(report)
    assert code == 0
    with_it = ("--conformance-deviations", out.name)
    assert repository.run(*with_it).ret == pytest.ExitCode.USAGE_ERROR
    assert draft(report, *FILLED, "--overwrite")[0] == 0
    (entry,) = entries(out)
    assert entry["variants"] == ["close-then-start"]
    assert repository.run(*with_it).ret == 0
    repository.behave({})
    stale = repository.run(*with_it)
    assert stale.ret == 1
    stale.stdout.fnmatch_lines(["*SWAP-01*is stale*"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"expires": "2020-01-01"}, "*expired on 2020-01-01*"),
        ({"requirement": "SWAP-99"}, "*SWAP-99*names no requirement*"),
    ],
)
def test_an_expired_or_unknown_entry_fails_the_run(
    repository: Repository, changes: dict[str, str], message: str
) -> None:
    """An entry that is over, or about nothing, is a problem of the run, whatever passes."""
    repository.behave({"acme::BIND-01": "fail"})
    repository.run("--conformance-report", "r.json")
    _, out = draft(repository.pytester.path / "r.json", *FILLED)
    data = json.loads(out.read_text("utf-8"))
    data["deviations"].append({**data["deviations"][0], **changes})
    out.write_text(json.dumps(data), "utf-8")
    result = repository.run("--conformance-deviations", out.name)
    assert result.ret == 1
    result.stdout.fnmatch_lines([message])
