"""The demo's web site: a page, its scripts, and a token for whoever opens it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from importlib.resources import files
from types import TracebackType

from aiohttp import web

HOST = "127.0.0.1"
FILES = {
    "/": ("index.html", "text/html"),
    "/page.mjs": ("page.mjs", "text/javascript"),
    "/livekit-client.mjs": ("livekit-client.mjs", "text/javascript"),
}


class Site:
    """Serves the page on 127.0.0.1 during the ``async with`` block.

    ``livekit_url`` is where the browser finds the LiveKit server; ``mint`` makes a token for an
    identity. ``port=0`` takes a free one.
    """

    def __init__(self, livekit_url: str, mint: Callable[[str], str], *, port: int = 0) -> None:
        self._livekit_url = livekit_url
        self._mint = mint
        self._port = port
        self._visitors = itertools.count(1)
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def __aenter__(self) -> Site:
        app = web.Application()
        for path in FILES:
            app.router.add_get(path, self._file)
        app.router.add_get("/room.json", self._room)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, self._port)
        await site.start()
        self.url = f"http://{HOST}:{self._runner.addresses[0][1]}/"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _file(self, request: web.Request) -> web.Response:
        name, content_type = FILES[request.path]
        text = (files(__package__) / "page" / name).read_text(encoding="utf-8")
        return web.Response(text=text, content_type=content_type)

    async def _room(self, request: web.Request) -> web.Response:
        token = self._mint(f"visitor-{next(self._visitors)}")
        return web.json_response({"url": self._livekit_url, "token": token})
