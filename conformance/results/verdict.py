"""The gate: whether nothing got worse, and in one line each what stands in its way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .ledger import holds, ledger
from .outcomes import CheckResult, Level, Outcome
from .run import DeviationUse, Run, SubjectRun, providers
from .tiers import TIERS, Tier, standing


@dataclass(frozen=True)
class Verdict:
    """``problems`` are what makes the run fail, one line each; none when it passes.

    ``failures`` are those of them that are a failed check, or an error of one. ``host_defects``
    are what livekit-agents itself does not do: said once, held against nobody.
    """

    problems: tuple[str, ...]
    host_defects: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()

    @property
    def beside_failures(self) -> tuple[str, ...]:
        """The problems that are neither a failed check nor an error of one."""
        return tuple(problem for problem in self.problems if problem not in self.failures)

    @property
    def exit_code(self) -> int:
        """The exit code that pytest gets: 0 or 1."""
        return 1 if self.problems else 0


def verdict(run: Run) -> Verdict:
    """Judge a run: passed while nothing but unexpired deviations fails, and no error is left.

    With a required tier, every provider must have earned it as well.
    """
    problems: list[str] = []
    host_defects: list[str] = []
    failures: list[str] = []
    for subject in run.subjects:
        for result in subject.results:
            if result.outcome is Outcome.EXPECTED_FAILURE and subject.kind == "host":
                host_defects.append(f"{result.id}: {_first_line(result.reason)}")
            if _fails_the_run(run, result):
                failures.append(_as_failure(result))
            elif result.outcome is Outcome.ERROR and run.facts(result).scored:
                failures.append(_as_error(result))
        problems.extend(_of_results(run, subject))
        problems.extend(_of_the_ledger(run, subject))
        problems.extend(
            f"{subject.name}: {line}" for line in map(_of_deviation, subject.deviations) if line
        )
    if run.required_tier is not None:
        problems.extend(_of_the_tier(run, Tier(run.required_tier)))
    return Verdict(tuple(problems), tuple(host_defects), tuple(failures))


def passes_gate(run: Run, subject: SubjectRun) -> bool:
    """Whether nothing of ``subject`` stands in the way of a pass, tiers aside."""
    problems = (
        *_of_results(run, subject),
        *_of_the_ledger(run, subject),
        *(line for line in map(_of_deviation, subject.deviations) if line),
    )
    return not problems


def _of_the_tier(run: Run, required: Tier) -> Iterator[str]:
    for subject in providers(run):
        earned = standing(run, subject)
        if TIERS.index(earned.tier) < TIERS.index(required):
            why = earned.nothing or f"lacks {first_of(earned.missing)}"
            reached = "no tier" if earned.tier is Tier.NONE else f"tier {earned.tier.value}"
            yield f"{subject.name}: {reached}, {required.value} is required: it {why}"


def first_of(names: Sequence[str], most: int = 3) -> str:
    """The first of some requirements, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _of_results(run: Run, subject: SubjectRun) -> Iterator[str]:
    blocked: dict[str, list[CheckResult]] = {}
    for result in subject.results:
        if not run.facts(result).scored:
            continue
        if result.outcome is Outcome.ERROR:
            yield _as_error(result)
        elif result.outcome is Outcome.BLOCKED and not holds(subject, result):
            blocked.setdefault(str(result.blocked_by), []).append(result)
        elif _fails_the_run(run, result):
            yield _as_failure(result)
    for name, results in blocked.items():
        more = f" and {len(results) - 1} more are" if len(results) > 1 else " is"
        yield f"{results[0].id}{more} blocked by {name}"


def _fails_the_run(run: Run, result: CheckResult) -> bool:
    failed = result.outcome is Outcome.FAILED and result.level is Level.MUST
    return failed and run.facts(result).scored


def _as_failure(result: CheckResult) -> str:
    return f"{result.id} failed: {_first_line(_observed(result))}"


def _as_error(result: CheckResult) -> str:
    return f"{result.id} is an error, no verdict: {_first_line(result.reason)}"


def _of_the_ledger(run: Run, subject: SubjectRun) -> Iterator[str]:
    must = [
        check_id
        for check_id in ledger(subject).missing
        if run.requirements[check_id.requirement].level is Level.MUST
        and run.requirements[check_id.requirement].scored
    ]
    if must:
        yield f"{subject.name}: {len(must)} checks of a MUST did not run, {must[0]} first"


def _of_deviation(use: DeviationUse) -> str:
    what = f"deviation {use.requirement}" + (f"[{','.join(use.variants)}]" if use.variants else "")
    if use.state == "stale":
        passing = ", ".join(use.passing)
        return f"{what} in {use.origin} is stale: {passing} passes; take the deviation out"
    if use.state == "expired":
        return f"{what} in {use.origin} expired on {use.expires}; mend it or agree on a new date"
    if use.state == "unknown":
        return f"{what} in {use.origin} names no requirement of the catalogue"
    return ""


def _observed(result: CheckResult) -> str:
    return result.finding.observed if result.finding else result.reason


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else "no reason given"
