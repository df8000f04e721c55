"""The machine formats, each against what its consumers have published."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from conformance.report import badge, markdown
from conformance.report.annotations import render as annotate
from conformance.results.outcomes import Finding, Outcome
from conformance.results.run import Selection
from tests.conftest import Repository
from tests.results.sample_run import CHECKS, acme, result, run, subject

TEXT = {"type": "string"}
COLOURS = ["brightgreen", "green", "yellowgreen", "yellow", "orange", "red", "lightgrey", "blue"]
# From the table of https://shields.io/badges/endpoint-badge.
BADGE = {
    "type": "object",
    "required": ["schemaVersion", "label", "message"],
    "additionalProperties": False,
    "properties": {
        "schemaVersion": {"const": 1},
        "label": TEXT,
        "message": {"type": "string", "minLength": 1},
        "color": {"enum": COLOURS},
        "isError": {"type": "boolean"},
    },
}
MIXED = dict(zip(CHECKS, list(Outcome)[1:5], strict=True))


def check(data: Any, wanted: dict[str, Any]) -> None:
    """Raise when ``data`` is not as ``wanted`` says."""
    Draft202012Validator(wanted, format_checker=FormatChecker()).validate(data)


@pytest.mark.parametrize(
    ("certified", "message", "colour"),
    [
        (acme(), "robust (2026.1)", "brightgreen"),
        (acme({"UNBIND-05": Outcome.FAILED}), "fault-safe (2026.1)", "green"),
        (acme({"BIND-01": Outcome.FAILED}), "no tier (2026.1)", "red"),
        (acme(gaps=("interrupted",)), "partial run (2026.1)", "red"),
        (acme(selection=Selection(requirements=("X",))), "partial selection (2026.1)", "red"),
        (run(*acme().subjects, *acme().subjects), "2 of 2 with a tier (2026.1)", "brightgreen"),
        (run(), "no tier (2026.1)", "red"),
    ],
)
def test_the_badge_shows_the_lowest_tier(certified: Any, message: str, colour: str) -> None:
    """A badge is as shields.io wants it, and never better than the worst provider."""
    shown = json.loads(badge.render(certified))
    check(shown, BADGE)
    assert (shown["message"], shown["color"]) == (message, colour)


def test_markdown_says_the_failures_first() -> None:
    """The verdict, the table, the failures, then what is expected."""
    text = markdown.render(acme(MIXED))
    order = [
        "no tier; gate failed",
        "| acme |",
        "### What stands",
        "### Failures",
        "### Expected failures",
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)


def test_markdown_stays_below_its_limit() -> None:
    """However much failed, the summary is cut at a whole block and says so."""
    long = Finding("x" * 2000, "y" * 2000)
    failed = [result(f"SWAP-01[{i}]", Outcome.FAILED, finding=long) for i in range(400)]
    text = markdown.render(run(subject(failed, expected=[f"SWAP-01[{i}]" for i in range(400)])))
    assert 800_000 < len(text.encode()) < markdown.LIMIT
    assert re.search(r"_\d+ more blocks are left out; see the report\._\n$", text)
    assert text.count("<details>") == text.count("</details>")


def test_markdown_shows_text_as_text() -> None:
    """What a vendor's exception says breaks neither a table nor the page."""
    finding = Finding("a | b", "<script>alert(1)</script> | ``` \n```")
    text = markdown.render(acme_with(finding))
    outside = re.sub(r"(?s)````text.*?````\n", "", text)
    assert "<script>" not in re.sub(r"(`+)[^`].*?[^`]\1(?!`)", "", outside)
    assert "&lt;script&gt;" in outside


def acme_with(finding: Finding) -> Any:
    """A run in which BIND-01 failed like that."""
    rest = [result(name) for name in CHECKS[1:]]
    return run(subject([result("BIND-01", Outcome.FAILED, finding=finding), *rest]))


