"""``avatar-conformance matrix``: many reports as one table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def matrix(
    reports: Annotated[
        list[Path], typer.Argument(metavar="REPORT...", help="Reports or certificates.")
    ],
    html: Annotated[Path | None, typer.Option(help="Write an HTML page.")] = None,
    markdown: Annotated[
        Path | None, typer.Option(help="Write a Markdown page; to stdout without any option.")
    ] = None,
) -> None:
    """Tabulate reports: providers down, versions of livekit-agents across."""
    from conformance.certificate.loading import load
    from conformance.certificate.matrix import make_matrix
    from conformance.certificate.matrix_html import to_html
    from conformance.certificate.matrix_markdown import to_markdown
    from conformance.certificate.writing import write

    made = make_matrix([load(path) for path in reports])
    if html is not None:
        write(html, to_html(made))
    if markdown is not None:
        write(markdown, to_markdown(made))
    if html is None and markdown is None:
        typer.echo(to_markdown(made), nl=False)
