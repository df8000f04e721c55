"""Sockets that native code has opened beside Python, as Linux shows them."""

from __future__ import annotations

import ipaddress
import os
import socket
import weakref
from collections.abc import Iterator
from pathlib import Path

_TABLES = ("tcp", "tcp6", "udp", "udp6")
_PREFIX = "socket:["

PYTHONS: weakref.WeakSet[socket.socket] = weakref.WeakSet()
"""The sockets that Python code has made since it is watched."""


class NativeSockets:
    """Finds the connections of this process that are not Python's; nothing where Linux is not."""

    def __init__(self) -> None:
        self._known = _inodes()

    def found(self) -> Iterator[str]:
        """The remote addresses of new ones, each socket once: ``127.0.0.1:80``."""
        own = {_inode(sock.fileno()) for sock in list(PYTHONS)}
        fresh = _inodes() - self._known - own
        self._known |= fresh
        if fresh:
            for table in _TABLES:
                yield from _remote_addresses(table, fresh)


def is_isolated() -> bool:
    """Whether this process has no network interface but a loopback."""
    try:
        return {name for _, name in socket.if_nameindex()} <= {"lo"}
    except OSError:
        return False


def _inodes() -> set[str]:
    try:
        files = os.listdir("/proc/self/fd")  # noqa: PTH208  # a Path for each costs more than this
    except OSError:
        return set()
    return {inode for inode in map(_inode, files) if inode}


def _inode(file: object) -> str:
    try:
        target = os.readlink(f"/proc/self/fd/{file}")  # noqa: PTH115
    except OSError:
        return ""
    return target[len(_PREFIX) : -1] if target.startswith(_PREFIX) else ""


def _remote_addresses(table: str, inodes: set[str]) -> Iterator[str]:
    try:
        _, *lines = Path(f"/proc/self/net/{table}").read_text("ascii").splitlines()
    except OSError:
        return
    for line in lines:
        fields = line.split()
        host, _, port = fields[2].partition(":")
        if fields[9] in inodes and int(port, 16):
            # Each word of an address is written as the number that it is on this machine.
            words = [bytes.fromhex(host[i : i + 8])[::-1] for i in range(0, len(host), 8)]
            address = ipaddress.ip_address(b"".join(words))
            shown = f"[{address}]" if address.version == 6 else str(address)
            yield f"{shown}:{int(port, 16)}"
