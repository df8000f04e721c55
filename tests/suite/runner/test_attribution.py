"""Whose fault a failure is."""

from __future__ import annotations

import importlib
from dataclasses import replace

import pytest

from conformance.plugin.provider import Provider
from conformance.requirements.host_defects import HostDefect
from conformance.results.outcomes import CheckId, CheckResult, Finding, Level, Outcome
from conformance.suite.registry import Check
from conformance.suite.runner import attribution as blame
from conformance.suite.runner.reference import reference_provider

DEFECT = HostDefect(
    "HD-99", ("PLAY-02",), ">=1.5.7", "livekit.x", "segments vanish", "none", ("bytestream",)
)


async def _check(scene: object) -> None:
    raise AssertionError("never called")


PLAY = Check("PLAY-02", _check)


def failed(provider: str, expected: str = "finished at 1.000 s") -> CheckResult:
    """A failure of PLAY-02."""
    return CheckResult(
        CheckId(provider, "PLAY-02"), Level.MUST, Outcome.FAILED, Finding(expected, "nothing")
    )


def anam(transport: str = "bytestream") -> Provider:
    """The bundled anam provider, as if its transport were another."""
    provider = Provider(
        importlib.import_module("vendor_adapters.anam"), label="anam", origin="test"
    )
    provider.manifest = replace(provider.manifest, transport=transport)
    return provider


def test_a_failure_that_the_reference_provider_does_not_share_is_the_providers_own() -> None:
    """Where the reference provider passes, a failure stays a failure."""
    passed = replace(failed("reference"), outcome=Outcome.PASSED)
    result = blame.judged(failed("anam"), PLAY, anam(), None, lambda _: passed)
    assert result.outcome is Outcome.FAILED


def test_a_failure_that_a_known_host_defect_explains_is_blocked_by_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A shared failure that a defect of the host explains is blocked, and names the defect."""
    monkeypatch.setattr(blame, "defect_behind", lambda _: DEFECT)
    result = blame.judged(failed("anam"), PLAY, anam(), None, lambda p: failed(p.name))
    assert (result.outcome, result.reference) == (Outcome.BLOCKED, "host::HD-99")
    assert "segments vanish" in result.reason


def test_a_shared_failure_without_a_known_defect_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing hides behind the host: a failure of the reference provider must be explained."""
    monkeypatch.setattr(blame, "defect_behind", lambda _: None)
    result = blame.judged(failed("anam"), PLAY, anam(), None, lambda p: failed(p.name))
    assert result.outcome is Outcome.ERROR
    assert "no known defect of the host explains it" in result.reason


def test_a_defect_of_another_transport_excuses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect of the host's byte streams is no excuse for a WebSocket provider."""
    monkeypatch.setattr(blame, "defect_behind", lambda _: DEFECT)
    result = blame.judged(failed("anam"), PLAY, anam("websocket"), None, lambda p: failed(p.name))
    assert result.outcome is Outcome.FAILED


def test_another_expectation_of_the_same_check_excuses_nothing() -> None:
    """The reference provider must fail at the same expectation, figures and names aside."""
    other = failed("reference", "playback_finished once")
    result = blame.judged(failed("anam"), PLAY, anam(), None, lambda _: other)
    assert result.outcome is Outcome.FAILED


def test_a_swap_partner_that_fails_with_itself_answers_for_the_pair() -> None:
    """Where the other provider fails the check with itself too, the pair is blocked by it."""
    other = Provider(importlib.import_module("vendor_adapters.bey"), label="bey", origin="test")
    verdicts = {
        reference_provider().name: replace(failed("reference"), outcome=Outcome.PASSED),
        "bey": failed("bey"),
    }
    result = blame.judged(failed("anam"), PLAY, anam(), other, lambda p: verdicts[p.name])
    assert (result.outcome, result.reference) == (Outcome.BLOCKED, "bey::PLAY-02")


def test_packaging_is_never_the_hosts_fault() -> None:
    """META checks judge the distribution alone."""
    result = replace(failed("anam"), id=CheckId("anam", "META-02"))
    judged = blame.judged(result, Check("META-02", _check), anam(), None, lambda p: failed(p.name))
    assert judged is result


def of_start(requirement: str, label: str, observed: str = "ValueError: no") -> CheckResult:
    """A check that came no further than a start of ``label``."""
    expected = f"start() of the {label} avatar returns"
    finding = Finding(expected, observed)
    return CheckResult(CheckId("anam", requirement), Level.MUST, Outcome.FAILED, finding)


def test_a_start_that_never_works_is_one_failure() -> None:
    """A check that fails as BIND-01 does, whatever it calls its avatar, is blocked by BIND-01."""
    result = blame.blocked_by_failed_start(
        of_start("SWAP-01", "old"), of_start("BIND-01", "avatar")
    )
    assert (result.outcome, result.reference) == (Outcome.BLOCKED, "anam::BIND-01")
    assert result.reason == "anam::BIND-01 fails alike: ValueError: no"


def test_a_start_that_fails_otherwise_is_a_failure_of_its_own() -> None:
    """Only the very failure of BIND-01 hides behind it."""
    other = of_start("SWAP-01", "old", "TypeError: no")
    assert blame.blocked_by_failed_start(other, of_start("BIND-01", "avatar")) is other


def test_a_start_that_works_blocks_nothing() -> None:
    """Where BIND-01 passes, a failed start is the failure of the check that saw it."""
    result = of_start("SWAP-01", "old")
    works = replace(of_start("BIND-01", "avatar"), outcome=Outcome.PASSED, finding=None)
    assert blame.blocked_by_failed_start(result, works) is result


def test_the_start_itself_is_never_blocked() -> None:
    """BIND-01 is the failure that everything else points at."""
    start = of_start("BIND-01", "avatar")
    assert blame.blocked_by_failed_start(start, start) is start
