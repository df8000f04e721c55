from __future__ import annotations

import base64
import datetime
import functools
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import vendor_adapters
from conformance.certificate import verification
from conformance.certificate.digests import file_digest
from conformance.certificate.envelope import seal
from conformance.certificate.loading import load
from conformance.certificate.model import Adapter, Certificate
from conformance.certificate.statement import render
from conformance.certificate.verification import Verification, verify
from conformance.cli import main
from conformance.requirements.plan import load_plan
from conformance.results.json_input import Unreadable
from conformance.results.outcomes import Blocker, CheckId, HostDefectRef, Outcome
from conformance.results.tiers import Tier
from tests.certificate import certificate_sample
from tests.certificate.certificate_sample import NOW, certificate, make_wheel, use

KEY = Ed25519PrivateKey.generate()
whole_run = functools.partial(certificate_sample.whole_run, variants=True)
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
        *("schema", "signature", "wheel", "validity", "ledger"),
        *("revision", "plan", "suite", "made with", "tier"),
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
    assert (
        tier.detail == f"swap-safe, beside {len(load_plan()['FAULT-01'].variants)} known failures"
    )


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
    assert len(lines) == 11
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


def _with_outcomes(outcome: Outcome, *names: str, **changes: Any) -> Certificate:
    """A certificate whose run says ``outcome`` of these checks of acme."""
    return certificate(whole_run({f"acme::{name}": outcome for name in names}, **changes))


@pytest.mark.parametrize("requirement", ["SWAP-02", "BIND-01", "UNBIND-01", "PLAY-01", "SEC-01"])
def test_what_no_rule_exempts_from_is_not_excused(put: Put, requirement: str) -> None:
    """Evidence that calls a core check not applicable earns nothing by that."""
    made = _with_outcomes(Outcome.NOT_APPLICABLE, requirement)
    assert "no rule exempts anybody from it" in why(judged(put(made)), "plan")


def test_evidence_of_nothing_but_exemptions_is_no_evidence(put: Put) -> None:
    """A run in which everything is not applicable certifies nothing."""
    made = _with_outcomes(Outcome.NOT_APPLICABLE, *load_plan())
    assert "no rule exempts" in why(judged(put(made)), "plan")


def test_a_rule_of_the_revision_exempts(put: Put) -> None:
    """A check that has a rule may be not applicable."""
    made = _with_outcomes(Outcome.NOT_APPLICABLE, "FAULT-01", "UNBIND-11")
    assert judged(put(made)).certified


def test_what_needs_virtual_time_is_played_unless_real_time_is_claimed(put: Put) -> None:
    """Only a plugin that is judged in real time is exempt from what needs the virtual clock."""
    virtual = [name for name, planned in load_plan().items() if planned.virtual_time]
    (name, *_) = (name for name in virtual if not load_plan()[name].exempt)
    claims = {"restartable": True, "pause": False, "real_time": True}
    assert judged(put(_with_outcomes(Outcome.NOT_APPLICABLE, name, capabilities=claims))).certified
    assert "no rule" in why(judged(put(_with_outcomes(Outcome.NOT_APPLICABLE, name))), "plan")


def test_a_variant_that_is_left_out_is_seen(put: Put) -> None:
    """One order of a swap is not the other."""
    run = whole_run()
    subjects = tuple(
        replace(
            subject,
            expected=tuple(i for i in subject.expected if i.variant != "close-then-start"),
            results=tuple(r for r in subject.results if r.id.variant != "close-then-start"),
        )
        for subject in run.subjects
    )
    found = why(judged(put(certificate(replace(run, subjects=subjects)))), "plan")
    assert re.fullmatch(r"acme::[A-Z]+-\d+\[close-then-start\] is not in it", found)


def _blocked_by(blocker: Blocker, *names: str) -> Certificate:
    run = whole_run({f"acme::{name}": Outcome.BLOCKED for name in names})
    subjects = tuple(
        replace(
            subject,
            results=tuple(
                replace(r, blocked_by=blocker) if r.outcome is Outcome.BLOCKED else r
                for r in subject.results
            ),
        )
        for subject in run.subjects
    )
    return certificate(replace(run, subjects=subjects))


