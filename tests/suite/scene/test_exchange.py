from __future__ import annotations

import asyncio
from typing import Any

import pytest

from conformance.endpoint import AvatarSwitcher, Order, current_endpoint, swap_audio_endpoint
from conformance.loopback.stage import LoopbackRunner
from conformance.plugin.provider import Provider
from conformance.reference import adapter as reference_adapter
from conformance.results.outcomes import CheckResult, Outcome
from conformance.suite.checks import load
from conformance.suite.registry import registered
from conformance.suite.runner.runner import CheckRunner
from conformance.suite.runner.subjects import Subject
from conformance.suite.scene import exchange


def judged(requirement: str, variant: str | None = None) -> CheckResult:
    """What a check says of the switcher, with the reference provider's avatars."""
    load()
    (check,) = (c for c in registered() if c.requirement == requirement and c.exchange)
    provider = Provider(reference_adapter, label="acme", origin="a test")
    runner = CheckRunner(LoopbackRunner(), attribution=False, exchange=exchange.SWITCHER)
    subject = Subject("acme", (check,), provider=provider, peers={"acme": provider})
    return runner.run(subject, check, variant)


class ClosesNothing(AvatarSwitcher):
    async def release(self, **options: Any) -> None:
        self._current = None


class ReplacesTheOutput(AvatarSwitcher):
    async def swap(self, avatar: Any, *, order: Order | None = None) -> None:
        await super().swap(avatar, order=order)
        tail = current_endpoint(self._session.output)
        swap_audio_endpoint(self._session.output, None)
        self._session.output.audio = tail


class UnbindsOnFailure(AvatarSwitcher):
    async def swap(self, avatar: Any, *, order: Order | None = None) -> None:
        try:
            await super().swap(avatar, order=order)
        except Exception:
            swap_audio_endpoint(self._session.output, None)
            raise


class UnbindsAnything(AvatarSwitcher):
    async def release(self, **options: Any) -> None:
        await super().release(**options)
        swap_audio_endpoint(self._session.output, None)


class EndsSpeechFirst(AvatarSwitcher):
    async def swap(self, avatar: Any, *, order: Order | None = None) -> None:
        swap_audio_endpoint(self._session.output, None)
        await asyncio.sleep(0.1)
        await super().swap(avatar, order=order)


class ForgetsItsListeners(AvatarSwitcher):
    async def swap(self, avatar: Any, *, order: Order | None = None) -> None:
        await super().swap(avatar, order=order)
        self._room.on("participant_connected", lambda _: None)


@pytest.mark.needs("livekit-agents>=1.6.1")
@pytest.mark.parametrize(
    ("broken", "requirement", "variant", "says"),
    [
        (ClosesNothing, "UNBIND-05", None, "1 of 1 still open and billed"),
        (ReplacesTheOutput, "SWAP-01", "start-then-close", "0 time(s)"),
        (UnbindsOnFailure, "SWAP-12", "start-then-close", "it heard"),
        (UnbindsAnything, "UNBIND-03", None, "Unbound"),
        (EndsSpeechFirst, "SWAP-02", "start-then-close", "together they heard"),
        (ForgetsItsListeners, "UNBIND-04", None, "participant_connected"),
    ],
)
def test_a_broken_switcher_is_found(
    broken: type[AvatarSwitcher],
    requirement: str,
    variant: str | None,
    says: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The checks of an exchange pass the kit's own switcher, and fail each of these."""
    sound = judged(requirement, variant)
    assert sound.outcome is Outcome.PASSED, sound.finding
    monkeypatch.setattr(exchange, "AvatarSwitcher", broken)
    result = judged(requirement, variant)
    assert result.outcome is Outcome.FAILED
    assert result.finding is not None
    assert says in result.finding.observed
