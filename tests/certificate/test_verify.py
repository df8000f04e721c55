from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from conformance.certificate import verification
from conformance.certificate.digests import file_digest
from conformance.certificate.envelope import seal
from conformance.certificate.model import Certificate
from conformance.certificate.statement import render
from conformance.certificate.verification import Verification, verify
from conformance.cli import main
from conformance.results.json_input import Unreadable
from conformance.results.outcomes import Outcome
from conformance.results.tiers import Tier
from tests.certificate.certificate_sample import NOW, certificate, make_wheel, use, whole_run

KEY = Ed25519PrivateKey.generate()
Put = Callable[..., Path]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Writes a certificate into a file, signed unless ``signed`` is false."""

    def write(made: Certificate, *, signed: bool = True) -> Path:
        path = tmp_path / "acme.intoto.jsonl"
        line = render(made)
        path.write_bytes((seal(line, KEY) if signed else line) + b"\n")
        return path

    return write


def judged(path: Path, **options: Any) -> Verification:
    """The verification of a file, an hour after it was issued."""
    options.setdefault("key", KEY.public_key())
    options.setdefault("allow_unsigned", options["key"] is None)
    options.setdefault("now", NOW + datetime.timedelta(hours=1))
    return verify(path, **options)


def why(verification: Verification, name: str) -> str:
    """What a verification says under a name that has failed."""
    (verdict,) = (v for v in verification.verdicts if v.name == name)
    assert verdict.state == "failed", verdict
    assert not verification.certified
    return verdict.detail


def test_a_certificate_verifies(put: Put, tmp_path: Path) -> None:
    """Signed, for that wheel, in time, closed, of a known revision: every check is ok."""
    wheel = make_wheel(tmp_path)
    verification = judged(put(certificate(sha256=file_digest(wheel))), wheel=wheel)
    assert verification.certified
    assert {v.state for v in verification.verdicts} == {"ok"}
    assert [v.name for v in verification.verdicts] == [
        *("schema", "signature", "wheel", "validity", "ledger", "revision", "suite", "tier")
    ]


def test_what_is_not_given_is_not_checked(put: Put) -> None:
    """Without key and wheel a certificate may verify, and says what was not looked at."""
    verification = judged(put(certificate(), signed=False), key=None)
    assert verification.certified
    assert verification.named("not checked") == ("signature", "wheel")


@pytest.mark.parametrize("signed", [True, False])
def test_who_made_it_must_be_known(
    put: Put, capsys: pytest.CaptureFixture[str], signed: bool
) -> None:
    """Without --key a certificate does not verify, signed by anybody or by nobody."""
    issued = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    made = certificate(issued=issued, expires=issued + datetime.timedelta(days=3))
    path = put(made, signed=signed)
    assert main(["verify", str(path)]) == 1
    assert "not certified: signature" in capsys.readouterr().out
    assert main(["verify", str(path), "--allow-unsigned"]) == 0
    assert "not checked: signature" in capsys.readouterr().out


def test_a_bare_statement_does_not_pass_for_a_signed_one(put: Put) -> None:
    """Taking the envelope off does not help where a key is given."""
    verification = judged(put(certificate(), signed=False))
    assert why(verification, "signature") == "a key is given, and the certificate is not signed"


def _positions(text: str, field: str) -> range:
    start = text.index(f'"{field}":"') + len(field) + 4
    return range(start, text.index('"', start))


@pytest.mark.parametrize("field", ["payload", "sig"])
def test_any_byte_changed_in_payload_or_signature_is_seen(put: Put, field: str) -> None:
    """Each byte of the envelope counts, the last ones of its base64 too."""
    path = put(certificate())
    text = path.read_text("utf-8")
    positions = _positions(text, field)
    for position in [*positions[:4], positions[len(positions) // 2], *positions[-4:]]:
        for other in "AB!":
            if text[position] != other:
                path.write_text(text[:position] + other + text[position + 1 :], "utf-8")
                assert "signature" in judged(path).named("failed"), (position, other)


def test_a_byte_changed_in_the_wheel_is_seen(put: Put, tmp_path: Path) -> None:
    """A certificate is about the very bytes of a wheel, under the wheel's name."""
    wheel = make_wheel(tmp_path)
    path = put(certificate(sha256=file_digest(wheel)))
    data = bytearray(wheel.read_bytes())
    data[100] ^= 1
    wheel.write_bytes(data)
    assert "the certificate is about" in why(judged(path, wheel=wheel), "wheel")
    data[100] ^= 1
    renamed = tmp_path / "other-1.0-py3-none-any.whl"
    renamed.write_bytes(data)
    assert "has been renamed to other-1.0" in why(judged(path, wheel=renamed), "wheel")


