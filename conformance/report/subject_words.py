"""One subject in words, as every report says it: its name, its tier, its gate, its ledger."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.results.ledger import Ledger, ledger
from conformance.results.outcomes import Outcome
from conformance.results.run import Run, SubjectRun
from conformance.results.tiers import Tier, standing
from conformance.results.verdict import first_of, passes_gate


def heading(run: Run, subject: SubjectRun) -> str:
    """The subject with its version and its tier."""
    version = f" {subject.version}" if subject.version else ""
    distribution = f" ({subject.distribution}{version})" if subject.distribution else ""
    if subject.kind == "host":
        distribution = f" (livekit-agents {run.host['livekit-agents']})"
    if subject.kind != "provider":
        return f"{subject.name}{distribution}"
    return f"{subject.name}{distribution}: {tier_in_words(run, subject)}"


def tier_in_words(run: Run, subject: SubjectRun) -> str:
    """The tier first, with what is missing for the next one; or that there is none, and why."""
    earned = standing(run, subject)
    if earned.nothing:
        return f"no tier: {earned.nothing}"
    if earned.tier is Tier.NONE:
        return f"no tier: {first_of(earned.missing)} do{_es(earned.missing)} not hold"
    above = earned.tier.next
    if above is None:
        return f"tier {earned.tier.value}"
    return f"tier {earned.tier.value}; {above.value} lacks {first_of(earned.missing)}"


def gate_in_words(run: Run, subject: SubjectRun) -> str:
    """Whether anything got worse, and how many known failures there are."""
    known = ledger(subject).counts[Outcome.EXPECTED_FAILURE]
    used = sum(use.state == "used" for use in subject.deviations)
    gate = f"gate {'passed' if passes_gate(run, subject) else 'failed'}"
    if not known:
        return gate
    failures = f"{known} known failure{'s' if known != 1 else ''}"
    return f"{gate}: {failures} by {used} deviation{'s' if used != 1 else ''}"


def _es(names: Sequence[str]) -> str:
    return "es" if len(names) == 1 else ""


def line(run: Run, subject: SubjectRun) -> str:
    """The subject in one line: tier first, gate second, then the ledger."""
    gate = f"; {gate_in_words(run, subject)}" if subject.kind == "provider" else ""
    return f"{heading(run, subject)}{gate}; {_short(ledger(subject))}"


def _short(account: Ledger) -> str:
    counts = [f"{n} {outcome.value}" for outcome, n in account.counts.items() if n]
    if account.missing:
        counts.append(f"{len(account.missing)} not run")
    return f"expected {account.expected} = {' + '.join(counts) or '0'}"
