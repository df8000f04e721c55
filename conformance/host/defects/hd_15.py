"""HD-15: speech that a swap cuts short is remembered as far as it was heard, as interrupted."""

from __future__ import annotations

from .mend import Mend, edits

_ACTIVITY = "livekit.agents.voice.agent_activity"
_GENERATION = "livekit.agents.voice.generation"

_SAID = edits(
    _ACTIVITY,
    (
        """\
        if audio_output is not None:
            await speech_handle.wait_if_not_interrupted(
                [asyncio.ensure_future(audio_output.wait_for_playout())]
            )

        stopped_speaking_at = time.time()
""",
        """\
        cut_short = False
        if audio_output is not None:
            playout = asyncio.ensure_future(audio_output.wait_for_playout())
            await speech_handle.wait_if_not_interrupted([playout])
            # an output that is replaced while it plays ends its segment there
            cut_short = (
                not speech_handle.interrupted
                and audio_out is not None
                and audio_out.first_frame_fut.done()
                and not audio_out.first_frame_fut.cancelled()
                and playout.result().interrupted
            )

        stopped_speaking_at = time.time()
""",
    ),
    (
        """\
        if speech_handle.interrupted and audio_output is not None:
            playback_ev = await audio_output.wait_for_playout()
""",
        """\
        if (speech_handle.interrupted or cut_short) and audio_output is not None:
            playback_ev = await audio_output.wait_for_playout()
""",
    ),
    (
        """\
                content=forwarded_text,
                interrupted=speech_handle.interrupted,
""",
        """\
                content=forwarded_text,
                interrupted=speech_handle.interrupted or cut_short,
""",
    ),
    (
        """\
                if entry.out.played == "partial":
                    break
""",
        """\
                if entry.out.played == "partial" and speech_handle.interrupted:
                    break
""",
    ),
)
_CUT_SHORT = """\
            cut_short = (
                audio_out is not None
                and audio_out.first_frame_fut.done()
                and not audio_out.first_frame_fut.cancelled()
                and playback_ev.interrupted
            )
"""
_NEWER = (
    _SAID
    + edits(
        _ACTIVITY,
        (
            "or any(out.tts_failed for out in segment_outputs),",
            'or any(out.played == "partial" for out in segment_outputs),',
        ),
    )
    + edits(
        _GENERATION,
        (
            """\
            out.played = "partial" if out.tts_failed else "full"
""",
            _CUT_SHORT
            + """\
            out.played = "partial" if out.tts_failed or cut_short else "full"
""",
        ),
    )
)
_OLDER = (
    _SAID
    + edits(
        _ACTIVITY,
        (
            """\
                id=llm_gen_data.id,
                interrupted=speech_handle.interrupted,
""",
            """\
                id=llm_gen_data.id,
                interrupted=speech_handle.interrupted
                or any(out.played == "partial" for out in segment_outputs),
""",
        ),
    )
    + edits(
        _GENERATION,
        (
            """\
            out.played = "full"
            out.playback_position = playback_ev.playback_position
""",
            _CUT_SHORT
            + """\
            out.played = "partial" if cut_short else "full"
            out.playback_position = playback_ev.playback_position
""",
        ),
    )
)

MEND = Mend(_NEWER, _OLDER)
