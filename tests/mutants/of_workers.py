"""Mutants whose part in the room, the worker, is not what its agent takes it for."""

from __future__ import annotations

import asyncio
from typing import Any

from livekit import rtc

from conformance.plugin.worker import ByteStreamWorker

from .mutant import Kill, mutant


@mutant(
    Kill("PLAY-02", "the speech completes within"),
    story="keyframe: its framed mode needs a receiver of its own",
)
class WorkerNeverReports(ByteStreamWorker):
    def notify_finished(self, position: float, *, interrupted: bool) -> None:
        return


@mutant(
    Kill("PLAY-02", "what was pushed; observed 0.000 s"),
    Kill("SWAP-06", "of speech on the recording's agent channel"),
    story="a worker that always reports zero",
)
class WorkerReportsZero(ByteStreamWorker):
    def notify_finished(self, position: float, *, interrupted: bool) -> None:
        super().notify_finished(0.0, interrupted=interrupted)


@mutant(
    Kill("PLAY-07", "segments finished at 0.700 s, 1.200 s, 0.400 s, in this order"),
    story="a worker that reports each end twice: the second one ends the next segment",
)
class WorkerReportsTwice(ByteStreamWorker):
    def notify_finished(self, position: float, *, interrupted: bool) -> None:
        super().notify_finished(position, interrupted=interrupted)
        super().notify_finished(position, interrupted=interrupted)


@mutant(
    Kill("PLAY-02", "finished at"),
    story="a worker that reports the end with the last packet it gets",
)
class WorkerReportsEarly(ByteStreamWorker):
    def notify_finished(self, position: float, *, interrupted: bool) -> None:
        super().notify_finished(max(0.0, position - 0.3), interrupted=interrupted)


@mutant(
    Kill("PLAY-09", "no playback_started"),
    story="a worker that never sends lk.playback_started, which the manifest claims",
)
class WorkerNeverSaysStarted(ByteStreamWorker):
    def notify_started(self) -> None:
        return


@mutant(
    Kill("PLAY-03", "reported as played to the end", "one-answering"),
    story="a worker that reports every end as an end",
)
class WorkerNeverInterrupted(ByteStreamWorker):
    def notify_finished(self, position: float, *, interrupted: bool) -> None:
        super().notify_finished(position, interrupted=False)


@mutant(
    Kill("BIND-07", "one AvatarMetrics with avatar_joined_time"),
    story="a worker that joins without video",
)
class WorkerWithoutVideo(ByteStreamWorker):
    async def joined(self, room: rtc.Room, attributes: Any) -> None:
        await super().joined(room, attributes)
        await asyncio.sleep(20)
