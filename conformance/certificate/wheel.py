"""The wheel that is certified: read, named, and refused when it reaches into others' packages."""

from __future__ import annotations

import email.parser
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from conformance.errors import UsageError

from .digests import file_digest
from .wheel_contents import objections

_LARGEST_METADATA = 2**20
_LARGEST_ENTRY_POINTS = 2**20


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
            entry_points = _entry_points(archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise UsageError(f"{path}: is no wheel: {_line(error)}") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read: {_line(error)}") from None
    if canonicalize_name(metadata.get("Name", "")) != name:
        raise UsageError(f"{path}: its metadata name another distribution than its file name")
    if metadata.get("Version") != str(version):
        raise UsageError(f"{path}: its metadata give another version than its file name")
    objection = next(objections(members, entry_points), None)
    if objection is not None:
        raise UsageError(f"{path}: {objection}; a run with it would certify nothing")
    return Wheel(path.resolve(), metadata["Name"], str(version), digest)


def _metadata(archive: zipfile.ZipFile) -> dict[str, str]:
    names = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    if len(names) != 1:
        raise zipfile.BadZipFile(f"it has {len(names)} METADATA files")
    text = _text(archive, names[0], _LARGEST_METADATA)
    return dict(email.parser.HeaderParser().parsestr(text).items())


def _entry_points(archive: zipfile.ZipFile) -> str:
    names = [n for n in archive.namelist() if n.endswith(".dist-info/entry_points.txt")]
    return "\n".join(_text(archive, name, _LARGEST_ENTRY_POINTS) for name in names)


def _text(archive: zipfile.ZipFile, name: str, limit: int) -> str:
    with archive.open(name) as file:
        return file.read(limit).decode("utf-8", "replace")


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
