"""Rendering the plugin template into a directory that appears whole or not at all."""

from __future__ import annotations

import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from conformance.errors import KitError, UsageError

from .answers import Answers
from .copier_extra import copier_module
from .template import template_source


def render_plugin(
    answers: Answers, destination: Path, *, ask: bool = False, force: bool = False
) -> Path:
    """Write a new plugin's repository to ``destination`` and return its path.

    It is rendered beside it and moved there when it is complete. With ``ask`` the questions that
    ``answers`` leaves open are put to the user, else their defaults are taken. A directory that is
    not empty is refused, unless ``force``: the template's files then replace those of their names,
    and all others stay. Raises `UsageError` for what the user can mend.
    """
    destination = destination.absolute()
    _check_destination(destination, force=force)
    try:
        with _ended_in_order():
            _render(answers, destination, ask=ask)
    except OSError as error:
        where = error.filename or destination
        raise UsageError(f"{where} can't be written: {error.strerror or error}") from None
    return destination


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """Make an exception of what would end the process at once, and leave things half-made."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only there can signals be handled
        return

    def leave(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    signals = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {each: signal.signal(each, leave) for each in signals}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _render(answers: Answers, destination: Path, *, ask: bool) -> None:
    destination.parent.mkdir(parents=True, exist_ok=True)
    beside = tempfile.mkdtemp(prefix=f".{destination.name}-", dir=destination.parent)
    try:
        rendered = Path(beside) / destination.name
        _copy(answers, rendered, ask=ask)
        if destination.is_dir() and any(destination.iterdir()):
            _move_into(rendered, destination)
        else:
            if destination.is_dir():
                destination.rmdir()
            rendered.rename(destination)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _check_destination(destination: Path, *, force: bool) -> None:
    if destination.exists() and not destination.is_dir():
        raise UsageError(f"{destination} is a file; give another --dest")
    if destination.is_dir() and any(destination.iterdir()) and not force:
        raise UsageError(
            f"{destination} exists and is not empty; give another --dest, or --force to replace "
            "the template's files in it"
        )
    for parent in destination.parents:
        if parent.exists():
            if not parent.is_dir():
                raise UsageError(f"{parent} is a file; give another --dest")
            break


def _copy(answers: Answers, rendered: Path, *, ask: bool) -> None:
    copier = copier_module()
    from copier.errors import CopierError

    source = template_source(version("avatar-conformance"))
    try:
        copier.run_copy(
            source.repository,
            rendered,
            data=dict(answers.for_template()),
            vcs_ref=source.tag,
            defaults=not ask,
            quiet=True,
        )
    except ValueError as error:
        # copier says so of an answer that its question refuses
        raise UsageError(_one_line(error)) from None
    except CopierError as error:
        if isinstance(error, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        if type(error).__name__ == "InteractiveSessionError":
            raise UsageError("there is no terminal to ask at; give --defaults") from None
        raise KitError(f"the template could not be rendered: {_one_line(error)}") from error


def _move_into(rendered: Path, destination: Path) -> None:
    pairs = [(each, destination / each.relative_to(rendered)) for each in rendered.rglob("*")]
    # all of it is looked at before any of it is moved
    for source, target in pairs:
        if source.is_dir() and target.exists() and not target.is_dir():
            raise UsageError(f"{target} is a file where the template has a directory")
        if not source.is_dir() and target.is_dir():
            raise UsageError(f"{target} is a directory where the template has a file")
    for source, target in sorted(pairs):
        if source.is_dir():
            target.mkdir(exist_ok=True)
        else:
            source.replace(target)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