def test_another_key_does_not_verify_it(put: Put) -> None:
    """A signature is one key's."""
    other = Ed25519PrivateKey.generate().public_key()
    assert "not this key's" in why(judged(put(certificate()), key=other), "signature")


@pytest.mark.parametrize(
    ("later", "message"),
    [
        (datetime.timedelta(days=181), "it expired on 2027-05-22"),
        (datetime.timedelta(days=-1), "it is valid from 2026-11-23 on"),
    ],
)
def test_a_certificate_has_its_time(put: Put, later: datetime.timedelta, message: str) -> None:
    """Before it was issued and after it has expired it certifies nothing."""
    assert message in why(judged(put(certificate()), now=NOW + later), "validity")


def test_a_certificate_does_not_outlast_its_deviations(put: Put) -> None:
    """A later expiry than that of a deviation that it leans on is refused."""
    run = whole_run(deviations=[use("SWAP-01", expires="2026-12-01")])
    made = certificate(run, expires=NOW + datetime.timedelta(days=30))
    assert "may not outlast 2026-12-01" in why(judged(put(made)), "validity")


def _without(made: Certificate, requirement: str) -> Certificate:
    subjects = tuple(
        replace(
            subject,
            expected=tuple(i for i in subject.expected if i.requirement != requirement),
            results=tuple(r for r in subject.results if r.id.requirement != requirement),
        )
        for subject in made.run.subjects
    )
    return replace(made, run=replace(made.run, subjects=subjects))


def test_a_requirement_left_out_is_seen(put: Put) -> None:
    """A ledger that closes over fewer checks than the revision has is not enough."""
    made = _without(certificate(), "SWAP-02")
    assert why(judged(put(made)), "revision") == "SWAP-02 was not checked of acme"


def test_a_requirement_made_lighter_is_seen(put: Put) -> None:
    """A MUST that a certificate counts as less is no MUST of the revision."""
    run = whole_run()
    lighter = {**run.requirements}
    lighter["SWAP-02"] = replace(lighter["SWAP-02"], scored=False)
    made = certificate(replace(run, requirements=lighter))
    assert "SWAP-02 does not count in it as in" in why(judged(put(made)), "revision")


def test_an_unknown_revision_is_told_from_a_changed_one(put: Put) -> None:
    """A kit that does not know a revision says which it knows."""
    made = certificate(whole_run(revision="2099.1"), revision_digest="00" * 32)
    assert "no revision '2099.1'" in why(judged(put(made)), "revision")
    made = certificate(revision_digest="00" * 32)
    assert "its requirements are not those of" in why(judged(put(made)), "revision")


def test_the_host_must_have_been_judged(put: Put) -> None:
    """Without the host and the endpoint a provider's verdict cannot be trusted."""
    run = whole_run()
    made = certificate(replace(run, subjects=run.subjects[2:]))
    assert "must have been judged, all three" in why(judged(put(made)), "revision")


