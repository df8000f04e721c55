"""A certificate as an in-toto Statement v1 with a test-result v0.1 predicate, and back."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping
from typing import Any

from conformance.report.json_report import deviation_to_json
from conformance.results.from_report import Contradiction, check_id, check_results, deviation_of
from conformance.results.ledger import ledger
from conformance.results.outcomes import CheckResult, Level, Outcome, blocker_from_text
from conformance.results.run import RequirementFacts, Run, Selection, SubjectRun, level_for
from conformance.results.tiers import Tier

from .digests import lines_digest
from .model import Adapter, Certificate, CheckLists, check_lists, result_word

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"
EXTENSION = "avatarConformance"
"""The predicate's field with the evidence that is ours; in-toto allows such extensions."""

FORMAT = 1
_TIME = "%Y-%m-%dT%H:%M:%SZ"


def to_statement(certificate: Certificate) -> dict[str, Any]:
    """The statement as JSON values."""
    lists = check_lists(certificate.run)
    predicate: dict[str, Any] = {
        "result": result_word(certificate.tier),
        "configuration": list(_configuration(certificate)),
        "passedTests": list(lists.passed),
        "warnedTests": list(lists.warned),
        "failedTests": list(lists.failed),
        EXTENSION: _evidence(certificate),
    }
    if certificate.url:
        predicate["url"] = certificate.url
    return {
        "_type": STATEMENT,
        "subject": [{"name": certificate.wheel, "digest": {"sha256": certificate.sha256}}],
        "predicateType": PREDICATE,
        "predicate": predicate,
    }


