"""What earlier Tavus plugins do otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from conformance.plugin import STRING, Call, VendorAPI, fields

from .versions import older

NAMED_ANEW = "1.6.5"
"""From this version on a replica is a face, and a persona a PAL, of which there is a stock one."""

COMMON = ("conversation_name", "properties")


def settings() -> Sequence[Mapping[str, Any]]:
    """What the plugin had to be told beside the API key: before 1.6.5, whose replica to show."""
    replica = {"name": "replica_id", "environment": "TAVUS_REPLICA_ID", "secret": False}
    return [replica] if older("tavus", NAMED_ANEW) else []


def as_installed(newest: VendorAPI) -> VendorAPI:
    """Before 1.8.1 the stock PAL came without a face, and before 1.6.5 a persona was made first."""
    if not older("tavus", "1.8.1"):
        return newest
    (conversation,) = newest.calls
    assert conversation.body is not None
    common = {name: conversation.body["properties"][name] for name in COMMON}
    if not older("tavus", NAMED_ANEW):
        return VendorAPI(replace(conversation, body=fields({"pal_id": STRING, **common})))
    who = {"replica_id": STRING, "persona_id": {"const": "persona-1"}}
    transport = fields({"transport": fields({"transport_type": {"const": "livekit"}})})
    persona = Call(
        "create persona",
        "POST",
        "/v2/personas",
        headers=conversation.headers,
        body=fields(
            {"persona_name": STRING, "pipeline_mode": {"const": "echo"}, "layers": transport}
        ),
        answer={"persona_id": "persona-1"},
        needed_fields=("persona_id",),
    )
    return VendorAPI(persona, replace(conversation, body=fields({**who, **common})))
