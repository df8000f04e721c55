from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf import json_format
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.v1 import statement_pb2

from conformance.certificate.envelope import (
    BadSignature,
    check_signature,
    open_envelope,
    read_private_key,
    read_public_key,
    seal,
)
from conformance.certificate.model import latest_expiry, reached_tier, why_nothing
from conformance.certificate.statement import from_statement, render, to_statement
from conformance.errors import UsageError
from conformance.report.json_report import to_json
from conformance.results.from_report import Contradiction, run_of_report
from conformance.results.json_input import schema_problem
from conformance.results.outcomes import Level, Outcome
from conformance.results.run import Selection
from conformance.results.tiers import Tier
from tests.certificate.certificate_sample import NOW, certificate, use, whole_run

TWICE = {"id": "A-1", "level": "must", "tier": "robust", "capability": None, "scored": True}
MIXED = {
    "acme::UNBIND-02": Outcome.FAILED,
    "acme::FAULT-01": Outcome.EXPECTED_FAILURE,
    "acme::SWAP-02": Outcome.NOT_APPLICABLE,
    "acme::PLAY-09": Outcome.BLOCKED,
    "host::HOST-13": Outcome.EXPECTED_FAILURE,
}


def test_a_statement_is_what_its_schema_describes() -> None:
    """The statement of any run is valid by certificate.schema.json."""
    for outcomes in ({}, MIXED, {"acme::SWAP-01": Outcome.FAILED}):
        statement = to_statement(certificate(whole_run(outcomes, deviations=[use("FAULT-01")])))
        assert schema_problem("certificate", statement) is None


def test_a_statement_is_read_by_in_toto() -> None:
    """in-toto's own types take the statement and its predicate, extensions ignored."""
    statement = json.loads(render(certificate(whole_run(MIXED))))
    parsed = json_format.ParseDict(statement, statement_pb2.Statement())
    assert parsed.predicate_type == "https://in-toto.io/attestation/test-result/v0.1"
    predicate = {k: v for k, v in statement["predicate"].items() if k != "avatarConformance"}
    result = json_format.ParseDict(predicate, test_result_pb2.TestResult())
    assert result.result == "PASSED"
    for resource in result.configuration:
        assert resource.uri or resource.digest


def test_a_statement_can_be_read_back() -> None:
    """What is read from a statement makes the same statement."""
    statement = to_statement(certificate(whole_run(MIXED, deviations=[use("FAULT-01")])))
    assert to_statement(from_statement(statement)) == statement


def test_a_statement_is_one_line() -> None:
    """A certificate's file has one line, whatever a reason says."""
    line = render(certificate(whole_run(deviations=[use("SWAP-01", reason="a\nb\r\u2028c")])))
    assert b"\n" not in line
    assert b"\r" not in line


@pytest.mark.parametrize(
    ("outcomes", "result", "tier"),
    [
        ({}, "PASSED", Tier.ROBUST),
        ({"acme::UNBIND-02": Outcome.FAILED}, "PASSED", Tier.FAULT_SAFE),
        ({"acme::FAULT-01": Outcome.EXPECTED_FAILURE}, "PASSED", Tier.SWAP_SAFE),
        ({"acme::SWAP-01": Outcome.EXPECTED_FAILURE}, "FAILED", Tier.NONE),
        ({"acme::SWAP-01": Outcome.FAILED}, "FAILED", Tier.NONE),
        ({"endpoint::HOST-01": Outcome.FAILED}, "FAILED", Tier.NONE),
        ({"host::HOST-01": Outcome.FAILED}, "FAILED", Tier.NONE),
        ({"host::HOST-01": Outcome.EXPECTED_FAILURE}, "PASSED", Tier.ROBUST),
    ],
)
def test_result_and_tier_follow_from_the_outcomes(
    outcomes: dict[str, Outcome], result: str, tier: Tier
) -> None:
    """PASSED for a tier, and FAILED without one: an expected failure earns nothing."""
    made = certificate(whole_run(outcomes))
    assert made.tier is tier
    assert to_statement(made)["predicate"]["result"] == result


