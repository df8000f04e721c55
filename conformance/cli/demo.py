"""``avatar-conformance demo``: an agent on a LiveKit server, with a page to swap its avatar."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from conformance.stage import Credentials


def demo(
    port: Annotated[int, typer.Option(help="Port of the page; 0 takes a free one.")] = 0,
    livekit_url: Annotated[
        str | None,
        typer.Option(help="A LiveKit server to use; by default one is started for the demo."),
    ] = None,
    livekit_api_key: Annotated[
        str | None, typer.Option(envvar="LIVEKIT_API_KEY", help="Its API key.")
    ] = None,
    livekit_api_secret: Annotated[
        str | None, typer.Option(envvar="LIVEKIT_API_SECRET", help="Its API secret.")
    ] = None,
) -> None:
    """Show an avatar that is swapped while the agent speaks, on a page in the browser."""
    from conformance.live.launcher import LiveServer, ServerFailed, ServerMissing
    from conformance.outcomes import KitError
    from conformance.stage import Credentials

    with ExitStack() as stack:
        if livekit_url is None:
            try:
                credentials = stack.enter_context(LiveServer.start()).credentials
            except (ServerMissing, ServerFailed) as error:
                raise KitError(str(error)) from error
        elif livekit_api_key and livekit_api_secret:
            credentials = Credentials(livekit_url, livekit_api_key, livekit_api_secret)
        else:
            raise KitError("--livekit-url needs --livekit-api-key and --livekit-api-secret")
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_show(credentials, port))


async def _show(credentials: Credentials, port: int) -> None:
    async with serving(credentials, port=port) as url:
        typer.echo(f"open {url} in a browser; Ctrl-C ends the demo")
        await asyncio.Event().wait()


@asynccontextmanager
async def serving(credentials: Credentials, *, port: int = 0) -> AsyncIterator[str]:
    """Run the demo during the block; gives the URL of its page."""
    from conformance.live.demo import Performance, Site
    from conformance.live.stage import environment

    with environment(credentials):
        async with (
            Performance(credentials) as performance,
            Site(credentials.url, performance.user_token, port=port) as site,
        ):
            yield site.url
