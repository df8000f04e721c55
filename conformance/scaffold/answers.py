"""What the plugin template asks, with the checks that the template itself makes again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from conformance.errors import UsageError

from .names import PluginName

PluginTransport = Literal["bytestream", "websocket", "local"]
TRANSPORTS: tuple[PluginTransport, ...] = get_args(PluginTransport)


@dataclass(frozen=True)
class Answers:
    """What is known before the template asks; None is asked, or its default taken."""

    name: PluginName
    transport: PluginTransport | None = None
    author: str | None = None
    email: str | None = None
    base_url: str | None = None
    sample_rate: int | None = None
    identity: str | None = None

    def for_template(self) -> Mapping[str, Any]:
        """The answers by the names of the template's questions."""
        given = {
            "transport": self.transport,
            "author": self.author,
            "email": self.email,
            "base_url": self.base_url,
            "sample_rate": self.sample_rate,
            "identity": self.identity,
        }
        return {"name": self.name.name, **{k: v for k, v in given.items() if v is not None}}


def plugin_transport(wanted: str) -> PluginTransport:
    """The transport of that name; `UsageError` names them all."""
    for transport in TRANSPORTS:
        if transport == wanted:
            return transport
    raise UsageError(f"there is no transport {wanted!r}; there are: {', '.join(TRANSPORTS)}")