def test_the_lists_of_tests_name_each_check_once() -> None:
    """Each check is passed, warned or failed, but those that are not applicable."""
    predicate = to_statement(certificate(whole_run(MIXED)))["predicate"]
    assert predicate["failedTests"] == []
    assert sorted(predicate["warnedTests"]) == sorted(set(MIXED) - {"acme::SWAP-02"})
    assert "acme::SWAP-02" not in predicate["passedTests"]
    names = predicate["passedTests"] + predicate["warnedTests"]
    assert len(set(names)) == len(names)


def test_of_several_providers_the_lowest_tier_counts() -> None:
    """A wheel with two providers is as good as the worse of them."""
    run = whole_run({"beta::UNBIND-02": Outcome.FAILED}, names=("acme", "beta"))
    assert reached_tier(run) is Tier.FAULT_SAFE


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        (whole_run(skipped=["acme::SWAP-01"]), "acme: 1 checks not run: acme::SWAP-01"),
        (whole_run(gaps=("interrupted",)), "interrupted"),
        (whole_run({"acme::SWAP-01": Outcome.ERROR}), "acme::SWAP-01 is an error of the kit"),
        (whole_run({"host::HOST-01": Outcome.ERROR}), "host::HOST-01 is an error of the kit"),
        (whole_run(selection=Selection(("acme",), level=Level.MUST)), "only a part"),
        (whole_run(selection=Selection(without_deviations=True)), "the known deviations were left"),
    ],
)
def test_some_runs_are_no_evidence(run: Any, reason: str) -> None:
    """A partial run, an error and a narrowed run certify nothing, and it is said why."""
    assert [line for line in why_nothing(run) if line.startswith(reason)]
    assert reached_tier(run) is Tier.NONE or run.selection.without_deviations


def test_a_certificate_ends_with_the_first_deviation_it_leans_on() -> None:
    """It is valid for the days asked for, or until a used deviation expires."""
    run = whole_run(deviations=[use("FAULT-01"), use("SWAP-02", expires="2026-12-01")])
    assert latest_expiry(run, NOW, 3) == NOW + timedelta(days=3)
    assert latest_expiry(run, NOW, 180) == datetime(2026, 12, 1, 23, 59, 59, tzinfo=timezone.utc)
    unused = whole_run(deviations=[use("SWAP-01", state="unused")])
    assert latest_expiry(unused, NOW, 180) == NOW + timedelta(days=180)


def tampered(**changes: Any) -> dict[str, Any]:
    """A statement with values of its evidence changed."""
    statement = to_statement(certificate(whole_run(MIXED, deviations=[use("FAULT-01")])))
    statement["predicate"]["avatarConformance"].update(changes)
    return statement


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"expires": "2026-13-45T00:00:00Z"}, "in no calendar"),
        ({"requirements": []}, "of no requirement that it knows"),
        ({"requirements": [TWICE] * 2}, "twice"),
        ({"subjects": []}, "lists tests as passed"),
        ({"tier": "none"}, "says PASSED of a certificate of tier none"),
    ],
)
def test_evidence_that_does_not_fit_is_refused(changes: dict[str, Any], message: str) -> None:
    """A statement whose parts contradict each other is no certificate."""
    with pytest.raises(Contradiction, match=message):
        from_statement(tampered(**changes))


def test_a_report_is_read_back_as_the_run_it_was() -> None:
    """A run survives its report, expected failures, gaps and all."""
    for run in (
        whole_run(MIXED, deviations=[use("FAULT-01")]),
        whole_run(skipped=["acme::SWAP-01", "acme::SWAP-02"]),
        whole_run(gaps=("interrupted",)),
    ):
        assert to_json(run_of_report(to_json(run)))["subjects"] == to_json(run)["subjects"]


