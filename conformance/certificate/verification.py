"""Verifying a certificate, offline: each check of it with its own verdict."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from conformance import __version__
from conformance.errors import ConformanceError
from conformance.requirements import load_catalogue, load_revision
from conformance.results.from_report import Contradiction
from conformance.results.json_input import (
    LARGEST_CERTIFICATE,
    NotJson,
    Unreadable,
    parse_json,
    read_json,
    schema_problem,
)
from conformance.results.outcomes import Outcome
from conformance.results.run import providers
from conformance.results.tiers import TIERS, Tier

from .against_plan import made_with, made_with_problems, plan_problems
from .digests import file_digest, revision_digest, suite_digest
from .envelope import BadSignature, Envelope, check_signature, looks_like_envelope, open_envelope
from .model import Certificate, latest_expiry, reached_tier, why_nothing
from .statement import from_statement, ledger_problem

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

State = Literal["ok", "failed", "not checked"]
LONGEST_DAYS = 730
"""No certificate is valid for longer."""

_OF_A_STATEMENT = (
    "wheel",
    "validity",
    "ledger",
    "revision",
    "plan",
    "suite",
    "made with",
    "tier",
)
_CLOCKS_DIFFER = datetime.timedelta(minutes=10)


@dataclass(frozen=True)
class Verdict:
    """The verdict on one aspect of a certificate."""

    name: str
    state: State
    detail: str


@dataclass(frozen=True)
class Verification:
    """The verdicts on a certificate, which is None when it could not even be read."""

    verdicts: tuple[Verdict, ...]
    certificate: Certificate | None

    @property
    def certified(self) -> bool:
        """Whether nothing speaks against the certificate."""
        return self.certificate is not None and not self.named("failed")

    def named(self, state: State) -> tuple[str, ...]:
        """The names of the verdicts in some state."""
        return tuple(verdict.name for verdict in self.verdicts if verdict.state == state)


def verify(
    path: Path,
    *,
    wheel: Path | None = None,
    key: Ed25519PublicKey | None = None,
    required: Tier = Tier.SWAP_SAFE,
    allow_unsigned: bool = False,
    now: datetime.datetime | None = None,
) -> Verification:
    """Verify a certificate, against a wheel and a public key where they are given.

    It must have the ``required`` tier at least. Whose it is must be known, by ``key``, unless
    ``allow_unsigned``.

    Raises `Unreadable` for a file that is no certificate at all, and `UsageError` for a wheel that
    cannot be read. ``now`` is for tests.
    """
    outer = read_json(path, limit=LARGEST_CERTIFICATE)
    sealed = looks_like_envelope(outer)
    if not sealed and not (isinstance(outer, dict) and "_type" in outer):
        raise Unreadable(
            f"{path}: is JSON, but no certificate: neither a DSSE envelope nor an in-toto statement"
        )
    digest = file_digest(wheel) if wheel is not None else None
    statement, verdicts = _open(outer, key) if sealed else (outer, [_unsigned(key)])
    if not allow_unsigned:
        verdicts = [_demanded(verdict) for verdict in verdicts]
    certificate = None
    if statement is not None:
        certificate, verdict = _read(statement)
        verdicts.insert(0, verdict)
    if certificate is None:
        verdicts += [
            Verdict(name, "not checked", "there is no statement to check")
            for name in _OF_A_STATEMENT
        ]
        return Verification(tuple(verdicts), None)
    now = now or datetime.datetime.now(datetime.timezone.utc)
    verdicts += [
        _wheel(certificate, wheel, digest),
        _validity(certificate, now),
        _ledger(certificate, statement),
        _revision(certificate),
        _plan(certificate),
        _suite(certificate),
        _made_with(certificate),
        _tier(certificate, required),
    ]
    return Verification(tuple(verdicts), certificate)


def _open(outer: Any, key: Ed25519PublicKey | None) -> tuple[Any, list[Verdict]]:
    try:
        envelope = open_envelope(outer)
    except BadSignature as error:
        unread = Verdict("schema", "not checked", "the envelope is damaged")
        return None, [unread, Verdict("signature", "failed", str(error))]
    signature = _signature(envelope, key)
    try:
        return parse_json(envelope.payload), [signature]
    except NotJson as error:
        return None, [Verdict("schema", "failed", f"the payload {error}"), signature]


def _signature(envelope: Envelope, key: Ed25519PublicKey | None) -> Verdict:
    if key is None:
        return Verdict("signature", "not checked", "it is signed; give the public key with --key")
    try:
        check_signature(envelope, key)
    except BadSignature as error:
        return Verdict("signature", "failed", str(error))
    return Verdict("signature", "ok", "by this key")


def _demanded(verdict: Verdict) -> Verdict:
    """The verdict on a signature that must be checked: not checked is failed."""
    if verdict.name != "signature" or verdict.state != "not checked":
        return verdict
    return replace(verdict, state="failed", detail=f"{verdict.detail}, or --allow-unsigned")


def _unsigned(key: Ed25519PublicKey | None) -> Verdict:
    if key is None:
        return Verdict(
            "signature",
            "not checked",
            "unsigned: anybody can have written it; sign it and give --key",
        )
    return Verdict("signature", "failed", "a key is given, and the certificate is not signed")


def _read(statement: Any) -> tuple[Certificate | None, Verdict]:
    problem = schema_problem("certificate", statement)
    if problem is not None:
        return None, Verdict("schema", "failed", problem)
    try:
        return from_statement(statement), Verdict("schema", "ok", "certificate.schema.json")
    except Contradiction as error:
        return None, Verdict("schema", "failed", f"it contradicts itself: it {error}")


def _wheel(certificate: Certificate, wheel: Path | None, digest: str | None) -> Verdict:
    if wheel is None:
        return Verdict("wheel", "not checked", f"give {certificate.wheel} with --wheel")
    if digest != certificate.sha256:
        return Verdict(
            "wheel",
            "failed",
            f"{wheel.name} has the sha256 {str(digest)[:16]}…, "
            f"the certificate is about {certificate.sha256[:16]}…",
        )
    if wheel.name != certificate.wheel:
        return Verdict("wheel", "failed", f"{certificate.wheel} has been renamed to {wheel.name}")
    return Verdict("wheel", "ok", f"sha256 {certificate.sha256[:16]}…")


def _validity(certificate: Certificate, now: datetime.datetime) -> Verdict:
    latest = latest_expiry(certificate.run, certificate.issued, LONGEST_DAYS)
    since, until = f"{certificate.issued:%Y-%m-%d}", f"{certificate.expires:%Y-%m-%d %H:%M} UTC"
    if certificate.issued > now + _CLOCKS_DIFFER:
        return Verdict("validity", "failed", f"it is valid from {since} on")
    if certificate.expires > latest:
        end = f"{latest:%Y-%m-%d}"
        return Verdict("validity", "failed", f"it says {until}, but may not outlast {end}")
    if now > certificate.expires:
        return Verdict("validity", "failed", f"it expired on {until}")
    return Verdict("validity", "ok", f"issued on {since}, expires on {until}")


def _ledger(certificate: Certificate, statement: Any) -> Verdict:
    problem = ledger_problem(statement) or next(iter(why_nothing(certificate.run)), None)
    if problem is not None:
        return Verdict("ledger", "failed", problem)
    count = sum(len(subject.results) for subject in certificate.run.subjects)
    return Verdict("ledger", "ok", f"{count} checks expected, {count} accounted for")


def _revision(certificate: Certificate) -> Verdict:
    problem = next(_revision_problems(certificate), None)
    if problem is not None:
        return Verdict("revision", "failed", problem)
    return Verdict("revision", "ok", f"{certificate.run.revision}, every requirement of it")


def _revision_problems(certificate: Certificate) -> Iterator[str]:
    run = certificate.run
    try:
        revision = load_revision(run.revision)
    except ConformanceError as error:
        yield str(error)
        return
    if revision_digest(revision) != certificate.revision_digest:
        yield f"its requirements are not those of {revision.name}"
    scored = {facts.id: facts.level for facts in run.requirements.values() if facts.scored}
    frozen = {name: entry.level for name, entry in revision.requirements.items()}
    for name in sorted(set(scored) | set(frozen)):
        if scored.get(name) is not frozen.get(name):
            yield f"{name} does not count in it as in {revision.name}"
    catalogue = load_catalogue()
    known = {subject.name for subject in run.subjects}
    if not {"host", "endpoint"} <= known or len(known) < 3:
        yield "the host, the kit's endpoint and a provider must have been judged, all three"
    for subject in run.subjects:
        judged = {result.id.requirement for result in subject.results}
        whose = "provider" if subject.kind == "provider" else "host"
        for name in frozen:
            requirement = catalogue[name]
            if requirement.subject == whose and not requirement.excluded and name not in judged:
                yield f"{name} was not checked of {subject.name}"


def _plan(certificate: Certificate) -> Verdict:
    problem = next(plan_problems(certificate.run), None)
    if problem is not None:
        return Verdict("plan", "failed", problem)
    return Verdict("plan", "ok", "every check of it, none exempt or blocked without cause")


def _made_with(certificate: Certificate) -> Verdict:
    problem = next(made_with_problems(certificate), None)
    if problem is not None:
        return Verdict("made with", "failed", problem)
    return Verdict("made with", "ok", made_with(certificate))


def _suite(certificate: Certificate) -> Verdict:
    made_by = f"kit {certificate.run.kit}, from a {certificate.kit_source}"
    if certificate.run.kit != __version__:
        return Verdict("suite", "not checked", f"made by {made_by}; this is {__version__}")
    if certificate.suite_digest != suite_digest():
        return Verdict("suite", "failed", f"made by {made_by}, whose checks are not those of here")
    return Verdict("suite", "ok", f"{made_by}, the same checks as here")


def _tier(certificate: Certificate, required: Tier) -> Verdict:
    reached = reached_tier(certificate.run)
    if reached is not certificate.tier:
        says = f"it says {certificate.tier.value}, its evidence makes that {reached.value}"
        return Verdict("tier", "failed", says)
    if reached is Tier.NONE:
        return Verdict("tier", "failed", "none")
    if TIERS.index(reached) < TIERS.index(required):
        return Verdict("tier", "failed", f"{reached.value}, and {required.value} is required")
    about = {f"{subject.distribution} {subject.version}" for subject in providers(certificate.run)}
    if about != {str(certificate)}:
        return Verdict("tier", "failed", f"the evidence is about {', '.join(sorted(about))}")
    if {subject.name for subject in providers(certificate.run)} != {
        adapter.provider for adapter in certificate.adapters
    }:
        return Verdict("tier", "failed", "the adapters are not those of the providers judged")
    return Verdict("tier", "ok", reached.value + _leaning_on(certificate))


def _leaning_on(certificate: Certificate) -> str:
    subjects = certificate.run.subjects
    failures = sum(
        result.outcome is Outcome.EXPECTED_FAILURE
        for subject in subjects
        for result in subject.results
    )
    return f", beside {failures} known failures" if failures else ""
