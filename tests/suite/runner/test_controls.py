"""Known broken providers beside the plugin: a run in which one of them passes judges nobody."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.plugin.provider import Provider
from conformance.reference.broken import BROKEN, BrokenAdapter, BrokenAvatar
from conformance.results.outcomes import CheckId, CheckResult, Level, Outcome
from conformance.suite.registry import Check
from conformance.suite.runner.controls import OF_EACH, Controls
from conformance.suite.runner.subjects import Subject
from tests.suite.check_runner import check_runner, subject_of

pytestmark = pytest.mark.filterwarnings("ignore")  # what is broken leaves things open

ROOT = Path(__file__).resolve().parents[3]


def broken_subject(avatar: type[BrokenAvatar], name: str = "acme") -> Subject:
    """A broken provider with every check for it."""
    adapter = BrokenAdapter(avatar, name)
    return subject_of(Provider(adapter, label=name, origin="a test", source="file"))


def every_check(subject: Subject) -> list[CheckId]:
    """The checks of a subject."""
    return [
        CheckId(subject.name, check.requirement, variant)
        for check in subject.checks
        for variant in check.variants or (None,)
    ]


@pytest.mark.parametrize("avatar", BROKEN, ids=lambda avatar: avatar.__name__)
def test_what_is_known_to_be_broken_fails(avatar: type[BrokenAvatar]) -> None:
    """Each control fails each check at which it may be placed."""
    subject = broken_subject(avatar)
    runner = check_runner(attribution=False)
    outcomes = {
        str(result.id): result.outcome
        for check in subject.checks
        if check.requirement in avatar.seen_by
        for variant in check.variants or (None,)
        if "socket" not in (variant or "")
        for result in (runner.run(subject, check, variant),)
    }
    assert len(outcomes) >= len(avatar.seen_by)
    assert set(outcomes.values()) == {Outcome.FAILED}, outcomes


def test_nobody_knows_beforehand_where_they_stand() -> None:
    """Two choices differ; in each there are some of every broken provider."""
    checks = every_check(broken_subject(BROKEN[0]))
    choices = [Controls.among(checks).chosen for _ in range(5)]
    assert len({frozenset(chosen) for chosen in choices}) > 1
    for chosen in choices:
        placed = [sum(each is avatar for each in chosen.values()) for avatar in BROKEN]
        assert min(placed) >= 1
        assert max(placed) == OF_EACH


class Recorder:
    """A runner by which everything comes out as it says, and that keeps whom it judged."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.judged: list[Subject] = []

    def run(self, subject: Subject, check: Check, variant: str | None = None) -> CheckResult:
        """Say it."""
        self.judged.append(subject)
        check_id = CheckId(subject.name, check.requirement, variant)
        return CheckResult(check_id, Level.MUST, self.outcome)


def at_bind_02(outcome: Outcome) -> tuple[CheckResult, Recorder]:
    """What becomes of BIND-02 by such a runner, with a control beside it."""
    subject = broken_subject(BROKEN[0])
    (check,) = (c for c in subject.checks if c.requirement == "BIND-02")
    controls = Controls({CheckId("acme", "BIND-02"): BROKEN[0]})
    runner = Recorder(outcome)
    return controls.judge_around(runner, subject, check, None), runner


def test_a_runner_by_which_a_control_passes_is_an_error() -> None:
    """Whoever makes everything pass has judged nobody."""
    result, _ = at_bind_02(Outcome.PASSED)
    assert result.outcome is Outcome.ERROR
    assert result.reason == (
        "a provider that is known to fail this check (ReplacesTheChain) came out passed beside "
        "it: the run judges nobody"
    )


def test_a_runner_by_which_a_control_fails_is_believed() -> None:
    """The result is the plugin's own."""
    result, runner = at_bind_02(Outcome.FAILED)
    assert result.outcome is Outcome.FAILED
    assert not result.reason
    assert len(runner.judged) == 2


def test_a_control_has_the_name_of_the_plugin() -> None:
    """A patch that lets one name pass lets the control pass."""
    _, runner = at_bind_02(Outcome.FAILED)
    assert [subject.name for subject in runner.judged] == ["acme", "acme"]
    assert len({id(subject.provider) for subject in runner.judged}) == 2


def test_where_no_control_stands_nothing_else_is_judged() -> None:
    """A check that was not chosen is judged once."""
    subject = broken_subject(BROKEN[0])
    runner = Recorder(Outcome.PASSED)
    result = Controls({}).judge_around(runner, subject, subject.checks[0], None)
    assert result.outcome is Outcome.PASSED
    assert len(runner.judged) == 1


PATCHING = """
from conformance.plugin import hookimpl
from conformance.reference.broken import BROKEN, BrokenAdapter
from conformance.results.outcomes import Outcome
from conformance.suite.runner import runner
from conformance.suite.runner.execution import ScenarioRun
from conformance.suite.runner.verdict import Verdict

_adapter = BrokenAdapter(BROKEN[0], "acme")
avatar_provider_manifest = _adapter.avatar_provider_manifest
create_avatar = _adapter.create_avatar
vendor_backend = _adapter.vendor_backend
judge = runner.CheckRunner._judge


def patched(self, subject, check, check_id):
    if subject.name == "acme":
        return ScenarioRun(Verdict(Outcome.PASSED))
    return judge(self, subject, check, check_id)


runner.CheckRunner._judge = patched
"""


@pytest.mark.parametrize(("controls", "code"), [((), 0), (("--conformance-controls",), 1)])
def test_a_plugin_that_patches_the_runner_is_found(
    controls: tuple[str, ...], code: int, tmp_path: Path
) -> None:
    """Without controls a patched runner calls a broken plugin robust; with them it is an error."""
    (tmp_path / "conformance_adapter.py").write_text(PATCHING)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    report = tmp_path / "report.json"
    options = ["--conformance", "-q", "-p", "no:cacheprovider", f"--conformance-report={report}"]
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *controls],
        cwd=tmp_path,
        env=kept,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == code, ran.stdout
    subjects = json.loads(report.read_text("utf-8"))["subjects"]
    (acme,) = (subject for subject in subjects if subject["name"] == "acme")
    errors = [r["reason"] for r in acme["results"] if r["outcome"] == "error"]
    assert acme["tier"] == ("none" if controls else "robust")
    assert bool(errors) is bool(controls)
    assert all("the run judges nobody" in reason for reason in errors)
