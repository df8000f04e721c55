from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.certificate.statement import render
from conformance.cli import main
from conformance.errors import UsageError
from conformance.report.json_report import render as render_report
from conformance.results.comparison import compare
from conformance.results.outcomes import Outcome
from conformance.results.run import Run
from conformance.results.tiers import Tier
from tests.certificate.certificate_sample import certificate, whole_run

CHECK = "acme::SWAP-01"


def one(outcome: Outcome, check: str = CHECK) -> Run:
    """A run in which one check came out so."""
    return whole_run({check: outcome})


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (Outcome.PASSED, Outcome.FAILED, "regressions"),
        (Outcome.PASSED, Outcome.EXPECTED_FAILURE, "regressions"),
        (Outcome.PASSED, Outcome.ERROR, "regressions"),
        (Outcome.EXPECTED_FAILURE, Outcome.FAILED, "otherwise"),
        (Outcome.FAILED, Outcome.PASSED, "fixes"),
        (Outcome.EXPECTED_FAILURE, Outcome.PASSED, "fixes"),
        (Outcome.FAILED, Outcome.EXPECTED_FAILURE, "otherwise"),
        (Outcome.PASSED, Outcome.NOT_APPLICABLE, "regressions"),
        (Outcome.NOT_APPLICABLE, Outcome.FAILED, "otherwise"),
        (Outcome.PASSED, Outcome.BLOCKED, "regressions"),
        (Outcome.FAILED, Outcome.ERROR, "otherwise"),
        (Outcome.ERROR, Outcome.PASSED, "otherwise"),
    ],
)
def test_each_change_of_an_outcome_has_its_kind(before: Outcome, after: Outcome, kind: str) -> None:
    """Worse is a regression, better a fix, and what says nothing of the behaviour is neither."""
    comparison = compare(one(before), one(after))
    kinds = ("regressions", "fixes", "elsewhere", "otherwise", "added", "removed")
    found = {name: getattr(comparison, name) for name in kinds if getattr(comparison, name)}
    assert list(found) == [kind]
    (change,) = found[kind]
    assert (change.id, change.before, change.after) == (CHECK, before, after)


def test_errors_of_the_kit_are_noted() -> None:
    """Who reads a comparison is told that a run has checks without a verdict."""
    comparison = compare(one(Outcome.ERROR), whole_run())
    assert comparison.notes == ("OLD has 1 errors of the kit, which say nothing of the provider",)
    assert comparison.fixes == ()


def test_equal_runs_have_no_change() -> None:
    """Nothing changed is no regression."""
    comparison = compare(whole_run(), whole_run())
    assert not comparison.regressed
    assert comparison.notes == ()
    assert (comparison.regressions, comparison.fixes, comparison.added) == ((), (), ())


def test_a_host_that_is_worse_is_a_regression() -> None:
    """Nothing that is built on a host that got worse is as good as before."""
    worse = whole_run({"host::HOST-01": Outcome.FAILED}, host={"livekit-agents": "1.9"})
    comparison = compare(whole_run(), worse)
    assert [change.id for change in comparison.regressions] == ["host::HOST-01"]
    assert comparison.regressed
    assert "livekit-agents was 1.8.9 and is 1.9" in comparison.notes


def test_checks_that_come_and_go_are_listed() -> None:
    """A check of only one run is new or removed; a MUST that passed and is gone, a regression."""
    comparison = compare(
        whole_run(skipped=[CHECK]), whole_run(skipped=["acme::SWAP-02", "acme::UNBIND-02"])
    )
    assert [change.id for change in comparison.added] == [CHECK]
    assert [change.id for change in comparison.regressions] == ["acme::SWAP-02"]
    assert [change.id for change in comparison.removed] == ["acme::UNBIND-02"]
    assert [note[:23] for note in comparison.notes] == [
        "OLD is a partial run: a",
        "NEW is a partial run: a",
    ]


def test_a_lower_tier_is_a_regression_by_itself() -> None:
    """A run that has become partial lost its tier, though no check is worse."""
    should = "acme::UNBIND-02"
    comparison = compare(whole_run(), whole_run(version="1.1", skipped=[should]))
    assert comparison.regressions == ()
    assert comparison.regressed
    (step,) = comparison.tiers
    assert (step.before, step.after, step.lowered) == (Tier.ROBUST, Tier.NONE, True)
    assert step.versions == ("1.0", "1.1")


def test_what_is_not_scored_is_no_regression() -> None:
    """A requirement newer than the revision is shown apart."""
    runs = []
    for outcome in (Outcome.PASSED, Outcome.FAILED):
        run = one(outcome)
        known = {**run.requirements}
        known["SWAP-01"] = replace(known["SWAP-01"], scored=False)
        runs.append(replace(run, requirements=known))
    comparison = compare(*runs)
    assert [change.id for change in comparison.elsewhere] == [CHECK]
    assert not comparison.regressed


def test_changed_capabilities_are_listed() -> None:
    """A capability that is claimed no more is seen: its checks no longer apply."""
    comparison = compare(
        whole_run(capabilities={"pause": True, "restartable": True}),
        whole_run(capabilities={"pause": False, "restartable": True}),
    )
    (change,) = comparison.capabilities
    assert (change.capability, change.before, change.after) == ("pause", True, False)


def test_runs_of_different_providers_are_not_compared() -> None:
    """Two runs without a provider in common have nothing to say to each other."""
    with pytest.raises(UsageError, match="OLD is about acme, NEW about beta"):
        compare(whole_run(), whole_run(names=("beta",)))


def test_the_command_takes_reports_and_certificates(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A report is compared with a certificate; the exit code says whether it is worse."""
    good, bad = tmp_path / "good.intoto.jsonl", tmp_path / "bad.json"
    good.write_bytes(render(certificate(whole_run())))
    bad.write_text(render_report(one(Outcome.FAILED)), "utf-8")
    assert main(["diff", str(good), str(bad)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "tier: acme 1.0 -> 1.0: robust -> none  LOWERED",
        "regressions (1)",
        "  acme::SWAP-01  MUST    passed -> failed",
        "worse than before",
    ]
    assert main(["diff", str(bad), str(good)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "no regression"


def test_the_command_gives_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--json has everything that the table has."""
    for name, outcome in (("old", Outcome.FAILED), ("new", Outcome.PASSED)):
        (tmp_path / name).write_text(render_report(one(outcome)), "utf-8")
    assert main(["diff", str(tmp_path / "old"), str(tmp_path / "new"), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["regressed"] is False
    assert data["fixes"] == [{"id": CHECK, "level": "must", "before": "failed", "after": "passed"}]
    assert data["tiers"][0]["after"] == "robust"


@pytest.mark.parametrize("content", ["", "{}", "[[", '{"_type": "x"}', '{"subjects": 1}'])
def test_a_file_that_cannot_be_compared_is_one_line(
    tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, the file and what is wrong with it on one line of stderr."""
    path = tmp_path / "x.json"
    path.write_text(content)
    assert main(["diff", str(path), str(path)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert str(path) in captured.err
