"""Digests of what a certificate rests on: the checks, the requirements, a file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from conformance.errors import UsageError
from conformance.requirements import Revision

PACKAGE = Path(__file__).resolve().parent.parent
"""The package ``conformance``, as it runs now."""

_SUFFIXES = (".py", ".toml", ".json")
# They are in another place in a checkout, and decide nothing.
_NOT_OF_THE_SUITE = ("schemas/", "templates/")


def file_digest(path: Path) -> str:
    """The sha256 of a file, in hex; raises `UsageError` when it cannot be read."""
    digest = hashlib.sha256()
    try:
        if not path.is_file():
            raise UsageError(f"{path}: there is no such file")
        with path.open("rb") as file:
            while block := file.read(2**20):
                digest.update(block)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from None
    except ValueError as error:  # A null byte in the name.
        raise UsageError(f"{str(path)!r}: is no file name: {error}") from None
    return digest.hexdigest()


def suite_digest(package: Path = PACKAGE) -> str:
    """The digest of the kit's code and catalogue, the same in a checkout and in a wheel."""
    files = {path.relative_to(package).as_posix(): path for path in package.rglob("*")}
    return digest_of(
        {
            name: hashlib.sha256(path.read_bytes()).hexdigest()
            for name, path in files.items()
            if path.suffix in _SUFFIXES and not name.startswith(_NOT_OF_THE_SUITE)
        }
    )


def revision_digest(revision: Revision) -> str:
    """The digest of a frozen revision: ids, levels and texts."""
    entries = revision.requirements.items()
    return digest_of({name: f"{frozen.level.value} {frozen.text}" for name, frozen in entries})


def digest_of(entries: Mapping[str, str]) -> str:
    """The digest of named values, whatever their order."""
    return lines_digest(f"{value}  {name}" for name, value in sorted(entries.items()))


def lines_digest(lines: Iterable[str]) -> str:
    """The digest of lines of text."""
    text = "".join(f"{line}\n" for line in lines)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
