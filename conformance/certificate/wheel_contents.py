"""What a plugin's wheel may not hold: files that run unasked, or that are put in others' places."""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

OWNERS = {
    "conformance": "avatar-conformance",
    "vendor_adapters": "avatar-conformance",
    "pytest": "pytest",
    "_pytest": "pytest",
    "pluggy": "pluggy",
    "livekit/agents": "livekit-agents",
    "livekit/rtc": "livekit",
    "livekit/api": "livekit-api",
    "livekit/protocol": "livekit-protocol",
}
"""Packages that decide what a run finds, and the distributions that bring them."""

STARTUP_MODULES = ("sitecustomize", "usercustomize")
"""Modules that Python imports at every start, where they exist."""

_SCHEMES = ("purelib", "platlib")
_TOOLS = re.compile(
    r"(python|pypy|pip|pytest|py\.test|uv|activate|avatar-conformance)[\w.-]*", re.I
)
_TEST_GROUPS = ("pytest11",)


def objections(members: Sequence[str], entry_points: str = "") -> Iterator[str]:
    """What speaks against a wheel of these members; nothing for one that a plugin needs.

    ``entry_points`` is the text of its ``entry_points.txt``.
    """
    infos = {member.split("/")[0] for member in members if ".dist-info/" in member}
    if len(infos) > 1:
        yield f"it holds the metadata of others: {', '.join(sorted(infos))}"
    seen: set[str] = set()
    for member in members:
        if not _is_plain(member):
            yield f"it holds {member!r}, which is no plain path inside the package directory"
            continue
        parts = member.rstrip("/").split("/")
        if parts[0].lower().endswith(".data"):
            if len(parts) == 1 or (len(parts) == 2 and parts[1] in _SCHEMES):
                continue
            if parts[1] not in _SCHEMES:
                yield f"it holds {member}, which is installed outside the package directory"
                continue
            parts = parts[2:]
        # Some file systems tell no upper case from lower case.
        place = "/".join(parts).casefold()
        if not member.endswith("/") and place in seen:
            yield f"it holds {member} twice"
        seen.add(place)
        yield from _in_the_wrong_place(member, place)
    yield from _entry_points(entry_points)


def runs_at_startup(name: str) -> bool:
    """Whether Python runs a file of this name, in a package directory's top level, at its start."""
    first = name.casefold().split("/")[0]
    return (first.endswith(".pth") and "/" not in name) or first.split(".")[0] in STARTUP_MODULES


def _is_plain(member: str) -> bool:
    parts = member.rstrip("/").split("/")
    odd = any(part in ("", ".", "..") or part != part.strip() for part in parts)
    return not (odd or "\\" in member or ":" in parts[0] or not member.isprintable())


def _in_the_wrong_place(member: str, place: str) -> Iterator[str]:
    for package, owner in OWNERS.items():
        # acme/x.py is a package's, acme.py and acme.cpython-311-x86_64-linux-gnu.so are modules.
        if place.startswith((f"{package}/", f"{package}.")):
            yield f"it holds {member}, which belongs to {owner}"
    if runs_at_startup(place):
        yield f"it holds {member}, which Python runs unasked"
    if PurePosixPath(place).suffix == ".pyc":
        yield f"it holds {member}, bytecode that may be other than its source"


def _entry_points(text: str) -> Iterator[str]:
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(text)
    except configparser.Error:
        yield "its entry_points.txt cannot be read"
        return
    for group in parser.sections():
        for name in parser[group]:
            if group in _TEST_GROUPS:
                yield f"its entry point {name} ({group}) is a plugin of pytest, which judges it"
            if group in ("console_scripts", "gui_scripts") and _TOOLS.fullmatch(name):
                yield f"its script {name} takes the place of a tool of that name"
            if group in ("console_scripts", "gui_scripts") and not _is_plain_name(name):
                yield f"its script {name!r} is installed outside the scripts' directory"


def _is_plain_name(name: str) -> bool:
    return _is_plain(name) and "/" not in name
