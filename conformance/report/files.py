"""Writing a report: whole or not at all, and never with a secret in it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


class SecretInReport(RuntimeError):
    """A canary credential is in the text of a report, which was therefore not written."""


def refuse_secrets(text: str, secrets: Iterable[str], *, what: str) -> None:
    """Raise `SecretInReport` when one of ``secrets`` is in ``text``; the message hides it."""
    for secret in secrets:
        at = text.find(secret) if secret else -1
        if at < 0:
            continue
        before = text[max(0, at - 80) : at].replace("\n", " ")
        for other in secrets:
            before = before.replace(other, "***")
        raise SecretInReport(
            f"{what} not written: it would contain a credential ({len(secret)} characters), "
            f"after the text: {before.strip()!r}"
        )


def take_away(path: Path) -> None:
    """Remove the report of an earlier run, so that it cannot pass for one of this run.

    What a symbolic link leads to is emptied; what is no regular file stays. Raises `OSError` when
    that cannot be done.
    """
    if path.is_symlink():
        if path.is_file():
            path.write_text("", "utf-8")
    elif path.is_file():
        path.unlink()


def write_text(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` in one step, so that no reader ever sees a part of it.

    A symbolic link is followed. What is no regular file, a device or a pipe say, is written to and
    never replaced. Raises `OSError` when that cannot be done; ``path`` is then as it was before.
    """
    path = path.resolve()
    if path.exists() and not path.is_file():
        _write_into(path, text)
        return
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(temporary).unlink()
        raise


def _write_into(path: Path, text: str) -> None:
    # without waiting: a pipe that nobody reads is an error
    handle = os.open(path, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
        os.set_blocking(handle, True)
        file.write(text)


def _umask() -> int:
    # The only way to read it is to set it.
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def append_text(path: Path, text: str) -> None:
    """Append ``text`` to ``path``; raises `OSError` when that cannot be done."""
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.write(text)
