"""A vendor's worker and the LiveKit server that it is to come to."""

from __future__ import annotations

import pytest

from conformance.deployed.plugin_and_api import check_server_is_reachable
from conformance.errors import UsageError
from conformance.plugin.manifest import Manifest


def _manifest(host: str) -> Manifest:
    return Manifest("acme", "acme", "acme:AvatarSession", "acme:Error", "bytestream", (host,))


REMOTE, LOCAL = _manifest("api.acme.example"), _manifest("127.0.0.1")
AT = (("127.0.0.1", 8090),)


@pytest.mark.parametrize("url", [None, "ws://127.0.0.1:7880", "ws://localhost:7880", "ws://[::1]"])
def test_a_remote_worker_cannot_come_to_a_server_on_this_machine(url: str | None) -> None:
    """It is said in one line, with what to type, before anything is started."""
    with pytest.raises(UsageError, match="cannot reach the LiveKit server") as raised:
        check_server_is_reachable(REMOTE, url, ())
    assert "\n" not in str(raised.value)
    assert "--livekit-url" in str(raised.value)


@pytest.mark.parametrize(
    ("manifest", "url", "vendor_at"),
    [(REMOTE, "wss://acme.livekit.cloud", ()), (REMOTE, None, AT), (LOCAL, None, ())],
)
def test_a_worker_that_can_reach_the_server_is_let_be(
    manifest: Manifest, url: str | None, vendor_at: tuple[tuple[str, int], ...]
) -> None:
    """A public server, an API that is named on this machine, or one that is declared here."""
    check_server_is_reachable(manifest, url, vendor_at)
