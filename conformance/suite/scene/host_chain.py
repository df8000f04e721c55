"""Scene of the HOST checks: fake tails, a wrapper, listeners, and the two swap mechanisms."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from livekit import rtc
from livekit.agents.voice import io

from conformance import host
from conformance.endpoint import SwapPoint, insert_swap_point, swap_audio_endpoint
from conformance.errors import exception_text
from conformance.plugin.room import Clock
from conformance.results.outcomes import Finding, NotApplicable, Violation
from conformance.results.timeline import Timeline

RATE = 24000
FRAME = 0.02
"""Length of one frame, in seconds."""

Wrap = Callable[[io.AudioOutput], io.AudioOutput]


class SwapMechanism(Protocol):
    """One mechanism that exchanges the tail of a chain of audio outputs."""

    label: str

    def wrap(self, below: io.AudioOutput, make: Wrap) -> io.AudioOutput:
        """Put the wrapper ``make(below)`` above ``below``, and a swap point where one is due."""

    def is_swap_point(self, output: io.AudioOutput) -> bool:
        """Whether ``output`` is a swap point of this mechanism."""

    def agent_output(self) -> io.AgentOutput:
        """An `AgentOutput` with nothing in it."""

    def swap(self, output: io.AgentOutput, sink: io.AudioOutput) -> None:
        """Make ``sink`` the tail of ``output``'s chain."""

    def unbind(self, output: io.AgentOutput) -> None:
        """Leave nothing bound; raises `NotApplicable` where the mechanism knows no such state."""


class HostSwap:
    """The installed livekit-agents' own mechanism."""

    label = "host"

    def wrap(self, below: io.AudioOutput, make: Wrap) -> io.AudioOutput:
        """Wrap; the host puts its swap point in by itself."""
        return make(below)

    def is_swap_point(self, output: io.AudioOutput) -> bool:
        """Whether ``output`` is the host's swap point."""
        return host.is_swap_point(output)

    def agent_output(self) -> io.AgentOutput:
        """An `AgentOutput` with nothing in it."""
        return io.AgentOutput(_nothing, _nothing, _nothing)

    def swap(self, output: io.AgentOutput, sink: io.AudioOutput) -> None:
        """Replace the tail by the host's own call; a host without one fails by that."""
        host.replace_tail(output, sink)

    def unbind(self, output: io.AgentOutput) -> None:
        """No released host can."""
        raise NotApplicable(f"livekit-agents {host.version()} has no call that unbinds the tail")


class EndpointSwap(HostSwap):
    """The project's own endpoint, on the installed livekit-agents."""

    label = "endpoint"

    def wrap(self, below: io.AudioOutput, make: Wrap) -> io.AudioOutput:
        """Wrap, and insert the endpoint's swap point as the first swap would."""
        root = make(below)
        insert_swap_point(root, attached=False)
        return root

    def is_swap_point(self, output: io.AudioOutput) -> bool:
        """Whether ``output`` is the endpoint's swap point."""
        return isinstance(output, SwapPoint)

    def swap(self, output: io.AgentOutput, sink: io.AudioOutput) -> None:
        """Bind ``sink`` by `swap_audio_endpoint`."""
        swap_audio_endpoint(output, sink)

    def unbind(self, output: io.AgentOutput) -> None:
        """Bind nothing."""
        swap_audio_endpoint(output, None)


def swap_mechanisms() -> tuple[SwapMechanism, ...]:
    """The mechanisms that the HOST checks judge."""
    return (HostSwap(), EndpointSwap())


def _nothing() -> None:
    pass


