"""What is known of audio that was heard otherwise than it was pushed: where it was seen last.

Between the agent and an avatar there are two places to look at: what the chain gave to the
avatar's tail, and what the avatar received. What lies between them is the plugin's own.
"""

from __future__ import annotations

from .avatar import Avatar
from .scene import Scene
from .speech import FRAME_SECONDS, Speech

NOT_THE_TAIL = (
    "when start() returned, no sink of the new avatar was the tail: bind it before that, with "
    "output.replace_audio_tail(sink)"
)


def audio_evidence(scene: Scene, speech: Speech, *avatars: Avatar) -> str:
    """Where the audio of ``speech`` got to, in words, one clause for each of the ``avatars``."""
    since = speech.pushed[0].at if speech.pushed else scene.clock.now()
    given = [scene.given(avatar, since) for avatar in avatars]
    received = [_received(avatar, speech) for avatar in avatars]
    pushed = len(speech.pushed) * speech.frame_seconds
    clauses = [
        _clause(scene, speech, avatar, gave, got, since)
        for avatar, gave, got in zip(avatars, given, received, strict=True)
    ]
    more = sum(received) - pushed
    if more >= FRAME_SECONDS / 2 and not any("sent twice" in clause for clause in clauses):
        what = "were sent twice" if _is_last(scene, speech) else "are of a later speech"
        clauses.append(f"{more:.3f} s {what}")
    unknown = pushed - sum(map(max, given, received))
    if unknown >= FRAME_SECONDS / 2:
        clauses.append(f"{unknown:.3f} s came to no avatar's tail, or not while it was watched")
    return "; ".join(clauses)


def tail_hint(new: Avatar) -> str:
    """How to mend that ``new`` was not given its audio, where it is seen why; else empty."""
    return NOT_THE_TAIL if new.tail is None else ""


def _clause(
    scene: Scene, speech: Speech, avatar: Avatar, given: float, received: float, since: float
) -> str:
    name = f"the {avatar.label} avatar"
    if avatar.tail is None:
        return f"{name} had no tail of its own when start() returned, and received {received:.3f} s"
    what = f"{name}'s tail was given {given:.3f} s, {name} received {received:.3f} s"
    lost = given - received
    watched = avatar.label in speech.heard_before  # else it may have been given more than was seen
    if watched and _is_last(scene, speech) and -lost >= FRAME_SECONDS / 2:
        return f"{what}: {-lost:.3f} s were sent twice"
    if lost >= FRAME_SECONDS / 2:
        cleared = " before its buffer was cleared" if scene.cleared(avatar, since) else ""
        return f"{what}: {lost:.3f} s were never sent{cleared}"
    unplayed = received - sum(s.duration for s in avatar.heard if s.received_at >= since - 1e-6)
    if unplayed >= FRAME_SECONDS / 2:
        return f"{what}: {unplayed:.3f} s were sent and cleared before they were played"
    return what


def _is_last(scene: Scene, speech: Speech) -> bool:
    return speech.offset + len(speech.pcm) // 2 == scene.spoken_samples


def _received(avatar: Avatar, speech: Speech) -> float:
    if not avatar.heard:
        return 0.0
    return avatar.seconds_after(speech.heard_before.get(avatar.label, 0))


__all__ = ["NOT_THE_TAIL", "audio_evidence", "tail_hint"]
