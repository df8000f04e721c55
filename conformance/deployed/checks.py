"""WORK: what a vendor's worker does in the room, judged by what was seen and heard there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from conformance.suite.registry import Check
from conformance.suite.scene.expect import expect, fail, seconds

from . import scenarios
from .audible_code import BLOCK
from .recording import Recording, Report, Segment, faults
from .scene import BOUND

AGREEMENT = 0.15
"""How far a report may be from what was heard, in seconds."""
PATH = 0.3
"""How much later than it was played a block may be heard: jitter buffer, network, listener."""
SILENT_AFTER = 0.3
"""Within how many seconds after a clear there is silence."""

CHECKS: list[Check] = []
Judge = Callable[[Recording], None]


def _work(requirement: str, scenario: Callable[..., Awaitable[Any]]) -> Callable[[Judge], Judge]:
    def declare(judge: Judge) -> Judge:
        CHECKS.append(Check(requirement, judge, scenario=scenario))
        return judge

    return declare


def _there(recording: Recording) -> None:
    """Raise where the avatar never came: nothing else can be judged then."""
    others = f"; in the room is {', '.join(recording.strangers)}" if recording.strangers else ""
    ended = f"; {recording.ended_by_itself}" if recording.ended_by_itself else ""
    expect(
        recording.joined is not None,
        f"the avatar joins as {recording.identity!r}, as its token says, within {BOUND:g} s",
        f"it never came{others}{ended}",
        hint="connect with the token that the worker was given, and with no other",
        at=recording.began,
    )


def _stays(recording: Recording) -> None:
    if recording.left is not None:
        ended = f"; {recording.ended_by_itself}" if recording.ended_by_itself else ""
        fail(
            "the avatar stays in the room while the agent is there",
            f"it left {recording.left - recording.began:.1f} s after it was called{ended}",
            hint="stay until the agent has gone, or the vendor's API ends the session",
            at=recording.left,
        )


def _whole(recording: Recording, segment: Segment, what: str) -> None:
    _there(recording)
    blocks = recording.of(segment)
    if not blocks:
        fail(
            f"{what} is heard: {segment.blocks} blocks, {seconds(segment.seconds)}",
            "nothing of it was heard" + (f"; {_gone(recording)}" if _gone(recording) else ""),
            hint="play every byte stream of topic lk.audio_stream, whatever became of the last",
            at=segment.at,
        )
    wrong = faults(segment, blocks)
    expect(
        not wrong,
        f"{what} is heard whole, in order, once: {segment.blocks} blocks",
        str(wrong),
        hint="publish every sample once, from the first on",
        at=segment.at,
    )


def _gone(recording: Recording) -> str:
    if recording.left is None:
        return recording.ended_by_itself
    ended = f"; {recording.ended_by_itself}" if recording.ended_by_itself else ""
    return f"the avatar had left the room{ended}"


def _end_of(recording: Recording, segment: Segment) -> float:
    heard = recording.of(segment)
    return max(block.end for block in heard) if heard else segment.at


def _finished_whole(recording: Recording, segment: Segment, report: Report, what: str) -> None:
    position = report.position or 0.0
    expect(
        not report.interrupted,
        f"{what} is reported as played to the end",
        "it is reported as interrupted",
        at=report.at,
    )
    heard_to = _end_of(recording, segment)
    expect(
        report.at >= heard_to - PATH - AGREEMENT,
        f"playback_finished comes when {what} has been heard to its end",
        f"it comes {heard_to - report.at:.2f} s before the last block was heard",
        hint="report the end when the last sample has been played, not when it was received",
        at=report.at,
    )
    expect(
        report.at <= heard_to + AGREEMENT + BLOCK,
        f"playback_finished comes within {AGREEMENT * 1000:.0f} ms of the end of {what}",
        f"it comes {report.at - heard_to:.2f} s after the last block was heard",
        at=report.at,
    )
    expect(
        abs(position - segment.seconds) <= AGREEMENT,
        f"{what} is reported at {seconds(segment.seconds)}, what was heard of it",
        f"at {seconds(position)}",
        hint="count what was played of this segment alone",
        at=report.at,
    )


@_work("WORK-01", scenarios.one_segment)
def joins_and_stays(recording: Recording) -> None:
    """The worker joins as its token says, within bounds, and stays."""
    _there(recording)
    assert recording.joined is not None
    late = recording.joined - recording.began
    expect(late <= BOUND, f"the avatar joins within {BOUND:g} s", f"after {late:.1f} s")
    expect(
        not recording.strangers,
        f"nobody but {recording.identity!r} joins",
        f"so did {', '.join(recording.strangers)}",
    )
    _stays(recording)


@_work("WORK-02", scenarios.one_segment)
def shows_and_sounds(recording: Recording) -> None:
    """Within bounds it shows video, and publishes audio once it is spoken to."""
    _there(recording)
    expect(
        recording.video_at is not None,
        "the avatar publishes video, and the listener sees a picture of it",
        "no picture was seen",
        hint="publish a camera track and push a frame at once, also while nobody speaks",
        at=recording.joined,
    )
    expect(
        recording.audio_at is not None,
        "the avatar publishes an audio track",
        "there is none",
        hint="publish a microphone track before the first frame is played",
        at=recording.joined,
    )


@_work("WORK-03", scenarios.one_segment)
def plays_whole(recording: Recording) -> None:
    """A segment is heard whole, in order, once."""
    _whole(recording, recording.segments[0], "the segment")


@_work("WORK-04", scenarios.one_segment)
def started_agrees(recording: Recording) -> None:
    """playback_started comes once, when the first block is heard."""
    _there(recording)
    segment = recording.segments[0]
    expect(
        len(recording.started) == 1,
        "playback_started once for the segment",
        f"{len(recording.started)} times",
        hint="call lk.playback_started on the agent when the first sample plays",
        at=segment.at,
    )
    heard = recording.of(segment)
    if not heard:
        fail("the segment is heard", "nothing of it was heard", at=segment.at)
    # What is missing at the start was not heard, and is not what is reported on.
    begins = heard[0].start - (heard[0].number - segment.first) * BLOCK
    late = begins - recording.started[0].at
    expect(
        -AGREEMENT <= late <= PATH + AGREEMENT,
        f"playback_started within {AGREEMENT * 1000:.0f} ms of what is heard",
        f"the segment was heard {late:.2f} s after it" if late > 0 else f"{-late:.2f} s too late",
        hint="report the start when the first sample plays, not when the stream opens",
        at=recording.started[0].at,
    )


@_work("WORK-05", scenarios.one_segment)
def finished_agrees(recording: Recording) -> None:
    """playback_finished comes once, at the end of what is heard, with its length."""
    _there(recording)
    segment = recording.segments[0]
    expect(
        len(recording.finished) == 1,
        "playback_finished once for the segment",
        f"{len(recording.finished)} times" if recording.finished else "it was never reported",
        hint="call lk.playback_finished on the agent when the last sample has played",
        at=segment.at,
    )
    _finished_whole(recording, segment, recording.finished[0], "the segment")


@_work("WORK-06", scenarios.interruption)
def silent_after_clear(recording: Recording) -> None:
    """After a clear there is silence, and the next segment is heard."""
    _there(recording)
    segment, after = recording.segments
    heard = recording.of(segment)
    if not heard:
        fail("the segment is heard up to the clear", "nothing of it was heard", at=segment.at)
    assert segment.cleared is not None
    late = heard[-1].end - segment.cleared
    expect(
        late <= SILENT_AFTER + PATH,
        f"silence within {SILENT_AFTER * 1000:.0f} ms of lk.clear_buffer",
        f"the segment was still heard {late:.2f} s after it",
        hint="drop what is queued at every stage: the receiver, the renderer, the audio source",
        at=segment.cleared,
    )
    _whole(recording, after, "the segment after the clear")


@_work("WORK-07", scenarios.interruption)
def clear_position(recording: Recording) -> None:
    """After a clear the position reported is where the segment stopped to be heard."""
    _there(recording)
    segment = recording.segments[0]
    assert segment.cleared is not None
    until = recording.segments[1].at
    reports = [report for report in recording.finished if report.at < until]
    expect(
        len(reports) == 1,
        "playback_finished once after the clear",
        f"{len(reports)} times" if reports else "it was never reported",
        hint="answer lk.clear_buffer with lk.playback_finished, interrupted",
        at=segment.cleared,
    )
    report, heard = reports[0], recording.of(segment)
    expect(report.interrupted, "reported as interrupted", "as played to the end", at=report.at)
    stopped = (max(b.number for b in heard) + 1 - segment.first) * BLOCK if heard else 0.0
    position = report.position or 0.0
    expect(
        abs(position - stopped) <= AGREEMENT + BLOCK,
        f"the position where it stopped: heard were {seconds(stopped)}",
        f"reported is {seconds(position)}",
        hint="report what was played: not what was received, nor what still waits to be played",
        at=report.at,
    )


@_work("WORK-08", scenarios.series)
def queued(recording: Recording) -> None:
    """Two queued segments are each heard whole, and reported in their order."""
    _there(recording)
    for segment, what in zip(
        recording.segments, ("the first of two", "the second of two"), strict=True
    ):
        _whole(recording, segment, what)
    expect(
        len(recording.finished) == len(recording.segments),
        "playback_finished once for each of two queued segments",
        f"{len(recording.finished)} times",
        at=recording.segments[0].at,
    )
    for segment, report in zip(recording.segments, recording.finished, strict=True):
        position = report.position or 0.0
        expect(
            abs(position - segment.seconds) <= AGREEMENT,
            f"each reported at its own length, {seconds(segment.seconds)}",
            f"at {seconds(position)}",
            hint="start to count again with each segment",
            at=report.at,
        )


@_work("WORK-09", scenarios.empty_segment)
def empty(recording: Recording) -> None:
    """An empty segment hangs nothing."""
    first, last = recording.segments
    _whole(recording, first, "the segment before the empty one")
    _whole(recording, last, "the segment after the empty one")
    after = [report for report in recording.finished if report.at > last.at]
    expect(
        bool(after),
        "playback_finished for the segment after the empty one",
        "it was never reported",
        hint="a stream without audio ends at once, and the next one is another segment",
        at=last.at,
    )


@_work("WORK-10", scenarios.lost_end)
def lost_end(recording: Recording) -> None:
    """A stream whose end is lost does not make the worker deaf to the next."""
    _whole(recording, recording.segments[1], "the segment after one whose end was lost")


@_work("WORK-11", scenarios.other_sample_rate)
def sample_rates(recording: Recording) -> None:
    """Audio at another sample rate is heard as it is."""
    _whole(recording, recording.segments[1], "the segment at another sample rate")


@_work("WORK-12", scenarios.long_silence)
def after_silence(recording: Recording) -> None:
    """After five minutes of silence the avatar speaks."""
    _stays(recording)
    _whole(
        recording, recording.segments[1], f"the segment after {scenarios.SILENCE:g} s of silence"
    )


@_work("WORK-13", scenarios.removed)
def leaves_when_removed(recording: Recording) -> None:
    """Removed from the room, the worker leaves and does not come back."""
    _there(recording)
    expect(
        recording.left is not None, "the avatar that was removed leaves", "it is still in the room"
    )
    expect(
        recording.back is None,
        "the avatar that was removed stays away",
        f"it came back {(recording.back or 0.0) - recording.marks['removed']:.1f} s later",
        hint="end the session on PARTICIPANT_REMOVED: whoever removed it does not want it back",
        at=recording.back,
    )


@_work("WORK-14", scenarios.identity_taken)
def leaves_when_taken(recording: Recording) -> None:
    """When its identity is taken, the worker leaves it to the new one."""
    _there(recording)
    expect(
        "taken back" not in recording.marks,
        "the participant that took the avatar's identity keeps it",
        "the avatar joined again and sent it away",
        hint="end the session on DUPLICATE_IDENTITY: a new instance has taken over",
        at=recording.marks["taken"],
    )


@_work("WORK-15", scenarios.agent_gone)
def leaves_after_the_agent(recording: Recording) -> None:
    """When the agent has gone the worker leaves, within bounds."""
    _there(recording)
    left, gone = recording.left, recording.marks["gone"]
    expect(
        left is not None and left >= gone - 0.5,
        f"the avatar leaves within {BOUND:g} s when the agent has gone",
        "it is still in the room" if left is None else "it had left before",
        hint="leave when the agent that it publishes for is gone: a session left behind bills",
        at=gone,
    )


@_work("WORK-16", scenarios.connection_dropped)
def comes_back(recording: Recording) -> None:
    """After its own connection drops the worker comes back and plays."""
    _whole(recording, recording.segments[-1], "the segment after the connection was back")
