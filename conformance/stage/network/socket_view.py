"""What a client sees of the socket under a connection in memory."""

from __future__ import annotations

import socket
from typing import Any

Address = tuple[Any, ...]


class SocketView:
    """Tells addresses, and takes options that change nothing; there is nothing to read from."""

    type = socket.SOCK_STREAM
    proto = socket.IPPROTO_TCP

    def __init__(self, own: Address, peer: Address) -> None:
        self._own = own
        self._peer = peer

    @property
    def family(self) -> socket.AddressFamily:
        """The family of its addresses."""
        return socket.AF_INET6 if ":" in str(self._peer[0]) else socket.AF_INET

    def getsockname(self) -> Address:
        """The client's own address."""
        return self._own

    def getpeername(self) -> Address:
        """The address that it is connected to."""
        return self._peer

    def fileno(self) -> int:
        """No descriptor, as of a socket that is closed."""
        return -1

    def setsockopt(self, *_: Any) -> None:
        """Take an option."""

    def getsockopt(self, *_: Any) -> int:
        """Every option is off."""
        return 0

    def gettimeout(self) -> float:
        """It never blocks."""
        return 0.0