def test_annotations_are_workflow_commands() -> None:
    """Each line is one command; newlines and separators are escaped as GitHub documents it."""
    lines = list(annotate(acme_with(Finding("50 %", "one\ntwo"))))
    assert lines[0].startswith("::error title=acme%3A%3ABIND-01 failed::start() binds")
    assert "expected 50 %25; observed one%0Atwo%0A" in lines[0]
    assert all(re.fullmatch(r"::(error|warning) title=[^:,\n]+::[^\n]+", line) for line in lines)


def test_annotations_are_few() -> None:
    """GitHub shows ten of a kind: what is over is counted."""
    failed = [result(f"SWAP-01[{i}]", Outcome.FAILED) for i in range(30)]
    lines = list(annotate(run(subject(failed, expected=[f"SWAP-01[{i}]" for i in range(30)]))))
    assert len(lines) == 10
    assert lines[-1].endswith("and 21 more, see the report")


def test_a_failed_should_is_a_warning() -> None:
    """What does not fail the run is no error of the job."""
    (line,) = annotate(acme({"UNBIND-05": Outcome.FAILED}))
    assert line.startswith("::warning ")


def test_pytest_prints_annotations_when_asked(repository: Repository) -> None:
    """--conformance-annotations writes them where a workflow reads them."""
    repository.behave({"acme::BIND-01": "fail"})
    assert "::error" not in repository.run().stdout.str()
    repository.run("--conformance-annotations").stdout.fnmatch_lines(["::error title=acme*"])


def test_the_step_summary_is_appended(repository: Repository) -> None:
    """--conformance-step-summary adds to what the job has written so far."""
    path = repository.pytester.path / "summary.md"
    path.write_text("before\n")
    repository.monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    assert repository.run("--conformance-step-summary").ret == 0
    text = path.read_text()
    assert text.startswith("before\n## Avatar conformance: robust; gate passed")


def test_a_step_summary_without_github_is_said(repository: Repository) -> None:
    """Outside of GitHub Actions the option is a mistake, not a silent nothing."""
    result = repository.run("--conformance-step-summary")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["report: GITHUB_STEP_SUMMARY is not set*"])


def test_junit_has_the_properties(repository: Repository) -> None:
    """pytest's own --junitxml tells requirement, level, capability, revision and outcome."""
    repository.behave({"acme::BIND-01": "fail", "acme::UNBIND-05": "fail"})
    repository.run("--junitxml", "j.xml")
    cases = {
        (case.get("classname"), case.get("name")): case
        for case in ElementTree.parse(repository.pytester.path / "j.xml").iter("testcase")
    }
    bind = cases["acme", "BIND-01"]
    properties = {p.get("name"): p.get("value") for p in bind.iter("property")}
    assert properties == {
        "provider": "acme",
        "requirement": "BIND-01",
        "level": "must",
        "capability": "",
        "revision": "2026.1",
        "outcome": "failed",
    }
    assert bind.find("failure") is not None
    should = cases["acme", "UNBIND-05"]
    assert should.find("failure") is None
    assert should.find("skipped") is not None


def test_a_ctrf_report_comes_from_the_plugin_for_it(repository: Repository) -> None:
    """pytest-json-ctrf writes our run with one test for each check, and its status."""
    repository.behave({"acme::BIND-01": "fail", "acme::UNBIND-05": "not-applicable"})
    repository.run("--ctrf", "c.json", "--provider", "acme")
    results = json.loads((repository.pytester.path / "c.json").read_text())["results"]
    statuses = {test["name"].rpartition("acme::")[2]: test["status"] for test in results["tests"]}
    assert statuses["BIND-01"] == "failed"
    assert statuses["UNBIND-05"] == "skipped"
    assert statuses["SWAP-01[close-then-start]"] == "passed"
    assert results["summary"]["tests"] == len(statuses) == len(results["tests"])


def test_every_format_at_once(repository: Repository) -> None:
    """One run writes all files that are asked for."""
    names = {"report": "r.json", "badge": "b.json", "markdown": "m.md"}
    arguments = [part for k, v in names.items() for part in (f"--conformance-{k}", v)]
    assert repository.run(*arguments).ret == 0
    path = repository.pytester.path
    check(json.loads((path / "b.json").read_text()), BADGE)
    assert (path / "m.md").read_text().startswith("## Avatar conformance: robust; gate passed")
