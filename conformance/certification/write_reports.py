"""Every report that was asked for, written; what could not be written is said, not raised."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from conformance.report import badge, json_report, markdown
from conformance.report.files import (
    SecretInReport,
    append_text,
    refuse_secrets,
    take_away,
    write_text,
)
from conformance.results.run import Run

from .options import Options

Render = Callable[[Run], str]


@dataclass(frozen=True)
class Delivery:
    """Writes reports that hold none of ``secrets``."""

    options: Options
    secrets: tuple[str, ...] = ()

    def begin(self) -> list[str]:
        """Take away the reports of an earlier run; the troubles met, one line each."""
        troubles = []
        for path in self.options.outputs:
            try:
                take_away(path)
            except OSError as error:
                troubles.append(f"{path}: cannot be written: {error.strerror or error}")
        return troubles

    def write(self, run: Run) -> list[str]:
        """Write what the options ask for; the troubles met, one line each."""
        troubles = []
        for path, render, write in self._wanted():
            try:
                # a name or a path may hold what no file in UTF-8 can
                text = render(run).encode("utf-8", "replace").decode("utf-8")
                refuse_secrets(text, self.secrets, what=path.name)
                write(path, text)
            except SecretInReport as error:
                troubles.append(str(error))
            except OSError as error:
                troubles.append(f"{path}: cannot be written: {error.strerror or error}")
        if self.options.step_summary and _step_summary() is None:
            troubles.append("GITHUB_STEP_SUMMARY is not set; --conformance-step-summary needs it")
        return troubles

    def _wanted(self) -> Iterator[tuple[Path, Render, Callable[[Path, str], None]]]:
        options = self.options
        renderers: tuple[tuple[Path | None, Render], ...] = (
            (options.report, json_report.render),
            (options.badge, badge.render),
            (options.markdown, markdown.render),
            (options.html, _html),
        )
        for path, render in renderers:
            if path is not None:
                yield path, render, write_text
        summary = _step_summary()
        if options.step_summary and summary is not None:
            yield summary, markdown.render, append_text


def _html(run: Run) -> str:
    # Jinja2 is imported where a page is asked for, and nowhere else.
    return str(importlib.import_module("conformance.report.html").render(run))


def _step_summary() -> Path | None:
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    return Path(path) if path else None
