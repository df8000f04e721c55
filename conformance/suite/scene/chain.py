"""The chain of audio outputs as a check sees it: its events and its listeners."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from livekit.agents import AgentSession
from livekit.agents.voice import io

from conformance import host
from conformance.endpoint import SwapPoint
from conformance.results.timeline import Timeline


@dataclass(frozen=True)
class Finished:
    """A playback_finished as the top of the chain heard it; ``at`` by the stage's clock."""

    at: float
    position: float
    interrupted: bool
    transcript: str | None


@dataclass
class PlaybackEventLog:
    """A user's listeners on ``session.output.audio``: every playback event, in order."""

    timeline: Timeline
    output: io.AudioOutput
    started: list[float] = field(default_factory=list)
    finished: list[Finished] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.output.on("playback_started", self._on_started)
        self.output.on("playback_finished", self._on_finished)

    def detach(self) -> None:
        """Stop listening."""
        self.output.off("playback_started", self._on_started)
        self.output.off("playback_finished", self._on_finished)

    def _on_started(self, event: io.PlaybackStartedEvent) -> None:
        self.timeline.record("agent", "playback_started")
        self.started.append(self.timeline.events[-1].at)

    def _on_finished(self, event: io.PlaybackFinishedEvent) -> None:
        self.timeline.record(
            "agent",
            "playback_finished",
            position=round(event.playback_position, 6),
            interrupted=event.interrupted,
        )
        self.finished.append(
            Finished(
                self.timeline.events[-1].at,
                event.playback_position,
                event.interrupted,
                event.synchronized_transcript,
            )
        )


@dataclass(frozen=True)
class Chain:
    """The outputs from ``session.output.audio`` down, as they were at one moment.

    ``listeners`` has, for each wrapper and each event, the functions that listen to it.
    """

    outputs: tuple[io.AudioOutput, ...]
    transcription: io.TextOutput | None
    listeners: tuple[tuple[str, tuple[object, ...]], ...]

    @classmethod
    def of(cls, session: AgentSession[None]) -> Chain:
        """The chain of ``session`` now."""
        outputs: list[io.AudioOutput] = []
        current = session.output.audio
        while current is not None:
            outputs.append(current)
            current = current.next_in_chain
        wrappers = outputs[:-1]
        return cls(
            tuple(outputs),
            session.output.transcription,
            tuple(
                (f"{output.label}.{event}", host.listeners(output, event))
                for output in wrappers
                for event in ("playback_started", "playback_finished")
            ),
        )

    @property
    def tail(self) -> io.AudioOutput | None:
        """The output at the bottom."""
        return self.outputs[-1] if self.outputs else None

    @property
    def wrappers(self) -> tuple[io.AudioOutput, ...]:
        """Everything above the tail that is not a swap point."""
        return tuple(
            output
            for output in self.outputs[:-1]
            if not host.is_swap_point(output) and not isinstance(output, SwapPoint)
        )

    def labels(self) -> str:
        """The chain in words, top first."""
        return " -> ".join(describe(output) for output in self.outputs) or "nothing"


def describe(output: io.AudioOutput | None) -> str:
    """The class of an output, without the underscore that hosts give some of theirs."""
    return type(output).__name__.lstrip("_") if output is not None else "nothing"


def same(left: Sequence[object], right: Sequence[object]) -> bool:
    """Whether both hold the very same objects in the same order."""
    return len(left) == len(right) and all(a is b for a, b in zip(left, right, strict=True))