def test_a_changed_suite_is_seen(put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate of this kit's version by other checks is refused; another version is noted."""
    path = put(certificate(suite_digest="00" * 32))
    assert "whose checks are not those of here" in why(judged(path), "suite")
    monkeypatch.setattr(verification, "__version__", "0.2.0")
    verdicts = {v.name: v for v in judged(path).verdicts}
    assert verdicts["suite"].state == "not checked"
    assert "made by kit 0.1.0" in verdicts["suite"].detail


def test_the_tier_is_counted_again(put: Put) -> None:
    """A tier above what the evidence makes is refused, and so is none at all."""
    run = whole_run({"acme::UNBIND-02": Outcome.FAILED})
    assert "it says robust" in why(judged(put(certificate(run, tier=Tier.ROBUST))), "tier")
    failing = certificate(whole_run({"acme::SWAP-01": Outcome.FAILED}))
    assert why(judged(put(failing)), "tier") == "none"


def test_expected_failures_are_said_beside_the_tier(put: Put) -> None:
    """Who reads the tier sees at once how many failures are known beside it."""
    run = whole_run({"acme::FAULT-01": Outcome.EXPECTED_FAILURE}, deviations=[use("FAULT-01")])
    (tier,) = (v for v in judged(put(certificate(run))).verdicts if v.name == "tier")
    assert tier.detail == "swap-safe, beside 1 known failures"


def test_a_tier_can_be_required(put: Put) -> None:
    """A certificate of a lower tier than the one that is asked for is no certificate."""
    run = whole_run({"acme::FAULT-01": Outcome.EXPECTED_FAILURE}, deviations=[use("FAULT-01")])
    path = put(certificate(run))
    assert judged(path, required=Tier.SWAP_SAFE).certified
    verification = judged(path, required=Tier.FAULT_SAFE)
    assert not verification.certified
    assert why(verification, "tier") == "swap-safe, and fault-safe is required"


def test_an_error_of_the_kit_leaves_the_ledger_worthless(put: Put) -> None:
    """A certificate over an error certifies nothing."""
    made = certificate(whole_run({"acme::UNBIND-02": Outcome.ERROR}))
    assert "acme::UNBIND-02 is an error" in why(judged(put(made)), "ledger")


def _edited(path: Path, edit: Callable[[dict[str, Any]], None]) -> Path:
    statement = json.loads(path.read_text("utf-8"))
    edit(statement)
    path.write_text(json.dumps(statement), "utf-8")
    return path


def test_a_ledger_that_does_not_close_is_seen(put: Put) -> None:
    """More checks expected than accounted for is a partial run, whatever the rest says."""
    path = put(certificate(), signed=False)

    def more(statement: dict[str, Any]) -> None:
        subjects = statement["predicate"]["avatarConformance"]["subjects"]
        subjects[2]["ledger"]["expected"] += 1

    assert "checks expected" in why(judged(_edited(path, more), key=None), "ledger")


def test_another_wheel_in_the_evidence_is_seen(put: Put) -> None:
    """Subject and evidence are about one version of one distribution."""
    made = certificate(version="2.0")
    assert "livekit-plugins-acme 1.0" in why(judged(put(made)), "tier")


def test_a_statement_of_another_kind_is_no_certificate(put: Put) -> None:
    """A statement with another predicate fails by the schema, and nothing else is checked."""
    path = put(certificate(), signed=False)
    verification = judged(_edited(path, lambda s: s.update(predicateType="x")), key=None)
    assert "predicateType" in why(verification, "schema")
    assert verification.named("ok") == ()


def test_a_payload_that_is_no_json_is_told_so(put: Put) -> None:
    """A signed envelope around something else is read as far as it goes."""
    path = put(certificate())
    path.write_bytes(seal(b"hello", KEY))
    verification = judged(path)
    assert "is no JSON" in why(verification, "schema")
    assert "signature" in verification.named("ok")


@pytest.mark.parametrize("content", [b"{}", b"[]", b"3", b'{"subjects":[]}', b'{"payload":"x"}'])
def test_foreign_json_is_no_certificate(tmp_path: Path, content: bytes) -> None:
    """JSON that is neither an envelope nor a statement is unusable, not uncertified."""
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(Unreadable, match="is JSON, but no certificate"):
        judged(path)


def test_the_command_prints_each_check(
    put: Put, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line for each check and one for the verdict; the exit code says certified."""
    issued = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    path = put(certificate(issued=issued, expires=issued + datetime.timedelta(days=3)))
    public = tmp_path / "key.pub"
    public.write_bytes(
        KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    assert main(["verify", str(path), "--key", str(public)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 9
    assert lines[1] == "ok      signature  by this key"
    assert lines[-1] == "certified robust: livekit-plugins-acme 1.0 (not checked: wheel)"


def test_the_command_tells_uncertified_from_unusable(
    put: Put, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1 names what failed; exit code 2 is one line on stderr."""
    path = put(certificate(whole_run({"acme::SWAP-01": Outcome.FAILED})), signed=False)
    assert main(["verify", str(path)]) == 1
    assert "not certified: " in capsys.readouterr().out.splitlines()[-1]
    for arguments in (
        [str(tmp_path / "none")],
        [str(tmp_path)],
        [str(path), "--wheel", str(tmp_path / "none.whl")],
        [str(path), "--key", str(path)],
    ):
        assert main(["verify", *arguments]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.count("\n") == 1
        assert captured.err.startswith("avatar-conformance: ")


def test_the_payload_cannot_be_padded_unseen(put: Put) -> None:
    """Base64 with spare bits set decodes alike, and is refused all the same."""
    path = put(certificate())
    envelope = json.loads(path.read_text("utf-8"))
    signature = envelope["signatures"][0]["sig"]
    assert signature.endswith("==")
    alike = next(
        signature[:-3] + other + "=="
        for other in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        if other != signature[-3]
        and base64.b64decode(signature[:-3] + other + "==") == base64.b64decode(signature)
    )
    envelope["signatures"][0]["sig"] = alike
    path.write_text(json.dumps(envelope), "utf-8")
    assert "canonical form" in why(judged(path), "signature")
