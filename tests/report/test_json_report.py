from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from conformance.certification.options import Options
from conformance.certification.write_reports import Delivery
from conformance.report import json_report
from conformance.report.files import SecretInReport, refuse_secrets, write_text
from conformance.resources import schema
from conformance.results.outcomes import Outcome
from conformance.results.run import Timing
from conformance.results.serialization import result_from_json, result_to_json
from tests.conftest import Repository
from tests.results.sample_run import CHECKS, acme, result, run, subject

CANARY = "canary-acme-key-0123456789abcdef"  # the one of fake_kit
EVERY_OUTCOME = dict(zip(CHECKS, list(Outcome)[1:], strict=False))


def problems(report: Any) -> list[str]:
    """What the report schema says against a report."""
    return [error.message for error in Draft202012Validator(schema("report")).iter_errors(report)]


def test_the_schema_is_a_schema() -> None:
    """schemas/report.schema.json is itself valid."""
    Draft202012Validator.check_schema(schema("report"))


def test_a_report_fits_its_schema(repository: Repository) -> None:
    """What a real run writes is what the schema describes, whatever the outcomes."""
    repository.behave({"acme::BIND-01": "fail", "UNBIND-05": "error", "SEC-09": "not-applicable"})
    repository.run("--provider", "all", "--conformance-report", "r.json")
    assert problems(repository.report()) == []
    assert problems(json_report.to_json(acme(EVERY_OUTCOME))) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"complete": False}, "True was expected"),
        ({"extra": 1}, "Additional properties are not allowed"),
        ({"revision": "first"}, "does not match"),
        ({"format": 2}, "1 was expected"),
    ],
)
def test_the_schema_is_strict(change: dict[str, Any], message: str) -> None:
    """A report that differs in anything is refused."""
    report = {**json_report.to_json(acme()), **change}
    assert message in problems(report)[0]


@pytest.mark.parametrize("key", list(json_report.to_json(acme())))
def test_every_part_of_a_report_is_needed(key: str) -> None:
    """A report that lacks any of its parts is refused."""
    report = json_report.to_json(acme())
    del report[key]
    assert problems(report) == [f"{key!r} is a required property"]


def test_complete_is_written_last() -> None:
    """A report that was cut off has no footer, wherever it was cut."""
    text = json_report.render(acme(EVERY_OUTCOME))
    assert text.endswith('"complete": true\n}\n')
    assert text.count('"complete"') == 1


def test_equal_runs_differ_only_in_timing() -> None:
    """Wall-clock times are under one key and nowhere else."""
    one = json_report.to_json(acme(EVERY_OUTCOME))
    other = json_report.to_json(acme(EVERY_OUTCOME, timing=Timing("a", "b", {"x": 1.0})))
    assert {key for key in one if one[key] != other[key]} == {"timing"}


def test_the_ledger_of_the_report_adds_up() -> None:
    """For each subject expected is the sum of the outcomes and of what is missing."""
    partial = run(subject([result("BIND-01"), result("UNBIND-05", Outcome.FAILED)]))
    report = json_report.to_json(partial)
    account = report["subjects"][0]["ledger"]
    assert account["expected"] == sum(account[o.value] for o in Outcome) + len(account["missing"])
    assert (report["partial"], account["closed"]) == (True, False)


def test_only_what_did_not_pass_has_a_timeline() -> None:
    """Events are written for every result but a pass."""
    (acme_json,) = json_report.to_json(acme(EVERY_OUTCOME))["subjects"]
    assert all(entry["events"] for entry in acme_json["results"])
    (acme_json,) = json_report.to_json(acme())["subjects"]
    assert not any(entry["events"] for entry in acme_json["results"])


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_result_survives_the_way_between_processes(outcome: Outcome) -> None:
    """What a worker sends is what the controller reads."""
    sent = result("SWAP-01[a]", outcome)
    assert result_from_json(json.loads(json.dumps(result_to_json(sent)))) == sent


def test_a_secret_is_never_written(repository: Repository) -> None:
    """A canary in the text makes the report fail instead of leaking it, and the run with it."""
    repository.behave({"acme::UNBIND-05": f"fail:the log says {CANARY}"})
    result = repository.run("--conformance-report", "r.json", "--tb=no", "-q")
    assert result.ret == 1
    assert not (repository.pytester.path / "r.json").exists()
    result.stdout.fnmatch_lines(["report: r.json not written: it would contain a credential*"])
    assert CANARY not in "".join(line for line in result.outlines if line.startswith("report:"))


def test_the_message_about_a_secret_does_not_tell_it() -> None:
    """Neither the secret nor another one beside it is in the message."""
    with pytest.raises(SecretInReport) as caught:
        refuse_secrets("key=alpha token=omega", ["omega", "alpha"], what="r.json")
    assert "alpha" not in str(caught.value)
    assert "omega" not in str(caught.value)


def test_writing_replaces_at_once(tmp_path: Path) -> None:
    """A report takes the place of the one before, and leaves no other file."""
    path = tmp_path / "r.json"
    path.write_text("old")
    write_text(path, "new ü\n")
    assert path.read_bytes() == "new ü\n".encode()
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the disk is full the file stays as it was, and nothing half-written is left."""

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "r.json"
    path.write_text("old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    """A path that turns out to be unusable is one line, and the other reports are written."""
    (tmp_path / "dir").mkdir()
    options = Options(tmp_path, report=tmp_path / "dir", badge=tmp_path / "b.json")
    (trouble,) = Delivery(options).write(acme())
    assert trouble.startswith(f"{tmp_path / 'dir'}: cannot be written:")
    assert (tmp_path / "b.json").is_file()
