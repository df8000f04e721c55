"""``avatar-conformance new NAME``: a new plugin that certifies."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def new(
    name: Annotated[str, typer.Argument(help="The vendor's name, like acme.")],
    transport: Annotated[
        str | None,
        typer.Option(help="bytestream, websocket or local.", show_default="asked"),
    ] = None,
    dest: Annotated[
        Path | None,
        typer.Option(help="The directory to make.", show_default="livekit-plugins-NAME"),
    ] = None,
    author: Annotated[str | None, typer.Option(help="The author's name.")] = None,
    email: Annotated[str | None, typer.Option(help="The author's address.")] = None,
    base_url: Annotated[str | None, typer.Option(help="The base URL of the vendor's API.")] = None,
    sample_rate: Annotated[
        int | None, typer.Option(help="Of the audio that the avatar wants, in Hz.")
    ] = None,
    identity: Annotated[
        str | None, typer.Option(help="What the avatar's participant identity begins with.")
    ] = None,
    defaults: Annotated[
        bool, typer.Option("--defaults", help="Ask nothing: take the defaults.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the template's files where DEST exists.")
    ] = False,
) -> None:
    """Start a plugin for an avatar vendor: a whole repository, which certifies as it is."""
    from conformance.scaffold.answers import Answers, plugin_transport
    from conformance.scaffold.names import plugin_name
    from conformance.scaffold.render import render_plugin

    plugin = plugin_name(name)
    answers = Answers(
        name=plugin,
        transport=None if transport is None else plugin_transport(transport),
        author=author,
        email=email,
        base_url=base_url,
        sample_rate=sample_rate,
        identity=identity,
    )
    made = render_plugin(answers, dest or Path(plugin.distribution), ask=not defaults, force=force)
    typer.echo(f"{plugin.distribution} is in {_shown(made)}; what comes next is in its README.md")


def _shown(path: Path) -> str:
    here = Path.cwd()
    return f"{path.relative_to(here)}" if path.is_relative_to(here) else f"{path}"
