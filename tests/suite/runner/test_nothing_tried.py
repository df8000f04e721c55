"""A check of FAULT, SEC or UNBIND that has tried nothing is no pass."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any, ClassVar

import pytest

from conformance.plugin import VendorAPI, hookimpl
from conformance.plugin.provider import Provider
from conformance.reference import adapter as reference
from conformance.reference.api import ReferenceApi
from conformance.results.outcomes import CheckResult, Outcome
from conformance.suite.checks import load
from conformance.suite.registry import NEVER_EMPTY, Check, registered
from conformance.suite.scene.scene import Scene
from conformance.suite.scene.start_attempts import NO_CALL, NO_SOCKET
from conformance.suite.scene.tried import TRIED
from tests.mutants.mutant import SinkAvatar, SoundAdapter
from tests.suite.check_runner import check_runner, subject_of

pytestmark = pytest.mark.filterwarnings("ignore")  # as in test_kill_mutants


class SilentApi(ReferenceApi):
    """A client that asks the vendor nothing."""

    async def open(self, **session: Any) -> str:
        return "none"

    async def end(self, session_id: str) -> None:
        pass


class SilentAvatar(SinkAvatar):
    """An avatar that makes no HTTP call."""

    client = SilentApi


class NoCall(SoundAdapter):
    """The adapter of a provider whose vendor has no API, and that makes no call."""

    avatar = SilentAvatar
    manifest: ClassVar[dict[str, Any]] = {"capabilities": {"joins_room": False}}

    @hookimpl
    def vendor_backend(self) -> VendorAPI:
        return VendorAPI()


class AllLater(SoundAdapter):
    """An adapter that says of every call that start() does not make it."""

    @hookimpl
    def vendor_backend(self) -> VendorAPI:
        return VendorAPI(*(replace(c, when="later") for c in reference.vendor_backend().calls))


class NoSecret(SoundAdapter):
    """The adapter of a provider that declares no secret of its own."""

    manifest: ClassVar[dict[str, Any]] = {
        "credentials": [{"name": "api_key", "environment": "REFERENCE_API_KEY", "secret": False}]
    }


@cache
def judged(adapter: type[SoundAdapter], *families: str) -> dict[str, CheckResult]:
    """What the checks of some families, or requirements, say of an adapter's provider, by id."""
    provider = Provider(adapter(), label="odd", origin="a test", source="file")
    subject = subject_of(provider)
    runner = check_runner()
    results = [
        runner.run(subject, check, variant)
        for check in subject.checks
        if check.requirement.startswith(families)
        for variant in check.variants or (None,)
    ]
    return {str(result.id).partition("::")[2]: result for result in results}


def of_requirement(requirement: str) -> Check:
    """The first check of a requirement."""
    load()
    return next(check for check in registered() if check.requirement == requirement)


def test_faults_of_a_provider_that_makes_no_call_are_not_applicable() -> None:
    """Of the 40 checks that break a call of start(), none passes where there is no call."""
    results = judged(NoCall, "FAULT-01", "FAULT-02", "FAULT-03", "FAULT-04", "FAULT-05", "FAULT-08")
    http = {name: r for name, r in results.items() if "socket" not in name}
    assert {r.outcome for r in results.values()} == {Outcome.NOT_APPLICABLE}
    assert {r.reason for r in http.values()} == {NO_CALL}


def test_a_failing_vendor_is_not_applicable_to_a_close_that_asks_it_nothing() -> None:
    """UNBIND-10 counts the faults that aclose() met, of the vendor and of the room apart."""
    results = judged(NoCall, "UNBIND-10")
    assert results["UNBIND-10[backend-500]"].outcome is Outcome.NOT_APPLICABLE
    assert results["UNBIND-10[backend-500]"].reason == "aclose() asks nothing of the vendor's API"


def test_a_call_that_is_declared_later_and_made_by_start_is_an_error_of_the_adapter() -> None:
    """An adapter cannot declare its calls away; the error names the call and the mend."""
    results = judged(AllLater, "BIND-01", "FAULT-01", "SEC-02", "UNBIND-03")
    start = results["BIND-01"]
    assert start.outcome is Outcome.ERROR
    assert "start() does not make the call 'open session'" in start.reason
    assert "leave `when` out of that Call" in start.reason
    assert Outcome.PASSED not in {r.outcome for r in results.values()}


def test_faults_of_a_socket_need_one() -> None:
    """A provider without a WebSocket passes no check of one."""
    result = judged(SoundAdapter, "FAULT-01")["FAULT-01[socket-closed-at-once]"]
    assert (result.outcome, result.reason) == (Outcome.NOT_APPLICABLE, NO_SOCKET)


@pytest.mark.parametrize("adapter", [SoundAdapter, NoSecret])
def test_no_check_of_these_families_passes_that_has_tried_nothing(
    adapter: type[SoundAdapter],
) -> None:
    """Whatever passes counts what it declares to try."""
    results = judged(adapter, *NEVER_EMPTY)
    empty = [
        name
        for name, result in results.items()
        if result.outcome is Outcome.PASSED
        and not result.tried.get(of_requirement(result.id.requirement).tries)
    ]
    assert not empty
    assert any(result.outcome is Outcome.PASSED for result in results.values())


def test_every_check_of_these_families_declares_what_it_tries() -> None:
    """What is declared is one of the counts that there are."""
    checks = [c for c in registered() if c.requirement.partition("-")[0] in NEVER_EMPTY]
    assert {check.tries for check in checks} <= set(TRIED)


def test_a_check_that_passes_and_has_tried_nothing_is_an_error() -> None:
    """The kit's own mistake is no pass: the result says what was missing."""

    async def nothing(scene: Scene) -> None:
        await scene.start_session()

    check = replace(of_requirement("FAULT-06"), function=nothing, control=None)
    provider = Provider(SoundAdapter(), label="sound", origin="a test", source="file")
    result = check_runner().run(subject_of(provider), check)
    assert result.outcome is Outcome.ERROR
    assert result.reason == (
        "the check passed and has tried nothing; of the starts that were cancelled, which it "
        "judges: none"
    )


def test_a_result_counts_what_was_tried() -> None:
    """The counts are of this check: a start, its request, the fault that met it."""
    result = judged(SoundAdapter, "FAULT-01")["FAULT-01[401]"]
    assert result.tried == {"calls": 1, "faults": 1, "starts": 1, "closes": 1}
