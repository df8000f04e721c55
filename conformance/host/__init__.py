"""Differences between livekit-agents versions, and every host internal that the kit touches."""

from __future__ import annotations

from .avatar import (
    avatar_receiver,
    logged_by_receiver,
    publish_on_behalf_attribute,
    reset_class_state,
)
from .bindings import (
    NoSwapCall,
    bind_tail,
    has_swap_call,
    replace_tail,
    watch_bindings,
    watch_tail_calls,
)
from .events import is_swap_point, listener_counts, listeners
from .job import Job, job_context
from .output import (
    ChainLink,
    Playback,
    captured_segments,
    chain_of,
    finish_cancelled_capture,
    follow_sample_rate,
    hand_over_by,
    has_progress_events,
    is_cancelled_capture,
    is_capturing,
    listening_swap_points,
    pending_segments,
    playback_of,
    report_progress,
    splice,
)
from .registrations import origin, residue
from .release import version
from .session import is_over, new_session, start_session
from .wrappers import SegmentCalls, SessionWrappers

__all__ = [
    "ChainLink",
    "Job",
    "NoSwapCall",
    "Playback",
    "SegmentCalls",
    "SessionWrappers",
    "avatar_receiver",
    "bind_tail",
    "captured_segments",
    "chain_of",
    "finish_cancelled_capture",
    "follow_sample_rate",
    "hand_over_by",
    "has_progress_events",
    "has_swap_call",
    "is_cancelled_capture",
    "is_capturing",
    "is_over",
    "is_swap_point",
    "job_context",
    "listener_counts",
    "listeners",
    "listening_swap_points",
    "logged_by_receiver",
    "new_session",
    "origin",
    "pending_segments",
    "playback_of",
    "publish_on_behalf_attribute",
    "replace_tail",
    "report_progress",
    "reset_class_state",
    "residue",
    "splice",
    "start_session",
    "version",
    "watch_bindings",
    "watch_tail_calls",
]
