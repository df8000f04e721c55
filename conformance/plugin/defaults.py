"""Default implementations of the hooks that an adapter leaves out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pluggy

from .spec import PROJECT

if TYPE_CHECKING:
    from conformance.results.deviation import Deviation

    from .context import AdapterContext
    from .worker import Worker, WorkerSpec

hookimpl = pluggy.HookimplMarker(PROJECT)


@hookimpl
async def bind_audio_endpoint(
    avatar: Any, agent_session: Any, room: Any, context: AdapterContext
) -> None:
    """Start the avatar as the plugins' own examples do; an empty setting is not passed on."""
    settings = {
        "livekit_url": context.livekit_url,
        "livekit_api_key": context.livekit_api_key,
        "livekit_api_secret": context.livekit_api_secret,
    }
    given = {name: value for name, value in settings.items() if value}
    await avatar.start(agent_session, room=room, **given)


@hookimpl
async def unbind_audio_endpoint(avatar: Any) -> None:
    """Close the avatar."""
    await avatar.aclose()


@hookimpl
def avatar_worker() -> Callable[[WorkerSpec], Worker]:
    """The worker that plays what it receives over the host's byte streams."""
    from .worker import ByteStreamWorker

    return ByteStreamWorker


@hookimpl
def known_deviations() -> tuple[Deviation, ...]:
    """None."""
    return ()
