"""Writing an adapter.

An adapter tells the kit how to drive one avatar plugin: what the plugin claims, how its
``AvatarSession`` is made, and what its vendor's API takes and answers. It is a module of hooks,
each marked with `hookimpl`; three are needed, the others have defaults. This is a whole one, for a
vendor whose worker receives audio over the host's byte streams::

    from conformance.plugin import STRING, Call, RoomAccess, VendorAPI, fields, hookimpl

    @hookimpl
    def avatar_provider_manifest():
        return {
            "name": "acme",
            "distribution": "livekit-plugins-acme",
            "avatar_session": "livekit.plugins.acme:AvatarSession",
            "exception": "livekit.plugins.acme:AcmeException",
            "transport": "bytestream",
            "hosts": ["api.acme.com"],
            "sample_rate": 24000,
            "identity": "acme-avatar-agent",
            "credentials": [{"name": "api_key", "environment": "ACME_API_KEY"}],
        }

    @hookimpl
    def create_avatar(context):
        from livekit.plugins.acme import AvatarSession

        identity = {"avatar_participant_identity": context.identity} if context.identity else {}
        return AvatarSession(api_key=context.secret("api_key") or None, **identity)

    @hookimpl
    def vendor_backend():
        return VendorAPI(
            Call(
                "create session",
                "POST",
                "/v1/sessions",
                headers={"x-api-key": "{api_key}"},
                body=fields({"avatar_id": STRING, "url": STRING, "token": STRING}),
                room=RoomAccess(url="/url", token="/token"),
                opens_session=True,
                answer={"id": "{session}"},
            )
        )

**Where it goes.** Into ``conformance_adapter.py`` in the root of the plugin's repository, or into a
module that the distribution names in the entry point group ``avatar_conformance``, or into a
``conftest.py``. There ``pytest --conformance`` runs this adapter and no other, unless
``--provider`` says so.

**What the hooks are.** `conformance.plugin.spec` specifies them. Each takes only the arguments that
it needs, by their names. A module that defines hooks must be importable without the plugin:
import the plugin in `create_avatar`, where it is used.

**What is odd about a vendor** is said where it is odd: `bind_audio_endpoint` and
`unbind_audio_endpoint` for a start or a close that takes other arguments, `Socket` for a WebSocket,
`avatar_worker` for a participant that takes its audio another way, `Capabilities` for what the
plugin can do beyond the musts. A failure that can't be mended today is a `Deviation` from
`known_deviations`, with its reason and the day on which it expires.

**When something is wrong** with the adapter the kit says so in one line: which adapter, which hook,
what is wrong, how to mend it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.errors import AdapterError, UsageError
from conformance.results.deviation import Deviation

from .context import AdapterContext
from .defaults import hookimpl
from .manifest import Bounds, Capabilities, Credential, Manifest
from .socket_session import SocketSession
from .vendor_api import (
    STRING,
    ApiRequest,
    Call,
    MintedAccess,
    RoomAccess,
    Socket,
    VendorAPI,
    fields,
    session_api,
)
from .vendor_messages import DataMessage, RpcCall

if TYPE_CHECKING:
    from .worker import ByteStreamWorker, Worker, WorkerSpec

_OF_WORKER = ("ByteStreamWorker", "WorkerSpec", "Worker")


def __getattr__(name: str) -> Any:
    # Only adapters with an odd worker need these, and they bring asyncio along.
    if name in _OF_WORKER:
        from . import worker

        return getattr(worker, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "STRING",
    "AdapterContext",
    "AdapterError",
    "ApiRequest",
    "Bounds",
    "ByteStreamWorker",
    "Call",
    "Capabilities",
    "Credential",
    "DataMessage",
    "Deviation",
    "Manifest",
    "MintedAccess",
    "RoomAccess",
    "RpcCall",
    "Socket",
    "SocketSession",
    "UsageError",
    "VendorAPI",
    "Worker",
    "WorkerSpec",
    "fields",
    "hookimpl",
    "session_api",
]
