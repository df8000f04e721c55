"""A summary in Markdown, for the page of a CI job: the verdict and the failures first."""

from __future__ import annotations

import re
from collections.abc import Iterator

from conformance.results.ledger import ledger, partial_because
from conformance.results.outcomes import CheckResult, Level, Outcome
from conformance.results.run import Run, SubjectRun, providers
from conformance.results.tiers import Tier, lowest_tier, tier_of
from conformance.results.verdict import verdict

from .failure_text import failure_text, headline
from .subject_words import gate_in_words, tier_in_words

LIMIT = 900_000
"""Bytes at most: GitHub refuses a step summary above 1 MiB."""

_ADDRESS = re.compile(r"https://[A-Za-z0-9./?&=#%+-]{1,500}")


def render(run: Run) -> str:
    """The summary, cut at a whole block so that it stays below `LIMIT`."""
    kept: list[str] = []
    room = LIMIT - 200
    for number, block in enumerate(blocks := list(_blocks(run))):
        size = len(block.encode()) + 2
        if size > room:
            kept.append(f"_{len(blocks) - number} more blocks are left out; see the report._")
            break
        kept.append(block)
        room -= size
    return "\n\n".join(kept) + "\n"


def _blocks(run: Run) -> Iterator[str]:
    problems = verdict(run).problems
    yield f"## Avatar conformance: {_headline(run)}"
    host = f"livekit-agents {_cell(run.host['livekit-agents'])}"
    yield f"Requirements {run.revision}, {host}, Python {run.python}, kit {run.kit}."
    for reason in partial_because(run):
        yield f"**Partial, certifies nothing:** {_cell(reason)}"
    yield _table(run)
    failed = [r for r in _results(run) if r.outcome.unexpected]
    must = [r for r in failed if r.level is Level.MUST or r.outcome is Outcome.ERROR]
    should = [r for r in failed if r not in must]
    if problems:
        yield "### What stands in the way"
        for problem in problems:
            yield f"- {_cell(problem)}"
    for title, results in (("Failures", must), ("Recommended, not met", should)):
        if results:
            yield f"### {title}"
            for result in results:
                yield _details(run, result)
    expected = [r for r in _results(run) if r.outcome is Outcome.EXPECTED_FAILURE]
    if expected:
        yield "### Expected failures"
        rows = [f"| `{r.id}` | {_cell(r.reason)} | {_link(r.reference)} |" for r in expected]
        yield "\n".join(["| check | reason | reference |", "|---|---|---|", *rows])


def _headline(run: Run) -> str:
    """The lowest tier first, then the gate."""
    lowest = lowest_tier(run)
    reached = "no tier" if lowest is Tier.NONE else lowest.value
    if len(providers(run)) > 1:
        earned = sum(tier_of(run, subject) is not Tier.NONE for subject in providers(run))
        reached = f"{earned} of {len(providers(run))} providers with a tier"
    return f"{reached}; gate {'failed' if verdict(run).problems else 'passed'}"


def _results(run: Run) -> Iterator[CheckResult]:
    for subject in run.subjects:
        yield from subject.results


def _table(run: Run) -> str:
    words = [outcome.value for outcome in Outcome]
    rows = [
        f"| subject | version | tier | gate | expected | {' | '.join(words)} | not run |",
        "|" + "---|" * (len(words) + 6),
    ]
    rows += [_row(run, subject) for subject in run.subjects]
    return "\n".join(rows)


def _row(run: Run, subject: SubjectRun) -> str:
    account = ledger(subject)
    provider = subject.kind == "provider"
    reached = tier_in_words(run, subject) if provider else ""
    gate = gate_in_words(run, subject) if provider else ""
    counts = " | ".join(str(account.counts[outcome]) for outcome in Outcome)
    return (
        f"| {subject.name} | {_cell(subject.version or '')} | {reached} | {gate} "
        f"| {account.expected} | {counts} | {len(account.missing)} |"
    )


def _details(run: Run, result: CheckResult) -> str:
    text = failure_text(result, run.facts(result), run.repeat(result.id))
    fence = "```"
    while fence in text:
        fence += "`"
    summary = _html(f"{result.id}: {headline(result)}")
    head = f"<details><summary><code>{summary}</code></summary>"
    return f"{head}\n\n{fence}text\n{text}\n{fence}\n\n</details>"


def _cell(text: str) -> str:
    """Text in one row, as code: nothing in it is an image, a link, a mention, or another cell."""
    text = " ".join(text.split()).replace("|", "\N{BROKEN BAR}")
    if not text:
        return ""
    fence = "`"
    while fence in text:
        fence += "`"
    pad = " " if "`" in (text[0], text[-1]) else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _link(reference: str) -> str:
    """Where a deviation is tracked: an address that GitHub makes a link of, or text."""
    return reference if _ADDRESS.fullmatch(reference) else _cell(reference)


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
