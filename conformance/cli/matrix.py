"""``avatar-conformance matrix``: many reports as one table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def matrix(
    reports: Annotated[
        list[Path], typer.Argument(metavar="REPORT...", help="Reports or certificates.")
    ],
    markdown: Annotated[
        Path | None, typer.Option(help="Write a Markdown page; to stdout without it.")
    ] = None,
) -> None:
    """Tabulate reports: providers down, versions of livekit-agents across."""
    from conformance.certificate.loading import load
    from conformance.certificate.writing import write
    from conformance.matrix.markdown import to_markdown
    from conformance.matrix.matrix import make_matrix

    made = make_matrix([load(path) for path in reports])
    if markdown is not None:
        write(markdown, to_markdown(made))
    else:
        typer.echo(to_markdown(made), nl=False)
