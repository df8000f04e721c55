"""``avatar-conformance list``: the providers that can be certified here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from conformance.plugin.discovery import Discovered
    from conformance.plugin.provider import Provider


def list_providers(
    rootdir: Annotated[
        Path, typer.Option(help="The repository to look for an adapter in.", file_okay=False)
    ] = Path(),
) -> None:
    """List the providers that can be certified, where their adapter is, and what is installed."""
    from conformance.errors import UsageError
    from conformance.plugin.discovery import discover

    if not rootdir.is_dir():
        raise UsageError(f"--rootdir {rootdir}: there is no such directory")
    discovered = discover(rootdir=rootdir)
    for line in _table(discovered):
        typer.echo(line)
    for problem in discovered.problems:
        typer.echo(f"avatar-conformance: {problem.error}", err=True)
    if discovered.problems:
        raise typer.Exit(2)


def _table(discovered: Discovered) -> list[str]:
    rows = [("provider", "installed", "distribution", "adapter")]
    rows += [_row(provider) for provider in discovered.providers.values()]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return [
        "  ".join([*(row[column].ljust(widths[column]) for column in range(3)), row[3]])
        for row in rows
    ]


def _row(provider: Provider) -> tuple[str, str, str, str]:
    installed = provider.installed_version or "not installed"
    return provider.name, installed, provider.manifest.distribution, provider.origin
