"""``avatar-conformance update``: a plugin that `new` made, brought to the newest template."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def update(
    directory: Annotated[Path, typer.Argument(help="The plugin's repository.")] = Path(),
) -> None:
    """Merge what is new in the template into a plugin that was made by `new`."""
    from conformance.scaffold.update import update_plugin

    tag = update_plugin(directory.absolute())
    typer.echo(f"{directory.absolute().name} has the template {tag} now; look at git diff")
