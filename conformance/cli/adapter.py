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
) -> None:
    """Write a first adapter for an installed plugin, filled in from its source."""
    from conformance.scaffold.adapter import write_adapter

    found = write_adapter(distribution, output, force=force)
    questions = output.read_text("utf-8").count("# ?")
    asks = "1 comment '# ?' asks" if questions == 1 else f"{questions} comments '# ?' ask"
    typer.echo(
        f"{output} is a first adapter for {found.distribution} {found.version}; "
        f"{asks} what its source does not tell"
    )