@pytest.mark.parametrize(
    ("blocker", "reason"),
    [
        (CheckId("beta", "SWAP-02"), "with which it has nothing to do"),
        (CheckId("host", "HOST-01"), "with which it has nothing to do"),
        (HostDefectRef("HD-01"), "which livekit-agents 1.8.9 has not there"),
        (HostDefectRef("HD-9999"), "which livekit-agents 1.8.9 has not there"),
    ],
)
def test_what_blocks_nothing_is_no_excuse(put: Put, blocker: Blocker, reason: str) -> None:
    """Blocked is believed where the revision's plan and the listed defects make it possible."""
    verification = judged(put(_blocked_by(blocker, "SWAP-02")))
    assert reason in why(verification, "plan")


def test_evidence_of_nothing_but_blocked_checks_is_no_evidence(put: Put) -> None:
    """A run in which everything is blocked certifies nothing."""
    made = _blocked_by(CheckId("beta", "BIND-01"), *load_plan())
    assert "with which it has nothing to do" in why(judged(put(made)), "plan")


def test_a_pair_is_blocked_by_a_provider_that_fails_it(put: Put) -> None:
    """The other provider of a swap must be in the run, and must not hold."""
    found = why(judged(put(_blocked_by(CheckId("acme", "SWAP-09"), "SWAP-09"))), "tier")
    assert found == "none"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"stage": "live"}, "it was made on the stage live, and only loopback certifies"),
        ({"host": {"livekit-agents": "1.5.7"}}, "livekit-agents 1.5.7 is none that is supported"),
        ({"host": {"livekit-agents": "x"}}, "livekit-agents x is none that is supported"),
    ],
)
def test_what_it_was_made_with_is_judged(put: Put, changes: dict[str, Any], reason: str) -> None:
    """Stage and host are those that a certificate can be made with."""
    assert why(judged(put(certificate(whole_run(**changes)))), "made with") == reason


def test_what_it_was_made_with_is_said(put: Put) -> None:
    """A reader sees host, Python, stage, kit and adapter, also of another kit's certificate."""
    made = certificate(whole_run(kit="0.0.9"))
    (verdict,) = (v for v in judged(put(made)).verdicts if v.name == "made with")
    assert verdict.detail == (
        "livekit-agents 1.8.9, Python 3.11.7, stage loopback, kit 0.0.9, "
        "adapter of acme acme.adapter cdcdcdcdcdcdcdcd…"
    )


@pytest.mark.parametrize("provider", ["anam", "acme"])
def test_the_kits_own_adapter_is_the_kits_own(put: Put, provider: str) -> None:
    """A certificate that names a bundled adapter has the digest of the one that is here."""
    run = whole_run(names=(provider,))
    made = certificate(run, adapters=(Adapter(provider, "bundled", "cd" * 32),))
    found = why(judged(put(made)), "made with")
    assert found == f"its adapter of {provider} is not the one of kit {run.kit}"
    file = Path(str(vendor_adapters.__file__)).parent / f"{provider}.py"
    if file.is_file():
        digest = file_digest(file)
        made = certificate(run, adapters=(Adapter(provider, "bundled", digest),))
        assert judged(put(made)).certified


@pytest.mark.parametrize("field", ["blockedBy", "results", "deviations", "version"])
def test_a_text_that_no_certificate_has_is_refused_at_once(put: Put, field: str) -> None:
    """No pattern is tried on a hundred thousand letters."""
    long = "A" * 100_000

    def edit(data: dict[str, Any]) -> None:
        evidence = data["predicate"]["avatarConformance"]
        subject = evidence["subjects"][-1]
        if field == "version":
            evidence["version"] = long
        elif field == "deviations":
            subject["deviations"] = [{"requirement": long}]
        else:
            subject[field][long] = "passed"

    path = _edited(put(certificate(), signed=False), edit)
    verification = judged(path, key=None)
    (schema,) = (v for v in verification.verdicts if v.name == "schema")
    assert schema.state == "failed"
    assert schema.detail == "a text in it has 100,000 characters, and 20,000 are the most"
    with pytest.raises(Unreadable, match="20,000 are the most"):
        load(path)
