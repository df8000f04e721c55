"""``avatar-conformance adapter DIST``: a first adapter for a plugin that exists."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def adapter(
    distribution: Annotated[
        str, typer.Argument(metavar="DIST", help="Like livekit-plugins-acme; installed.")
    ],
    output: Annotated[Path, typer.Option(help="The file to write.")] = Path(
        "conformance_adapter.py"
    ),
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
    certify: Annotated[
        bool, typer.Option(help="Judge the plugin by the new adapter, which takes a minute.")
    ] = True,
) -> None:
    """Write a first adapter for an installed plugin, from what it does when it is run."""
    from conformance.scaffold.adapter import write_adapter
    from conformance.scaffold.first_run import first_run

    written = write_adapter(distribution, output, force=force)
    plugin = written.plugin
    typer.echo(f"{output} is an adapter for {plugin.distribution} {plugin.version}, as recorded")
    if not written.found.works:
        typer.echo(f"no start of {plugin.path} has worked: {written.found.why_not}")
    elif certify:
        typer.echo(first_run(output))
    if written.questions:
        typer.echo("left to answer:")
    for question in written.questions:
        typer.echo(f"  {output}:{question.line}: {question.text}")