class Wrapper(io.AudioOutput):
    """A wrapper as an application writes one: passes everything on."""

    def __init__(self, below: io.AudioOutput) -> None:
        super().__init__(
            label="wrapper",
            capabilities=io.AudioOutputCapabilities(pause=True),
            next_in_chain=below,
        )

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Pass a frame on."""
        await super().capture_frame(frame)
        if self.next_in_chain is not None:
            await self.next_in_chain.capture_frame(frame)

    def flush(self) -> None:
        """Pass it on."""
        super().flush()
        if self.next_in_chain is not None:
            self.next_in_chain.flush()

    def clear_buffer(self) -> None:
        """Pass it on."""
        if self.next_in_chain is not None:
            self.next_in_chain.clear_buffer()


@dataclass
class _Queued:
    pushed: float = 0.0
    ended: bool = False


class ScriptedTail(io.AudioOutput):
    """A tail that plays what it is given by the loop's clock, one segment after the other.

    ``frames`` and ``calls`` keep everything that it was given and told. With ``progress`` it also
    reports what it has played, as the host's own track output does. What follows from a flush or a
    clear it tells in a later iteration of the loop.
    """

    def __init__(
        self,
        scene: ChainScene,
        name: str,
        *,
        sample_rate: int | None = None,
        can_pause: bool = False,
        progress: bool = False,
    ) -> None:
        super().__init__(
            label=name,
            capabilities=io.AudioOutputCapabilities(pause=can_pause),
            sample_rate=sample_rate,
        )
        self.frames: list[bytes] = []
        self.calls: list[str] = []
        self._scene = scene
        self._progress = progress
        self._queue: deque[_Queued] = deque()
        self._began = 0.0
        self._timer: asyncio.TimerHandle | None = None

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Take a frame."""
        await super().capture_frame(frame)
        self.frames.append(bytes(frame.data))
        if not self._queue or self._queue[-1].ended:
            self._note("capture")
            self._queue.append(_Queued())
            if len(self._queue) == 1:
                self._begin()
        self._queue[-1].pushed += frame.duration

    def flush(self) -> None:
        """The segment is complete."""
        super().flush()
        self._note("flush")
        if self._queue and not self._queue[-1].ended:
            self._queue[-1].ended = True
            self._await_end()

    def clear_buffer(self) -> None:
        """Stop at once."""
        self._note("clear")
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._queue:
            played = min(self._queue[0].pushed, time.time() - self._began)
            self._report(played)
            loop = asyncio.get_running_loop()
            for number in range(len(self._queue)):
                loop.call_soon(self._finished, 0.0 if number else played, True)
            self._queue.clear()

    def on_attached(self) -> None:
        """Take note."""
        self._note("attach")

    def on_detached(self) -> None:
        """Take note."""
        self._note("detach")

    def told(self, *calls: str) -> list[str]:
        """Which of ``calls`` were made, in order."""
        return [call for call in self.calls if call in calls]

    def _note(self, call: str) -> None:
        self.calls.append(call)
        self._scene.timeline.record("tail", call, self.label)

    def _begin(self) -> None:
        self._began = time.time()
        self.on_playback_started(created_at=self._began)

    def _await_end(self) -> None:
        head = self._queue[0]
        if head.ended and self._timer is None:
            left = max(0.0, self._began + head.pushed - time.time())
            self._timer = asyncio.get_running_loop().call_later(left, self._end)

    def _end(self) -> None:
        self._timer = None
        pushed = self._queue.popleft().pushed
        self._report(pushed)
        self._finished(pushed, False)
        if self._queue:
            self._begin()
            self._await_end()

    def _report(self, played: float) -> None:
        if self._progress:
            host.report_progress(self, started_at=self._began, offset=0.0, duration=played)

    def _finished(self, position: float, interrupted: bool) -> None:
        self.on_playback_finished(playback_position=position, interrupted=interrupted)


@dataclass(frozen=True)
class PlaybackEvent:
    """One playback event at the top of a chain; ``position`` is the offset of progress."""

    at: float
    kind: Literal["started", "progressed", "finished"]
    position: float = 0.0
    duration: float = 0.0
    interrupted: bool = False


