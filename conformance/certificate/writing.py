"""Writing what a command was asked for: whole or not at all."""

from __future__ import annotations

from pathlib import Path

from conformance.errors import UsageError
from conformance.report.files import write_text


def write(path: Path, text: str) -> None:
    """Write a file in one step; raises `UsageError`, one line, when that cannot be done."""
    try:
        if path.is_dir():
            raise UsageError(f"{path}: cannot be written: it is a directory")
        if not path.parent.is_dir():
            raise UsageError(f"{path}: cannot be written: {path.parent} is no directory")
        write_text(path, text)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror or error}") from None
    except ValueError as error:  # A null byte in the name.
        raise UsageError(f"{str(path)!r}: is no file name: {error}") from None
