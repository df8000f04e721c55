"""One avatar in a scene: the plugin's own instance, and the workers that its sessions brought."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from livekit import rtc
from livekit.agents.voice import io

from conformance.errors import KitError
from conformance.plugin.context import AdapterContext
from conformance.plugin.manifest import Manifest
from conformance.plugin.player import ReceivedSegment
from conformance.plugin.provider import Provider
from conformance.plugin.room import Clock
from conformance.plugin.worker import Worker
from conformance.results.outcomes import Finding, Violation
from conformance.stage.interface import Backend

from .user import JOIN_TIMEOUT

SETTLE = 0.5
"""Seconds given for what follows an event without being awaited by it."""


@dataclass
class Avatar:
    """The instance under test and what the vendor's side knows of it.

    ``label`` is how the timeline names it. ``tail`` is the output that it bound, once started.
    """

    label: str
    instance: Any
    context: AdapterContext
    backend: Backend
    provider: Provider
    workers: list[Worker] = field(default_factory=list)
    tail: io.AudioOutput | None = None

    @property
    def manifest(self) -> Manifest:
        """The manifest of its provider."""
        return self.provider.manifest

    @property
    def identity(self) -> str | None:
        """The participant identity that the instance says its avatar has; None if it says none."""
        try:
            identity = getattr(self.instance, "avatar_identity", None)
        except Exception:  # a property of the plugin may raise anything: BIND-06 judges it
            return None
        return str(identity) if identity is not None else None

    @property
    def identities(self) -> frozenset[str]:
        """The identities that its participants have had in the room."""
        return frozenset(worker.identity for worker in self.workers if worker.identity)

    @property
    def heard(self) -> Sequence[ReceivedSegment]:
        """Every segment that its workers, or it itself in-process, received; oldest first."""
        segments = [segment for worker in self.workers for segment in worker.heard]
        if self.context.player is not None:
            segments.extend(self.context.player.heard)
        return sorted(segments, key=lambda segment: segment.received_at)

    @property
    def pcm(self) -> bytes:
        """All audio that its workers received, in order."""
        own = self.context.player.heard if self.context.player is not None else []
        return b"".join(
            [*(worker.pcm for worker in self.workers), *(bytes(segment.pcm) for segment in own)]
        )

    def seconds_after(self, received: int) -> float:
        """How much audio came after the first ``received`` bytes of :attr:`pcm`, in seconds.

        All of it is in the format of the newest segment.
        """
        if not self.heard:
            return 0.0
        return (len(self.pcm) - received) / self.heard[-1].bytes_per_second

    @property
    def speaker(self) -> Worker | None:
        """The worker that is sent the audio: the last one with any, else the last of all."""
        with_audio = [worker for worker in self.workers if worker.heard]
        candidates = with_audio or self.workers
        return candidates[-1] if candidates else None

    async def ready(self, agent: rtc.Room, clock: Clock) -> None:
        """Wait until every worker has joined, the agent knows, and what follows has happened.

        Raises `Violation` when the room's server refuses the token that the provider minted.
        """
        deadline = clock.now() + JOIN_TIMEOUT
        while not all(w.in_room for w in self.workers) and clock.now() < deadline:
            refused = [w.refused for w in self.workers if w.refused]
            if refused:
                raise Violation(
                    Finding(
                        "the room token that the provider minted lets the avatar join",
                        f"the room's server refused it: {refused[0]}",
                        at=clock.now(),
                    )
                )
            await clock.sleep(0.05)
        while not self._known_to(agent) and clock.now() < deadline:
            await clock.sleep(0.05)
        await clock.sleep(SETTLE)
        for worker in self.workers:
            if worker.broken is not None:
                raise KitError(f"the worker of {self.label} broke") from worker.broken

    def _known_to(self, agent: rtc.Room) -> bool:
        """Whether the agent, if it is in the room, has heard of every worker that is there."""
        present = {worker.identity for worker in self.workers if worker.in_room}
        return not agent.isconnected() or present <= set(agent.remote_participants)
