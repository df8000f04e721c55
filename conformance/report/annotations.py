"""Workflow commands of GitHub Actions: what failed, beside the code where GitHub can show it."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.results.ledger import holds, partial_because
from conformance.results.outcomes import Level, Outcome
from conformance.results.run import Run
from conformance.results.verdict import verdict

AT_MOST = 10
"""GitHub shows at most ten annotations of a kind for a step."""


def render(run: Run) -> Iterator[str]:
    """The commands, errors first; what is left out is counted in the last of its kind."""
    errors: list[tuple[str, str]] = []
    warnings: list[tuple[str, str]] = []
    covered: set[str] = set()
    for subject in run.subjects:
        for result in subject.results:
            facts = run.facts(result)
            if holds(subject, result):
                continue
            finding = result.finding
            what = (
                f"expected {finding.expected}; observed {finding.observed}"
                if finding
                else result.reason
            )
            text = f"{facts.text}\n{what}\nrepeat: {run.repeat(result.id)}"
            counts = facts.scored and (
                result.level is Level.MUST or result.outcome is Outcome.ERROR
            )
            (errors if counts else warnings).append((f"{result.id} {result.outcome.value}", text))
            covered.add(str(result.id))
    for problem in verdict(run).problems:
        if problem.split(" ")[0] not in covered:
            errors.append(("conformance", problem))
    warnings += [("partial run", reason) for reason in partial_because(run)]
    yield from _commands("error", errors)
    yield from _commands("warning", warnings)


def _commands(kind: str, found: list[tuple[str, str]]) -> Iterator[str]:
    shown = found if len(found) <= AT_MOST else found[: AT_MOST - 1]
    for title, text in shown:
        yield f"::{kind} title={_property(title)}::{_data(text)}"
    if len(shown) < len(found):
        yield f"::{kind} title=conformance::and {len(found) - len(shown)} more, see the report"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
