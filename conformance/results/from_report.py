"""A JSON report as the run that it was made from."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from .ledger import ledger, partial_because
from .outcomes import CheckId, CheckResult, Level
from .run import DeviationUse, RequirementFacts, Run, Selection, SubjectRun, Timing, level_for
from .serialization import result_from_json
from .tiers import tier_of


class Contradiction(ValueError):
    """A report whose parts do not fit each other: it was edited, or written by something else."""


def run_of_report(data: Mapping[str, Any]) -> Run:
    """The run that a report is about, given data that ``schemas/report.schema.json`` accepts.

    What a report says of itself (ledger, tier) is counted again from its results;
    `Contradiction` says where it differs.
    """
    selection = data["selection"]
    run = Run(
        kit=data["kit"],
        revision=data["revision"],
        python=data["python"],
        host=data["host"],
        stage=data["stage"],
        seed=data["seed"],
        selection=Selection(
            tuple(selection["providers"]),
            tuple(selection["requirements"]),
            Level(selection["level"]) if selection["level"] else None,
            tuple(selection["checks"]),
            selection["without_deviations"],
            selection.get("exchange", "plain"),
        ),
        requirements=_requirements(data["requirements"]),
        subjects=tuple(_subject(subject) for subject in data["subjects"]),
        gaps=tuple(data["why_partial"]),
        required_tier=data["verdict"]["required_tier"],
        timing=Timing(
            data["timing"]["started"], data["timing"]["finished"], data["timing"]["checks"]
        ),
    )
    _check(run, data)
    return run


def deviation_of(data: Mapping[str, Any]) -> DeviationUse:
    """A deviation as a report lists it; raises `Contradiction` for a day that is none."""
    values = dict(data)
    try:
        datetime.date.fromisoformat(values["expires"])
    except ValueError:
        raise Contradiction(f"has a deviation that expires on {values['expires']}") from None
    values["variants"] = tuple(values["variants"])
    values["passing"] = tuple(values["passing"])
    return DeviationUse(**values)


def check_id(text: str) -> CheckId:
    """The id again that was written as ``anam::SWAP-02[close-then-start]``."""
    provider, _, rest = text.partition("::")
    requirement, bracket, variant = rest.partition("[")
    return CheckId(provider, requirement, variant[:-1] if bracket else None)


def check_results(run: Run) -> None:
    """Raise `Contradiction` when results and requirements of a run do not belong together."""
    names = [subject.name for subject in run.subjects]
    if len(set(names)) < len(names):
        raise Contradiction("lists a subject twice")
    for subject in run.subjects:
        expected_kind = subject.name if subject.name in ("host", "endpoint") else "provider"
        if subject.kind != expected_kind:
            raise Contradiction(f"calls {subject.name} a {subject.kind}")
        if len(set(subject.expected)) < len(subject.expected):
            raise Contradiction(f"lists a check of {subject.name} twice")
        for result in subject.results:
            _check_result(run, subject, result)


def _check_result(run: Run, subject: SubjectRun, result: CheckResult) -> None:
    facts = run.requirements.get(result.id.requirement)
    if result.id.provider != subject.name:
        raise Contradiction(f"lists {result.id} under {subject.name}")
    if facts is None:
        raise Contradiction(f"lists {result.id}, of no requirement that it knows")
    if level_for(facts, subject.manifest) is not result.level:
        raise Contradiction(f"says that {result.id} is a {result.level.name}")


def _requirements(entries: list[Mapping[str, Any]]) -> Mapping[str, RequirementFacts]:
    return {
        entry["id"]: RequirementFacts(**{**entry, "level": Level(entry["level"])})
        for entry in entries
    }


def _subject(data: Mapping[str, Any]) -> SubjectRun:
    results = tuple(result_from_json(result) for result in data["results"])
    missing = (check_id(text) for text in data["ledger"]["missing"])
    return SubjectRun(
        name=data["name"],
        kind=data["kind"],
        expected=(*(result.id for result in results), *missing),
        results=results,
        origin=data["origin"],
        distribution=data["distribution"],
        version=data["version"],
        manifest=data["manifest"],
        deviations=tuple(deviation_of(use) for use in data["deviations"]),
    )


def _check(run: Run, data: Mapping[str, Any]) -> None:
    for subject in data["subjects"]:
        for result in subject["results"]:
            if str(check_id(result["id"])) != _written(result):
                raise Contradiction(f"calls a check {result['id']} and {_written(result)}")
    check_results(run)
    if data["partial"] != bool(partial_because(run)):
        raise Contradiction("calls itself partial and gives no reason, or the other way round")
    if data["selection"]["whole"] != run.selection.whole:
        raise Contradiction("calls a part of the requirements the whole, or the other way round")
    for subject, said in zip(run.subjects, data["subjects"], strict=True):
        account = ledger(subject)
        counted = {outcome.value: count for outcome, count in account.counts.items()}
        if any(said["ledger"][outcome] != count for outcome, count in counted.items()):
            raise Contradiction(f"has a ledger of {subject.name} that its results do not add up to")
        if said["ledger"]["expected"] != account.expected:
            raise Contradiction(
                f"expects {said['ledger']['expected']} checks of {subject.name} "
                f"and accounts for {account.expected}"
            )
        reached = tier_of(run, subject).value
        if said["tier"] is not None and said["tier"] != reached:
            raise Contradiction(
                f"says that {subject.name} reached {said['tier']}; its results make that {reached}"
            )


def _written(result: Mapping[str, Any]) -> str:
    return str(CheckId(result["provider"], result["requirement"], result["variant"]))
