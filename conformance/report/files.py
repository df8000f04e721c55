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


def write_text(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` in one step, so that no reader ever sees a part of it.

    Raises `OSError` when that cannot be done; ``path`` is then as it was before.
    """
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


def _umask() -> int:
    # The only way to read it is to set it.
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def append_text(path: Path, text: str) -> None:
    """Append ``text`` to ``path``; raises `OSError` when that cannot be done."""
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.write(text)
