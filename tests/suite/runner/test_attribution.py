"""Whose fault a failure is."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import replace

import pytest

from conformance.plugin.provider import Provider
from conformance.requirements.host_defects import HostDefect
from conformance.results.outcomes import CheckId, Finding, HostDefectRef, Outcome
from conformance.suite.runner import attribution
from conformance.suite.runner.reference import reference_provider
from conformance.suite.runner.verdict import Verdict

DEFECT = HostDefect(
    "HD-99", ("PLAY-02",), ">=1.6.0", "livekit.x", "segments vanish", "none", ("bytestream",)
)


PLAY = CheckId("anam", "PLAY-02")


def failed(expected: str = "finished at 1.000 s") -> Verdict:
    """A failure of PLAY-02."""
    return Verdict(Outcome.FAILED, Finding(expected, "nothing"))


PASSED = Verdict(Outcome.PASSED)


def anam(transport: str = "bytestream") -> Provider:
    """The bundled anam provider, as if its transport were another."""
    provider = Provider(
        importlib.import_module("vendor_adapters.anam"), label="anam", origin="test"
    )
    provider.manifest = replace(provider.manifest, transport=transport)
    return provider


def attributed(
    verdict: Verdict,
    verdicts: Mapping[str, Verdict],
    *,
    provider: Provider | None = None,
    other: Provider | None = None,
    check: CheckId = PLAY,
) -> Verdict:
    """What ``verdict`` on anam is worth beside the ``verdicts`` on others, by provider."""
    return attribution.attribute(
        check,
        verdict,
        provider or anam(),
        other,
        lambda who: (CheckId(who.name, check.requirement), verdicts[who.name]),
        reference_provider(),
    )


def test_a_failure_that_the_reference_provider_does_not_share_is_the_providers_own() -> None:
    """Where the reference provider passes, a failure stays a failure."""
    assert attributed(failed(), {"reference": PASSED}).outcome is Outcome.FAILED


def test_a_failure_that_a_known_host_defect_explains_is_blocked_by_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A shared failure that a defect of the host explains is blocked, and names the defect."""
    monkeypatch.setattr(attribution, "defect_behind", lambda _, **options: DEFECT)
    verdict = attributed(failed(), {"reference": failed()})
    assert (verdict.outcome, verdict.blocked_by) == (Outcome.BLOCKED, HostDefectRef("HD-99"))
    assert "segments vanish" in verdict.reason


def test_a_shared_failure_without_a_known_defect_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing hides behind the host: a failure of the reference provider must be explained."""
    monkeypatch.setattr(attribution, "defect_behind", lambda _, **options: None)
    verdict = attributed(failed(), {"reference": failed()})
    assert verdict.outcome is Outcome.ERROR
    assert "no known defect of the host explains it" in verdict.reason


def test_a_defect_of_another_transport_excuses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect of the host's byte streams is no excuse for a WebSocket provider."""
    monkeypatch.setattr(attribution, "defect_behind", lambda _, **options: DEFECT)
    verdict = attributed(failed(), {"reference": failed()}, provider=anam("websocket"))
    assert verdict.outcome is Outcome.FAILED


def test_another_expectation_of_the_same_check_excuses_nothing() -> None:
    """The reference provider must fail at the same expectation, figures and names aside."""
    verdict = attributed(failed(), {"reference": failed("playback_finished once")})
    assert verdict.outcome is Outcome.FAILED


def test_a_swap_partner_that_fails_with_itself_answers_for_the_pair() -> None:
    """Where the other provider fails the check with itself too, the pair is blocked by it."""
    other = Provider(importlib.import_module("vendor_adapters.bey"), label="bey", origin="test")
    verdict = attributed(failed(), {"reference": PASSED, "bey": failed()}, other=other)
    assert (verdict.outcome, verdict.blocked_by) == (Outcome.BLOCKED, CheckId("bey", "PLAY-02"))


def test_packaging_is_never_the_hosts_fault() -> None:
    """META checks judge the distribution alone."""
    verdict = failed()
    check = CheckId("anam", "META-02")
    assert attributed(verdict, {"reference": failed()}, check=check) is verdict


START = CheckId("anam", "BIND-01")
SWAP = CheckId("anam", "SWAP-01")


def of_start(label: str, observed: str = "ValueError: no") -> Verdict:
    """A verdict on a check that came no further than a start of ``label``."""
    return Verdict(Outcome.FAILED, Finding(f"start() of the {label} avatar returns", observed))


def test_a_start_that_never_works_is_one_failure() -> None:
    """A check that fails as BIND-01 does, whatever it calls its avatar, is blocked by BIND-01."""
    verdict = attribution.blocked_by_failed_start(SWAP, of_start("old"), START, of_start("avatar"))
    assert (verdict.outcome, verdict.blocked_by) == (Outcome.BLOCKED, START)
    assert verdict.reason == "anam::BIND-01 fails alike: ValueError: no"


def test_a_start_that_fails_otherwise_is_a_failure_of_its_own() -> None:
    """Only the very failure of BIND-01 hides behind it."""
    other = of_start("old", "TypeError: no")
    assert attribution.blocked_by_failed_start(SWAP, other, START, of_start("avatar")) is other


def test_a_start_that_works_blocks_nothing() -> None:
    """Where BIND-01 passes, a failed start is the failure of the check that saw it."""
    verdict = of_start("old")
    assert attribution.blocked_by_failed_start(SWAP, verdict, START, PASSED) is verdict


def test_the_start_itself_is_never_blocked() -> None:
    """BIND-01 is the failure that everything else points at."""
    start = of_start("avatar")
    assert attribution.blocked_by_failed_start(START, start, START, start) is start
