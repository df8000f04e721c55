"""AvatarTalk: one call that brings two participants, one to be seen and one that is sent audio."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from conformance.plugin import (
    STRING,
    AdapterContext,
    ByteStreamWorker,
    Call,
    RoomAccess,
    VendorAPI,
    Worker,
    WorkerSpec,
    fields,
    hookimpl,
)

from ._deviations.avatartalk import known_deviations as known_deviations

LISTENER = "listener"


@hookimpl
def avatar_provider_manifest() -> dict[str, object]:
    """Declare AvatarTalk."""
    return {
        "name": "avatartalk",
        "distribution": "livekit-plugins-avatartalk",
        "avatar_session": "livekit.plugins.avatartalk:AvatarSession",
        "exception": "livekit.plugins.avatartalk:AvatarTalkException",
        "transport": "bytestream",
        "sample_rate": 16000,
        "identity": "avatartalk-agent",
        "hosts": ["api.avatartalk.ai"],
        "credentials": [{"name": "api_key", "environment": "AVATARTALK_API_KEY"}],
        "capabilities": {"restartable": True},
    }


@hookimpl
def create_avatar(context: AdapterContext) -> object:
    """Construct it."""
    from livekit.agents import NOT_GIVEN
    from livekit.plugins import avatartalk

    return avatartalk.AvatarSession(avatar_participant_identity=context.identity or NOT_GIVEN)


@hookimpl
def vendor_backend(context: AdapterContext) -> VendorAPI:
    """Describe the call that opens a session for two participants, and the one that ends it."""
    bearer = {"Authorization": "Bearer {api_key}"}
    tokens = {"room_token": STRING, "listener_token": STRING, "room_name": STRING}
    agent = {"agent_identity": {"const": context.agent_identity}, "livekit_url": STRING}
    avatar = RoomAccess("/livekit_url", "/room_token", room_name="/room_name")
    return VendorAPI(
        Call(
            "create session",
            "POST",
            "/livekit/create-session",
            headers=bearer,
            body=fields({"avatar": STRING, "emotion": STRING, **tokens, **agent}),
            room=(avatar, replace(avatar, token="/listener_token", participant=LISTENER)),
            opens_session=True,
            answer={"task_id": "{session}"},
            needed_fields=("task_id",),
        ),
        Call(
            "delete session",
            "DELETE",
            "/livekit/delete-session/{session}",
            headers=bearer,
            ends_session=True,
            when="later",
        ),
    )


@hookimpl
def avatar_worker(context: AdapterContext) -> Callable[[WorkerSpec], Worker]:
    """One worker that shows video, and one that takes the audio and makes the calls."""

    def worker_of(spec: WorkerSpec) -> Worker:
        if spec.name == LISTENER:
            return Listener(spec, agent_identity=context.agent_identity)
        return Worker(spec)

    return worker_of


class Listener(ByteStreamWorker):
    """Takes the audio and shows nothing. Its token does not say whose audio it is."""

    def __init__(self, spec: WorkerSpec, *, agent_identity: str) -> None:
        super().__init__(spec)
        self.behaviour = replace(spec.behaviour, publish_video=False, hears_before_video=True)
        self._agent_identity = agent_identity

    def sender(self, attributes: Mapping[str, str]) -> str | None:
        """The agent that the vendor was told of."""
        return self._agent_identity
