"""FAULT: a backend, a worker or a room that misbehaves."""

from __future__ import annotations

from ..faults import ANSWER_FAULTS, CONNECTION_FAULTS, SOCKET_FAULTS, STATUS_FAULTS
from .expect import expect
from .registry import check
from .scene import Scene
from .trial import fault_named, trials

START_FAULTS = tuple(
    str(fault)
    for fault in (*STATUS_FAULTS, *CONNECTION_FAULTS, *ANSWER_FAULTS, *SOCKET_FAULTS)
    if fault.kind not in ("never-answers", "socket-closed-mid-speech", "socket-frame-not-json")
)
"""What makes a start fail at once, by name. A call that never answers is FAULT-04's."""


@check("FAULT-01", variants=START_FAULTS)
async def start_raises(scene: Scene, name: str) -> None:
    """A refused or failed session makes ``start()`` raise."""
    for trial in await trials(scene, fault_named(name)):
        expect(
            trial.raised is not None and not trial.hung,
            f"start() raises on {trial.where}",
            "start() was still waiting"
            if trial.hung
            else f"start() returned as if it had worked; the tail is {trial.tail_after}",
            hint="let the error through: the caller cannot know otherwise that no avatar will come",
            at=trial.at,
        )


@check("FAULT-02", variants=START_FAULTS)
async def tail_stays(scene: Scene, name: str) -> None:
    """After a failed ``start()`` the tail is the one that was bound before."""
    for trial in await trials(scene, fault_named(name)):
        expect(
            trial.tail_kept,
            f"after {trial.where} the tail is the one from before, {trial.tail_before}",
            f"it is {trial.tail_after}, which no avatar will ever serve",
            hint="bind after the vendor's API has accepted, or put the old tail back on failure",
            at=trial.at,
        )
