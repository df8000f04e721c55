"""The hooks that an adapter implements. Specifications only; the defaults are in `defaults`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from livekit import rtc
    from livekit.agents import AgentSession

    from conformance.results.deviation import Deviation

    from .context import AdapterContext
    from .manifest import Manifest
    from .vendor_api import VendorAPI
    from .worker import Worker, WorkerSpec

PROJECT = "avatar_conformance"

hookspec = pluggy.HookspecMarker(PROJECT)


@hookspec(firstresult=True)
def avatar_provider_manifest() -> Manifest | Mapping[str, Any]:  # type: ignore[empty-body]
    """Say what the provider is and what it claims to do.

    Called once, when adapters are looked for: before any check, and by ``avatar-conformance list``
    as well. It must not import livekit or the plugin. Required.

    :return: the manifest, as a `Manifest` or as a mapping that ``schemas/manifest.schema.json``
        accepts

    .. versionadded:: 0.1
    """


@hookspec(firstresult=True)
def create_avatar(context: AdapterContext) -> Any:
    """Construct the plugin's own ``AvatarSession``, and do nothing else with it.

    Called for every avatar that a check needs, on the loop that the check runs on, with the job
    context and its HTTP session open. Use the canary credentials of the context; pass a credential
    on as None when the context withholds it, so that the plugin itself finds it missing. What the
    plugin's constructor raises goes through unchanged. Required.

    :param context: the identity to use, the credentials, and the room that the avatar will join
    :return: the avatar

    .. versionadded:: 0.1
    """


@hookspec(firstresult=True)
def bind_audio_endpoint(
    avatar: Any, agent_session: AgentSession[Any], room: rtc.Room, context: AdapterContext
) -> Awaitable[object]:
    """Start the avatar and bind its audio endpoint to the session.

    Called after `create_avatar`, before or in the middle of the session. What the plugin raises
    goes through unchanged. Default: ``await avatar.start(agent_session, room=room, ...)`` with the
    LiveKit URL, key and secret of the context.

    :param avatar: what `create_avatar` returned
    :param agent_session: the session that the avatar speaks for
    :param room: the room, connected
    :param context: the same context as in `create_avatar`
    :return: an awaitable that is done when the provider says that it is bound

    .. versionadded:: 0.1
    """
    raise NotImplementedError


@hookspec(firstresult=True)
def unbind_audio_endpoint(
    avatar: Any, agent_session: AgentSession[Any], context: AdapterContext
) -> Awaitable[object]:
    """Close the avatar.

    Called once for every avatar that was created, and again where a check closes twice. Default:
    ``await avatar.aclose()``.

    :param avatar: what `create_avatar` returned
    :param agent_session: the session that the avatar speaks for
    :param context: the same context as in `create_avatar`
    :return: an awaitable that is done when the provider says that it is closed

    .. versionadded:: 0.1
    """
    raise NotImplementedError


@hookspec(firstresult=True)
def vendor_backend(context: AdapterContext) -> VendorAPI | None:
    """Describe the vendor's API, as far as the plugin uses it.

    Called once for every backend that a check opens, before `create_avatar`. Required unless the
    manifest's transport is ``in-process``.

    :param context: the credentials that the API must accept
    :return: the calls and sockets; None for a provider that talks to no API

    .. versionadded:: 0.1
    """


@hookspec(firstresult=True)
def avatar_worker(context: AdapterContext) -> Callable[[WorkerSpec], Worker]:  # type: ignore[empty-body]
    """Say what plays the vendor's participant in the room.

    Called once for every backend that a check opens, after `vendor_backend`. Default: the class
    `ByteStreamWorker`.

    :param context: the same context as in `vendor_backend`
    :return: a `Worker` class, or a function that makes a worker for a `WorkerSpec`

    .. versionadded:: 0.1
    """


@hookspec(firstresult=True)
def known_deviations() -> Sequence[Deviation | Mapping[str, Any]]:  # type: ignore[empty-body]
    """List the failures that are known and accepted for now.

    Called once for a run. A deviation that no longer fails, that is expired, or that names an
    unknown requirement fails the run. Default: none.

    :return: `Deviation` values, or mappings that ``schemas/deviations.schema.json`` accepts

    .. versionadded:: 0.1
    """


REQUIRED = ("avatar_provider_manifest", "create_avatar", "vendor_backend")
"""The hooks that have no default (`vendor_backend` is optional for in-process providers)."""
