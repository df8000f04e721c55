"""TLS over a connection in memory, by asyncio's own protocol."""

from __future__ import annotations

from asyncio.sslproto import SSLProtocol


class TlsProtocol(SSLProtocol):
    """Speaks TLS for another protocol; a lost connection is closed at once for its user.

    Python 3.10 tells the user's protocol of a loss, and its transport nothing.
    """

    def connection_lost(self, exc: BaseException | None) -> None:
        """Mark the transport as closed, and pass the loss on."""
        transport = self._app_transport
        super().connection_lost(exc)
        if transport is not None:
            transport._closed = True
