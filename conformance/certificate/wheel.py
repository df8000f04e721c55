"""The wheel that is certified: read, named, and refused when it reaches into others' packages."""

from __future__ import annotations

import email.parser
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from conformance.errors import UsageError

from .digests import file_digest

_LARGEST_METADATA = 2**20
_NOT_A_PLUGINS = {
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
STARTUP_HOOKS = ("sitecustomize.py", "usercustomize.py")


@dataclass(frozen=True)
class Wheel:
    """A wheel on disk. ``distribution`` is its name as its metadata write it."""

    path: Path
    distribution: str
    version: str
    sha256: str

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name


def read_wheel(path: Path) -> Wheel:
    """Look at a wheel; raises `UsageError` for a file that is none, or that no plugin may be."""
    digest = file_digest(path)
    try:
        name, version, _, _ = parse_wheel_filename(path.name)
    except InvalidWheelFilename:
        raise UsageError(
            f"{path}: is not named like a wheel, as in acme-1.0-py3-none-any.whl"
        ) from None
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
            metadata = _metadata(archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise UsageError(f"{path}: is no wheel: {_line(error)}") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read: {_line(error)}") from None
    if canonicalize_name(metadata.get("Name", "")) != name:
        raise UsageError(f"{path}: its metadata name another distribution than its file name")
    if metadata.get("Version") != str(version):
        raise UsageError(f"{path}: its metadata give another version than its file name")
    intruder = next(_intruders(members), None)
    if intruder is not None:
        raise UsageError(f"{path}: {intruder}; a run with it would certify nothing")
    return Wheel(path.resolve(), metadata["Name"], str(version), digest)


def _metadata(archive: zipfile.ZipFile) -> dict[str, str]:
    names = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    if len(names) != 1:
        raise zipfile.BadZipFile(f"it has {len(names)} METADATA files")
    with archive.open(names[0]) as file:
        text = file.read(_LARGEST_METADATA).decode("utf-8", "replace")
    return dict(email.parser.HeaderParser().parsestr(text).items())


def _intruders(members: list[str]) -> Iterator[str]:
    infos = {member.split("/")[0] for member in members if ".dist-info/" in member}
    if len(infos) > 1:
        yield f"it holds the metadata of others: {', '.join(sorted(infos))}"
    for member in members:
        parts = member.split("/")
        if parts[0].endswith(".data") and len(parts) > 2:
            parts = parts[2:]
        place = "/".join(parts)
        for package, owner in _NOT_A_PLUGINS.items():
            if place == f"{package}.py" or place.startswith(f"{package}/"):
                yield f"it holds {member}, which belongs to {owner}"
        if place in STARTUP_HOOKS or (place.endswith(".pth") and "/" not in place):
            yield f"it holds {member}, which Python runs unasked"


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
