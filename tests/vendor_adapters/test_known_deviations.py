"""Known deviations in a run: from the adapter, from a file, in order and out of order."""

from __future__ import annotations

import json

import pytest

from tests.conftest import Repository, deviation


def test_a_known_deviation_is_an_expected_failure(repository: Repository) -> None:
    """A failure that the adapter lists is shown as expected, and the run passes."""
    repository.behave({"acme::BIND-01": "fail"})
    repository.deviates(deviation("BIND-01"))
    result = repository.run("-v", "--conformance-report", "r.json")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["acme::BIND-01 EXPECTED-FAILURE*", "deviation BIND-01: used*"])
    assert repository.outcomes()["acme::BIND-01"] == "expected-failure"


def test_no_deviations_shows_the_failures(repository: Repository) -> None:
    """With --no-deviations the same failure fails the run."""
    repository.behave({"acme::BIND-01": "fail"})
    repository.deviates(deviation("BIND-01"))
    assert repository.run("--no-deviations").ret == 1


@pytest.mark.parametrize(
    ("changes", "outcome", "message"),
    [
        ({}, "pass", "deviation BIND-01 in bundled is stale: acme::BIND-01 passes; take the"),
        ({"expires": "2020-01-01"}, "fail", "deviation BIND-01 in bundled expired on 2020-01-01"),
        ({"requirement": "BIND-99"}, "pass", "deviation BIND-99 in bundled names no requirement"),
        ({"host": "<1"}, "fail", "acme::BIND-01 failed"),
        ({"plugin": ">1.0"}, "fail", "acme::BIND-01 failed"),
    ],
)
def test_a_deviation_out_of_order_fails_the_run(
    repository: Repository, changes: dict[str, object], outcome: str, message: str
) -> None:
    """Stale, expired and unknown deviations fail; one for other versions excuses nothing."""
    repository.behave({"acme::BIND-01": outcome})
    repository.deviates(deviation("BIND-01", **changes))
    result = repository.run("--tb=no")
    assert result.ret == 1
    result.stdout.fnmatch_lines([f"not passed: *{message}*"])


def test_a_deviation_for_one_variant_leaves_the_other(repository: Repository) -> None:
    """A deviation that names a variant excuses only that one."""
    repository.behave({"SWAP-01": "fail"})
    repository.deviates(deviation("SWAP-01", variants=["close-then-start"]))
    result = repository.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "acme *: no tier; gate failed: 1 known failure by 1 deviation",
            "  swap-safe lacks SWAP-01",
        ]
    )


def test_deviations_come_from_a_file_too(repository: Repository) -> None:
    """A baseline file excuses failures of the provider that it names."""
    repository.behave({"beta::BIND-01": "fail"})
    entry = {**deviation("BIND-01"), "provider": "beta"}
    (repository.pytester.path / "known.json").write_text(json.dumps({"deviations": [entry]}))
    arguments = ("--provider", "all", "--conformance-deviations", "known.json")
    assert repository.run(*arguments).ret == 0


def test_a_deviation_of_the_other_stage_is_none_here(repository: Repository) -> None:
    """What shows on a real server alone excuses no failure in memory, and is not stale there."""
    repository.behave({"beta::BIND-01": "fail"})
    entry = {**deviation("BIND-01", stage="live"), "provider": "beta"}
    (repository.pytester.path / "known.json").write_text(json.dumps({"deviations": [entry]}))
    arguments = ("--provider", "beta", "--conformance-deviations", "known.json")
    assert repository.run(*arguments).ret == 1
    repository.behave({})
    assert repository.run(*arguments).ret == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "known.json: is empty"),
        ("[" * 100_000, "known.json: is nested deeper than 32 levels"),
        ("[]", 'it holds no list of deviations; write {"deviations": [...]}'),
        ('{"deviations": [{}]}', "is missing; add it"),
        ('{"deviations": [], "more": 1}', "field 'more' is unknown"),
        (json.dumps({"deviations": [deviation("A-01", expires="2026-02-31")]}), "give a day"),
        (json.dumps({"deviations": [deviation("A-01", host="x")]}), "give a specifier like"),
        (json.dumps({"deviations": [deviation("A-01", stage="x")]}), "'loopback', 'live'"),
        (json.dumps({"deviations": [{**deviation("A-01"), "provider": "x"}]}), "unknown provider"),
    ],
)
def test_a_wrong_baseline_is_one_line(repository: Repository, text: str, message: str) -> None:
    """A baseline file that can't be used is named with what is wrong in it."""
    (repository.pytester.path / "known.json").write_text(text)
    result = repository.run("--conformance-deviations", "known.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert message in result.stderr.str()
    assert "Traceback" not in result.stderr.str()