@dataclass
class Listener:
    """A user's listeners on one output; ``heard`` has every playback event, in order."""

    scene: ChainScene
    output: io.AudioOutput
    heard: list[PlaybackEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.output.on("playback_started", self._on_started)
        self.output.on("playback_finished", self._on_finished)
        self.output.on("playback_progressed", self._on_progressed)  # type: ignore[arg-type,unused-ignore]

    def of(self, kind: str) -> list[PlaybackEvent]:
        """The playback events of one kind."""
        return [event for event in self.heard if event.kind == kind]

    @property
    def words(self) -> str:
        """The playback events as a finding tells them; progress left out."""
        told = [
            f"finished at {e.position:.2f} s{' interrupted' if e.interrupted else ''}"
            if e.kind == "finished"
            else e.kind
            for e in self.heard
            if e.kind != "progressed"
        ]
        return ", ".join(told) or "nothing"

    def _on_started(self, event: io.PlaybackStartedEvent) -> None:
        self._keep(PlaybackEvent(self.scene.clock.now(), "started"))

    def _on_progressed(self, event: io.PlaybackProgressedEvent) -> None:
        self._keep(
            PlaybackEvent(self.scene.clock.now(), "progressed", event.offset, event.duration)
        )

    def _on_finished(self, event: io.PlaybackFinishedEvent) -> None:
        now, position = self.scene.clock.now(), event.playback_position
        self._keep(PlaybackEvent(now, "finished", position, interrupted=event.interrupted))

    def _keep(self, event: PlaybackEvent) -> None:
        self.heard.append(event)
        self.scene.timeline.record(
            "wrappers",
            f"playback_{event.kind}",
            self.output.label,
            position=round(event.position, 6),
            interrupted=event.interrupted,
        )


@dataclass
class ChainScene:
    """A HOST check's scene: a swap mechanism, the clock, and the timeline."""

    chain: SwapMechanism
    clock: Clock
    timeline: Timeline
    _frames: int = 0

    def bound(self, root: io.AudioOutput | None) -> io.AgentOutput:
        """An agent's output with ``root`` in it."""
        output = self.chain.agent_output()
        output.audio = root
        return output

    def wrapped(self, leaf: io.AudioOutput) -> tuple[io.AgentOutput, Listener]:
        """An agent's output with a wrapper above a leaf, and a listener on the wrapper."""
        root = self.wrap(leaf)
        return self.bound(root), Listener(self, root)

    def wrap(self, below: io.AudioOutput, make: Wrap = Wrapper) -> io.AudioOutput:
        """Put a wrapper above ``below``."""
        return self.chain.wrap(below, make)

    def swap(self, output: io.AgentOutput, sink: io.AudioOutput) -> None:
        """Make ``sink`` the tail."""
        self._act("swap", lambda: self.chain.swap(output, sink))

    def unbind(self, output: io.AgentOutput) -> None:
        """Leave nothing bound."""
        self._act("unbind", lambda: self.chain.unbind(output))

    def swap_points(self, root: io.AudioOutput | None) -> list[io.AudioOutput]:
        """The swap points in the chain below ``root``."""
        return [output for output in host.chain_of(root) if self.chain.is_swap_point(output)]

    async def push(self, root: io.AudioOutput, seconds: float) -> list[bytes]:
        """Capture frames of ``seconds`` in all, no two alike; returns their audio."""
        pushed = []
        for _ in range(round(seconds / FRAME)):
            self._frames += 1
            data = self._frames.to_bytes(2, "little") * round(FRAME * RATE)
            frame = rtc.AudioFrame(data, RATE, 1, round(FRAME * RATE))
            await self._bounded(root.capture_frame(frame), "capture_frame returns")
            pushed.append(data)
        return pushed

    async def speak(self, root: io.AudioOutput, seconds: float) -> None:
        """Capture and flush one segment."""
        await self.push(root, seconds)
        root.flush()

    async def finished(self, root: io.AudioOutput, *, within: float = 10.0) -> None:
        """Wait until every segment of ``root`` has finished, or raise `Violation`."""
        await self._bounded(root.wait_for_playout(), "wait_for_playout() returns", within)

    async def _bounded(self, call: object, what: str, seconds: float = 10.0) -> None:
        began = self.clock.now()
        try:
            await asyncio.wait_for(call, seconds)  # type: ignore[arg-type]
        except asyncio.TimeoutError:
            raise Violation(
                Finding(f"{what} in bounded time", f"it hung for {seconds:g} s", at=began)
            ) from None

    def _act(self, what: str, call: Callable[[], None]) -> None:
        self.timeline.record("check", what)
        try:
            call()
        except NotApplicable:
            raise
        except host.NoSwapCall as missing:
            raise Violation(
                Finding(
                    "the host can exchange the tail of a chain", str(missing), at=self.clock.now()
                )
            ) from missing
        except Exception as error:  # whatever the mechanism raises is what is judged here
            raise Violation(
                Finding(
                    f"the {what} works",
                    f"it raised {exception_text(error)}",
                    at=self.clock.now(),
                )
            ) from error
