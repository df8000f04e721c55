"""``avatar-conformance demo``: an agent on a LiveKit server, with a page to swap its avatar."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from conformance.errors import KitError

if TYPE_CHECKING:
    from conformance.plugin.room import Credentials


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
    """Show an avatar that is swapped while the agent speaks, on a page in the browser.

    Needs no account: the agent, its two avatars and the LiveKit server all run on this machine, on
    127.0.0.1. The server is LIVEKIT_SERVER, or livekit-server on PATH, and ends with the demo. Open
    the page that is named, listen, and press a button to swap the avatar in mid-sentence.
    """
    from conformance.live.launcher import LiveServer, ServerFailed, ServerMissing
    from conformance.live.server_options import NamedWrongly, named_server

    with ExitStack() as stack:
        try:
            named = None
            if livekit_url is not None:
                named = named_server((livekit_url, livekit_api_key, livekit_api_secret), {})
            credentials = named or stack.enter_context(LiveServer.start()).credentials
        except (NamedWrongly, ServerMissing, ServerFailed) as error:
            raise KitError(str(error)) from error
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_show(credentials, port))


async def _show(credentials: Credentials, port: int) -> None:
    from livekit import rtc

    async with AsyncExitStack() as stack:
        try:
            url = await stack.enter_async_context(serving(credentials, port=port))
        except rtc.ConnectError as error:
            raise KitError(
                f"cannot join a room of the LiveKit server at {credentials.url}: {error.message}"
            ) from None
        except OSError as error:
            raise KitError(f"cannot serve the page at port {port}: {error.strerror}") from None
        typer.echo(f"open {url} in a browser; Ctrl-C ends the demo")
        await asyncio.Event().wait()


@asynccontextmanager
async def serving(credentials: Credentials, *, port: int = 0) -> AsyncIterator[str]:
    """Run the demo during the block; gives the URL of its page."""
    from conformance.live.demo import Performance, Site
    from conformance.stage.environ import server_environ

    with server_environ(credentials):
        async with (
            Performance(credentials) as performance,
            Site(credentials.url, performance.user_token, port=port) as site,
        ):
            yield site.url
