"""Work that virtual time cannot wait for: the kit's limit, and a capability that lifts it."""

from __future__ import annotations

import asyncio
import subprocess
from typing import Any

import pytest

from conformance.loopback.real_time import RealTimeClock, TooLong, run_in_real_time
from conformance.loopback.virtual_time import event_loop
from conformance.plugin.provider import Provider
from conformance.results.outcomes import CheckResult, Outcome
from tests.mutants.mutant import SoundAdapter
from tests.mutants.robust import SoundAvatar
from tests.suite.check_runner import run_check, subject_of


class Rendering(SoundAvatar):
    """An avatar that starts by half a second of work in a child process."""

    async def start(self, *args: Any, **options: Any) -> None:
        await asyncio.to_thread(subprocess.run, ["sleep", "0.5"], check=True)
        await super().start(*args, **options)


def judged(requirement: str, **capabilities: bool) -> CheckResult:
    """What a check says of the rendering avatar, with these capabilities."""
    adapter: Any = type("Adapter", (SoundAdapter,), {"avatar": Rendering})()
    adapter.manifest = {"capabilities": capabilities}
    provider = Provider(adapter, label="rendering", origin="a test", source="file")
    subject = subject_of(provider)
    (check,) = (c for c in subject.checks if c.requirement == requirement)
    return run_check(subject, check, None)


def test_work_that_takes_too_long_is_an_error_of_the_kit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugin has failed nothing; the reason says where it works, and both ways out."""
    monkeypatch.setattr(event_loop, "THREAD_PATIENCE", 0.2)
    result = judged("BIND-01")
    assert result.outcome is Outcome.ERROR
    assert "subprocess.py" in result.reason
    assert "capability real_time" in result.reason
    assert "--live" in result.reason


def test_a_provider_that_says_so_is_judged_in_real_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the work takes, within the manifest's bounds, it is no limit of the kit."""
    monkeypatch.setattr(event_loop, "THREAD_PATIENCE", 0.2)
    result = judged("BIND-01", real_time=True)
    assert result.outcome is Outcome.PASSED
    assert result.simulated_seconds > 0.5


def test_what_needs_virtual_time_does_not_apply_then() -> None:
    """A segment of ten minutes is not played in real time, and the rule says so."""
    result = judged("PLAY-08", real_time=True)
    assert result.outcome is Outcome.NOT_APPLICABLE
    assert result.reason == "needs virtual time: a segment of 10 minutes"


def test_a_scenario_in_real_time_has_a_limit() -> None:
    """A scenario that hangs is cancelled, and what it left behind is too."""
    ended: list[str] = []

    async def background() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("background")

    async def main(clock: RealTimeClock) -> None:
        task = asyncio.ensure_future(background())
        await task

    with pytest.raises(TooLong, match=r"not done after 0\.05 s of real time"):
        run_in_real_time(main, limit=0.05)
    assert ended == ["background"]
