"""Calls that an adapter declares away: ``when="later"``, and yet start() makes them."""

from __future__ import annotations

from conformance.errors import KitError
from conformance.plugin.vendor_api import ApiRequest
from conformance.results.timeline import Timeline

from .avatar import Avatar


def expect_later_calls_later(avatar: Avatar, timeline: Timeline, known: int) -> None:
    """Raise `KitError` where the first, undisturbed start() of ``avatar`` made a later call.

    ``known`` events of the ``timeline`` are from before that start. No fault is put at a call that
    start() is said not to make, so that one which it does make would go unjudged.
    """
    events = timeline.events[known:]
    if any(event.kind == "fault" for event in events):
        return  # it may have made the call to clean up after a failure
    api = avatar.provider.vendor_backend(avatar.context)
    later = {call.name for call in api.calls if call.when == "later"} if api is not None else set()
    made = [request for request in avatar.backend.requests if request.call in later]
    if made:
        raise KitError(_words(avatar, made[0]))


def _words(avatar: Avatar, request: ApiRequest) -> str:
    return (
        f"{avatar.provider.name}: its adapter says that start() does not make the call "
        f'{request.call!r} (when="later"), and start() makes it ({request.method} '
        f"{request.host}): leave `when` out of that Call in vendor_backend()"
    )


__all__ = ["expect_later_calls_later"]
