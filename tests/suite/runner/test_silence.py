"""Speech that never reaches the avatar is one failure, with what the plugin waits for."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from livekit import rtc

from conformance.plugin.provider import Provider
from conformance.reference.avatar import SAMPLE_RATE
from conformance.results.outcomes import CheckResult, Outcome
from tests.mutants.mutant import SoundAdapter
from tests.mutants.robust import SoundAvatar, SoundSink
from tests.suite.check_runner import check_runner, subject_of

LISTENING = ("BIND-02", "BIND-04", "SWAP-01", "PLAY-02", "PLAY-03", "UNBIND-04", "SEC-02")


class WaitingSink(SoundSink):
    """Sends nothing before it is told that the avatar is ready."""

    ready: asyncio.Event

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await self.ready.wait()
        await super().capture_frame(frame)


class Waiting(SoundAvatar):
    """An avatar that a data message of the vendor's worker makes ready, which never comes."""

    sink: type[SoundSink] = WaitingSink

    def _sink(self) -> Any:
        assert self._own_room is not None
        sink: Any = self.sink(
            self._own_room, destination_identity=self._identity, sample_rate=SAMPLE_RATE
        )
        sink.ready = asyncio.Event()
        self._own_room.on("data_received", lambda packet: sink.ready.set())
        return sink


class DroppingSink(SoundSink):
    """Takes frames and sends none of them."""

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        return None

    def flush(self) -> None:
        return None


class Dropping(SoundAvatar):
    """An avatar that drops what it is given."""

    def _sink(self) -> Any:
        assert self._own_room is not None
        return DroppingSink(
            self._own_room, destination_identity=self._identity, sample_rate=SAMPLE_RATE
        )


def judged(avatar: Any, *requirements: str) -> dict[str, CheckResult]:
    """What these checks say of the robust provider with another avatar."""
    adapter: Any = type("Adapter", (SoundAdapter,), {"avatar": avatar})()
    adapter.manifest = {"name": "silent"}
    subject = subject_of(Provider(adapter, label="silent", origin="a test", source="file"))
    runner = check_runner()
    results = [
        runner.run(subject, check, variant)
        for check in subject.checks
        if check.requirement in requirements
        for variant in check.variants or (None,)
    ]
    return {str(result.id).partition("::")[2]: result for result in results}


def test_a_plugin_that_waits_for_what_never_comes_fails_one_check() -> None:
    """The others are blocked by it, and it says where the plugin waits and what it listens for."""
    results = judged(Waiting, *LISTENING)
    failed = results.pop("BIND-04")
    assert failed.outcome is Outcome.FAILED
    assert failed.finding is not None
    assert failed.finding.expected == "speech reaches the avatar"
    assert "no speech ever reached the avatar" in failed.finding.observed
    place = rf"{__name__}:WaitingSink\.capture_frame, line \d+, waits for an event"
    assert re.search(place, failed.finding.observed)
    assert "room listener for 'data_received'" in failed.finding.observed
    assert "avatar_worker()" in failed.finding.hint
    outcomes = {result.outcome for result in results.values()}
    assert outcomes == {Outcome.BLOCKED}
    assert {str(result.blocked_by) for result in results.values()} == {"silent::BIND-04"}


def test_a_plugin_that_drops_the_audio_is_told_so() -> None:
    """Where nothing of the plugin waits, it has the audio and does not send it."""
    result = judged(Dropping, "BIND-04")["BIND-04"]
    assert result.outcome is Outcome.FAILED
    assert result.finding is not None
    assert "no speech ever reached the avatar" in result.finding.observed


def test_silence_that_a_check_asks_for_blocks_nothing() -> None:
    """A plugin that is heard elsewhere is judged by what a check of silence finds."""

    class Deaf(SoundAvatar):
        async def aclose(self) -> None:
            raise RuntimeError("closed badly")

    results = judged(Deaf, "BIND-04", "UNBIND-01")
    assert results["BIND-04"].outcome is Outcome.PASSED
    assert Outcome.FAILED in {r.outcome for name, r in results.items() if "UNBIND" in name}
