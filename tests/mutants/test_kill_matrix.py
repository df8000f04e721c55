from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.results.outcomes import Outcome
from conformance.suite import registry
from conformance.suite.registry import Check
from tests.mutants.__main__ import main
from tests.mutants.judging import Verdict, complaints, killed
from tests.mutants.matrix import Matrix, Row, aimed_at, run
from tests.mutants.mutant import Kill
from tests.mutants.order import differences, outcomes
from tests.mutants.table import coupled, table

KILL = Kill("SWAP-01", "nothing after it")
FAILED = Verdict("SWAP-01", "idle", Outcome.FAILED, "expected nothing after it; observed some")

pytestmark = pytest.mark.filterwarnings("ignore")  # as in test_kill_mutants


def test_a_mutant_that_survives_is_named() -> None:
    """The intended check must fail."""
    passed = replace(FAILED, outcome=Outcome.PASSED, says="")
    (line,) = complaints("deaf", [KILL], [passed])
    assert line == "deaf: SWAP-01 was to fail, and did not: passed"


def test_a_check_that_breaks_kills_nothing() -> None:
    """An error of the kit is no verdict."""
    (line,) = complaints("deaf", [KILL], [replace(FAILED, outcome=Outcome.ERROR)])
    assert line == "deaf: SWAP-01 was to fail, and did not: error"


def test_failing_for_another_reason_is_named() -> None:
    """The check must say what the mutant states."""
    (line,) = complaints("deaf", [KILL], [replace(FAILED, says="expected peace")])
    assert line.startswith("deaf: SWAP-01 fails for another reason than 'nothing after it'")


def test_a_change_that_did_not_run_is_named() -> None:
    """A mutant whose code was not reached is not what failed."""
    (line,) = complaints("deaf", [KILL], [replace(FAILED, missing=("flush",))])
    assert line == "deaf: the change took no effect in SWAP-01: flush did not run"


def test_a_mutant_that_is_killed_as_stated_is_not_named() -> None:
    """There is nothing to complain of, and the check counts as one that can fail."""
    assert list(complaints("deaf", [KILL], [FAILED])) == []
    assert killed([KILL], [FAILED]) == {"SWAP-01[idle]"}


def test_a_sound_provider_that_fails_is_named() -> None:
    """A check that fails what is sound is wrong itself."""
    (line,) = Row("sound", (), "", (FAILED,), sound=True).problems()
    assert line.startswith("sound: SWAP-01[idle] failed a sound provider")


def test_a_variant_that_nobody_is_killed_by_is_named() -> None:
    """Each variant needs a mutant of its own, or shares one."""
    other = Verdict("SWAP-01", "busy", Outcome.PASSED)
    matrix = Matrix((Row("deaf", (KILL,), "", (FAILED, other)),))
    assert matrix.problems() == ("no mutant is killed by SWAP-01[busy]: can it fail?",)
    assert matrix.kills() == {"SWAP-01": ["deaf"]}


def test_coupled_checks_are_listed() -> None:
    """A check that fails a mutant which is made for another one is seen."""
    other = Verdict("SWAP-11", None, Outcome.FAILED, "expected more")
    matrix = Matrix((Row("deaf", (KILL,), "", (FAILED, other)),))
    assert "deaf: SWAP-11" in coupled(matrix)
    assert "deaf  Xx" in table(matrix)


def empty(monkeypatch: pytest.MonkeyPatch, requirement: str) -> None:
    """Take the assertions out of a check."""

    async def assert_nothing(scene: Any, variant: str | None = None) -> None:
        return

    def emptied(check: Check) -> Check:
        return (
            replace(check, function=assert_nothing) if check.requirement == requirement else check
        )

    from conformance.suite.checks import load

    load()
    monkeypatch.setattr(registry, "_CHECKS", [emptied(check) for check in registry._CHECKS])


@pytest.mark.parametrize("requirement", ["SWAP-02", "UNBIND-07", "HOST-12"])
def test_an_emptied_check_is_named(requirement: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the assertions of a check are taken out, the run complains of that check."""
    aimed = aimed_at(requirement)
    assert run(aimed, only=[requirement]).problems() == ()
    empty(monkeypatch, requirement)
    problems = run(aimed, only=[requirement]).problems()
    assert any(line.startswith(f"no mutant is killed by {requirement}") for line in problems)


def test_the_run_ends_in_failure_when_a_check_is_empty(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command says which check cannot fail, and exits with 1; the matrix is written."""
    empty(monkeypatch, "UNBIND-09")
    file = tmp_path / "matrix.json"
    arguments = ["--mutant", "removes-the-agent", "--check", "UNBIND-09", "--processes", "1"]
    assert main([*arguments, "--json", str(file)]) == 1
    assert "UNBIND-09 was to fail, and did not" in capsys.readouterr().err
    assert json.loads(file.read_text("utf-8"))["problems"]


def test_the_run_ends_well_when_a_check_bites(capsys: pytest.CaptureFixture[str]) -> None:
    """The same command with the check as it is finds nothing wrong."""
    arguments = ["--mutant", "removes-the-agent", "--check", "UNBIND-09", "--processes", "1"]
    assert main(arguments) == 0
    assert "0 wrong" in capsys.readouterr().out


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", ["sound", "anam", "liveavatar"])
def test_the_order_of_ready_tasks_decides_nothing(name: str, seed: int) -> None:
    """Shuffling what is ready at the same moment changes no verdict."""
    only = frozenset({"SWAP-02", "SWAP-08", "UNBIND-08"})
    assert list(differences(name, seed, outcomes(name, None, only), only)) == []