def _edit(path: str, value: Any) -> dict[str, Any]:
    report: Any = to_json(whole_run({"acme::SWAP-01": Outcome.FAILED}))
    *way, last = (int(part) if part.isdigit() else part for part in path.split("/"))
    place = report
    for part in way:
        place = place[part]
    place[last] = value
    edited: dict[str, Any] = report
    return edited


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("subjects/2/tier", "robust", "says that acme reached robust; its results make that none"),
        ("subjects/2/ledger/passed", 500, "a ledger of acme that its results do not add up to"),
        ("subjects/2/ledger/expected", 500, "expects 500 checks of acme"),
        ("subjects/2/results/0/provider", "beta", "calls a check"),
        ("subjects/2/name", "beta", "under beta"),
        ("subjects/2/kind", "host", "calls acme a host"),
        ("subjects/2/results/0/level", "should", "is a SHOULD"),
        ("partial", True, "calls itself partial"),
        ("selection/whole", False, "calls a part of the requirements the whole"),
        ("requirements", [], "of no requirement that it knows"),
    ],
)
def test_a_report_that_contradicts_itself_is_refused(path: str, value: Any, message: str) -> None:
    """A report is counted again: an edited tier, ledger or outcome is seen."""
    with pytest.raises(Contradiction, match=message):
        run_of_report(_edit(path, value))


def test_a_signature_holds_for_its_payload_and_key() -> None:
    """What was sealed opens and verifies; with another key or payload it does not."""
    key = Ed25519PrivateKey.generate()
    envelope = open_envelope(json.loads(seal(b'{"a":1}', key)))
    check_signature(envelope, key.public_key())
    with pytest.raises(BadSignature, match="is not this key's"):
        check_signature(envelope, Ed25519PrivateKey.generate().public_key())
    with pytest.raises(BadSignature, match="is not this key's"):
        check_signature(replace(envelope, payload=b'{"a":2}'), key.public_key())


def test_what_is_signed_is_the_pre_authentication_encoding() -> None:
    """The signature is plain Ed25519 over the encoding that the DSSE specification gives."""
    key = Ed25519PrivateKey.generate()
    envelope = json.loads(seal(b"hello", key))
    encoded = b"DSSEv1 28 application/vnd.in-toto+json 5 hello"
    (signature,) = envelope["signatures"]
    key.public_key().verify(base64.b64decode(signature["sig"]), encoded)


def test_a_signature_needs_no_key_id_to_be_found() -> None:
    """The key id is a hint: a signature verifies with another one, or none."""
    key = Ed25519PrivateKey.generate()
    envelope = json.loads(seal(b"hello", key))
    envelope["signatures"].insert(0, {"sig": base64.b64encode(b"x" * 64).decode()})
    del envelope["signatures"][1]["keyid"]
    check_signature(open_envelope(envelope), key.public_key())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"hello", "is no public key in PEM; make one with: openssl"),
        (b"-----BEGIN PRIVATE KEY-----\n", "is a private key; give its public half"),
        (b"", "is empty"),
        (b"x" * 100_000, "is larger"),
    ],
)
def test_a_wrong_public_key_is_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    """A file that is no public key is told as such, with the way to make one."""
    path = tmp_path / "key"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=message):
        read_public_key(path)


def test_a_wrong_private_key_is_one_line(tmp_path: Path) -> None:
    """Neither a public key, nor one of another kind, nor an encrypted one is taken."""
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    path = tmp_path / "key"
    other = generate_private_key(SECP256R1())
    path.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(UsageError, match="not an Ed25519 one"):
        read_private_key(path)
    path.write_bytes(
        Ed25519PrivateKey.generate().private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
        )
    )
    with pytest.raises(UsageError, match="is encrypted"):
        read_private_key(path)
    path.write_bytes(b"-----BEGIN PUBLIC KEY-----\n")
    with pytest.raises(UsageError, match="is no private key"):
        read_private_key(path)