def render(certificate: Certificate) -> bytes:
    """The statement as one line of JSON, without the end of the line."""
    statement = to_statement(certificate)
    text = json.dumps(statement, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8")


def from_statement(data: Mapping[str, Any]) -> Certificate:
    """The certificate, given data that ``schemas/certificate.schema.json`` accepts.

    Raises `Contradiction` where the parts of the predicate do not fit each other.
    """
    evidence = data["predicate"][EXTENSION]
    subject = data["subject"][0]
    run = _run(evidence)
    certificate = Certificate(
        wheel=subject["name"],
        sha256=subject["digest"]["sha256"],
        distribution=evidence["distribution"],
        version=evidence["version"],
        issued=_moment(evidence["issued"]),
        expires=_moment(evidence["expires"]),
        tier=Tier(evidence["tier"]),
        run=run,
        revision_digest=evidence["revision"]["digest"]["sha256"],
        suite_digest=evidence["kit"]["digest"]["sha256"],
        kit_source=evidence["kit"]["source"],
        adapters=tuple(
            Adapter(entry["provider"], entry["origin"], entry["digest"]["sha256"])
            for entry in evidence["adapters"]
        ),
        url=data["predicate"].get("url", ""),
    )
    _check(certificate, data["predicate"])
    return certificate


def ledger_problem(data: Mapping[str, Any]) -> str | None:
    """Why the ledger that the evidence states does not close, or None when it does."""
    for subject in data["predicate"][EXTENSION]["subjects"]:
        said = subject["ledger"]
        counts = dict.fromkeys((outcome.value for outcome in Outcome), 0)
        for outcome in subject["results"].values():
            counts[outcome] += 1
        for outcome, count in counts.items():
            if said[outcome] != count:
                return f"{subject['name']}: {said[outcome]} {outcome} stated, {count} listed"
        if said["expected"] != sum(counts.values()):
            return (
                f"{subject['name']}: {said['expected']} checks expected, "
                f"{sum(counts.values())} accounted for"
            )
    return None


def _configuration(certificate: Certificate) -> Iterator[dict[str, Any]]:
    run = certificate.run
    yield {
        "name": "requirements",
        "uri": f"urn:avatar-conformance:requirements:{run.revision}",
        "digest": {"sha256": certificate.revision_digest},
    }
    yield {
        "name": "kit",
        "uri": f"pkg:pypi/avatar-conformance@{run.kit}",
        "digest": {"sha256": certificate.suite_digest},
        "annotations": {"source": certificate.kit_source},
    }
    for name, version in run.host.items():
        if name != "python":
            yield {"name": f"host:{name}", "uri": f"pkg:pypi/{name}@{version}"}
    yield {"name": "python", "uri": f"pkg:generic/python@{run.python}"}
    for adapter in certificate.adapters:
        yield {
            "name": f"adapter:{adapter.provider}",
            "digest": {"sha256": adapter.sha256},
            "annotations": {"origin": adapter.origin},
        }
    used = [deviation_to_json(use) for subject in run.subjects for use in subject.deviations]
    yield {
        "name": "deviations",
        "digest": {"sha256": lines_digest(json.dumps(use, sort_keys=True) for use in used)},
        "annotations": {"count": len(used)},
    }


def _evidence(certificate: Certificate) -> dict[str, Any]:
    run = certificate.run
    return {
        "format": FORMAT,
        "distribution": certificate.distribution,
        "version": certificate.version,
        "tier": certificate.tier.value,
        "issued": certificate.issued.strftime(_TIME),
        "expires": certificate.expires.strftime(_TIME),
        "revision": {"name": run.revision, "digest": {"sha256": certificate.revision_digest}},
        "kit": {
            "version": run.kit,
            "source": certificate.kit_source,
            "digest": {"sha256": certificate.suite_digest},
        },
        "python": run.python,
        "host": dict(run.host),
        "stage": run.stage,
        "seed": run.seed,
        "adapters": [
            {
                "provider": adapter.provider,
                "origin": adapter.origin,
                "digest": {"sha256": adapter.sha256},
            }
            for adapter in certificate.adapters
        ],
        "requirements": [
            {
                "id": facts.id,
                "level": facts.level.value,
                "tier": facts.tier,
                "capability": facts.capability,
                "scored": facts.scored,
            }
            for facts in run.requirements.values()
        ],
        "subjects": [_subject(subject) for subject in run.subjects],
    }


def _subject(subject: SubjectRun) -> dict[str, Any]:
    account = ledger(subject)
    counts = {outcome.value: count for outcome, count in account.counts.items()}
    return {
        "name": subject.name,
        "kind": subject.kind,
        "distribution": subject.distribution,
        "version": subject.version,
        "capabilities": dict((subject.manifest or {}).get("capabilities", {})),
        "ledger": {"expected": account.expected, **counts},
        "results": {_short_id(result): result.outcome.value for result in subject.results},
        "blockedBy": {
            _short_id(result): str(result.blocked_by)
            for result in subject.results
            if result.outcome is Outcome.BLOCKED
        },
        "deviations": [deviation_to_json(use) for use in subject.deviations],
    }


def _short_id(result: CheckResult) -> str:
    return str(result.id).partition("::")[2]


def _run(evidence: Mapping[str, Any]) -> Run:
    requirements = {
        entry["id"]: RequirementFacts(
            entry["id"],
            entry["id"].partition("-")[0],
            Level(entry["level"]),
            text="",
            capability=entry["capability"],
            scored=entry["scored"],
            tier=entry["tier"],
        )
        for entry in evidence["requirements"]
    }
    if len(requirements) < len(evidence["requirements"]):
        raise Contradiction("lists a requirement twice")
    subjects = tuple(_subject_run(entry, requirements) for entry in evidence["subjects"])
    run = Run(
        kit=evidence["kit"]["version"],
        revision=evidence["revision"]["name"],
        python=evidence["python"],
        host=evidence["host"],
        stage=evidence["stage"],
        seed=evidence["seed"],
        selection=Selection(tuple(s.name for s in subjects if s.kind == "provider")),
        requirements=requirements,
        subjects=subjects,
    )
    check_results(run)
    return run


def _subject_run(
    entry: Mapping[str, Any], requirements: Mapping[str, RequirementFacts]
) -> SubjectRun:
    results = []
    for short, outcome in entry["results"].items():
        found = check_id(f"{entry['name']}::{short}")
        facts = requirements.get(found.requirement)
        if facts is None:
            raise Contradiction(f"lists {found}, of no requirement that it knows")
        by = entry["blockedBy"].get(short)
        try:
            results.append(
                CheckResult(
                    found,
                    level_for(facts, {"capabilities": entry["capabilities"]}),
                    Outcome(outcome),
                    reason=by or "",
                    blocked_by=blocker_from_text(by) if by is not None else None,
                )
            )
        except ValueError as error:
            raise Contradiction(f"says of {found}: {error}") from None
    return SubjectRun(
        name=entry["name"],
        kind=entry["kind"],
        expected=tuple(result.id for result in results),
        results=tuple(results),
        distribution=entry["distribution"],
        version=entry["version"],
        manifest={"capabilities": entry["capabilities"]},
        deviations=tuple(deviation_of(use) for use in entry["deviations"]),
    )


def _moment(text: str) -> datetime.datetime:
    try:
        moment = datetime.datetime.strptime(text, _TIME)
    except ValueError:
        raise Contradiction(f"gives {text!r} as a time, which is in no calendar") from None
    return moment.replace(tzinfo=datetime.timezone.utc)


def _check(certificate: Certificate, predicate: Mapping[str, Any]) -> None:
    lists = check_lists(certificate.run)
    said = CheckLists(
        tuple(predicate["passedTests"]),
        tuple(predicate["warnedTests"]),
        tuple(predicate["failedTests"]),
    )
    if tuple(map(sorted, (said.passed, said.warned, said.failed))) != tuple(
        map(sorted, (lists.passed, lists.warned, lists.failed))
    ):
        raise Contradiction("lists tests as passed, warned or failed that its evidence does not")
    if predicate["result"] != result_word(certificate.tier):
        raise Contradiction(
            f"says {predicate['result']} of a certificate of tier {certificate.tier.value}"
        )
