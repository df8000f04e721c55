"""Starts a program without any network but a loopback of its own, where Linux allows that.

Run as a script, by path: ``python no_network.py PROGRAM ARGUMENT...``. It needs no privilege where
unprivileged user namespaces are allowed; it ends with :data:`DENIED` where the system refuses.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

DENIED = 77
_NEW_USER = 0x10000000
_NEW_NETWORK = 0x40000000
_SET_FLAGS = 0x8914
_UP = 0x1


def alone(command: Sequence[str]) -> list[str]:
    """``command``, started without a network."""
    return [sys.executable, "-I", "-B", __file__, *command]


def refusal() -> str:
    """Why no program can be started without a network here; empty where one can."""
    if sys.platform != "linux":
        return f"{sys.platform} has no network namespaces"
    tried = subprocess.run(
        alone([sys.executable, "-I", "-c", ""]), capture_output=True, text=True, check=False
    )
    return "" if tried.returncode == 0 else (tried.stderr.strip().splitlines() or ["it fails"])[-1]


def main(arguments: Sequence[str]) -> None:
    """Leave the network, and become the program."""
    try:
        _leave()
        _raise_loopback()
    except OSError as error:
        print(f"the system refuses a network namespace: {error}", file=sys.stderr)
        raise SystemExit(DENIED) from None
    os.execv(arguments[0], list(arguments))


def _leave() -> None:
    user, group = os.getuid(), os.getgid()
    if user == 0:
        _unshare(_NEW_NETWORK)
        return
    _unshare(_NEW_USER | _NEW_NETWORK)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        Path(f"/proc/self/{name}").write_text(text, "ascii")


def _unshare(flags: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if library.unshare(flags) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _raise_loopback() -> None:
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, _SET_FLAGS, struct.pack("16sH14x", b"lo", _UP))


if __name__ == "__main__":
    main(sys.argv[1:])
