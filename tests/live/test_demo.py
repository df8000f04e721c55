"""The demo in a browser: the avatar's video plays, the swap happens, the transcript goes on."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from conformance.cli.demo import serving
from conformance.live.demo.site import FILES, Site
from conformance.live.launcher import LiveServer, ServerMissing

CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
FRAMES = "document.getElementById('video').getVideoPlaybackQuality().totalVideoFrames"
AVATAR = "document.getElementById('video').dataset.avatar"
LINE = "(document.querySelector('#transcript li:last-child')?.innerText ?? '')"
"""The line that is being said."""
_NEXT = "#transcript [data-colour=amber] + [data-colour=blue]"
GOES_ON = f"(document.querySelector('{_NEXT}')?.innerText ?? '').length"
"""How much the blue avatar has said of the line that the amber one began."""


def _chromium() -> str:
    """The browser's executable; the test is skipped by this rule where something is missing."""
    pytest.importorskip("playwright", reason="the demo was not looked at: no playwright")
    for name in (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name) if name else None
        if found:
            return found
    pytest.skip("the demo was not looked at: no Chromium on PATH (or name it in CHROMIUM)")


def _server() -> LiveServer:
    try:
        return LiveServer.start()
    except ServerMissing as missing:
        if "LIVEKIT_SERVER" in os.environ:
            raise
        pytest.skip(f"the demo did not run: {missing}")


async def _look(chromium: str, url: str, look: Callable[[Any], Awaitable[None]]) -> None:
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium, headless=True, args=list(CHROMIUM_FLAGS)
        )
        try:
            page = await browser.new_page(viewport={"width": 800, "height": 800})
            await page.goto(url)
            await look(page)
        finally:
            await browser.close()


def test_avatar_is_swapped_before_the_eyes_of_a_browser(tmp_path: Path) -> None:
    """Asked for in mid-sentence, the other avatar is seen, and the same line of text goes on."""
    chromium = _chromium()
    pictures = Path(os.environ.get("DEMO_PICTURES", tmp_path))
    seen: list[Any] = []

    async def look(page: Any) -> None:
        await page.wait_for_function(f"{FRAMES} > 20", timeout=30000)
        await page.wait_for_function(f"{LINE}.startsWith('Press the button,')", timeout=40000)
        await page.screenshot(path=pictures / "before.png")
        seen.append(await page.evaluate(AVATAR))
        await page.click("#swap-blue")
        await page.wait_for_function(f"{AVATAR} == 'avatar-blue'", timeout=30000)
        await page.wait_for_function(f"{GOES_ON} > 15", timeout=30000)
        await page.screenshot(path=pictures / "after.png")
        await page.wait_for_function(
            "!document.getElementById('swap-blue').disabled", timeout=30000
        )
        frames = await page.evaluate(FRAMES)
        await page.wait_for_function(f"{FRAMES} > {frames} + 20", timeout=30000)
        seen.append(await page.evaluate(AVATAR))
        seen.append(await page.inner_text("#state"))

    async def show(server: LiveServer) -> None:
        async with serving(server.credentials) as url:
            await _look(chromium, url, look)

    with _server() as server:
        asyncio.run(show(server))
    assert seen == ["avatar-amber", "avatar-blue", "The blue avatar speaks for the agent"]


def test_page_is_served_whole() -> None:
    """Every file of the page is packaged, and a visitor gets a token of its own."""

    async def visit() -> list[object]:
        found: list[object] = []
        async with (
            Site("ws://127.0.0.1:1", lambda identity: f"token of {identity}") as site,
            aiohttp.ClientSession() as http,
        ):
            for path in FILES:
                async with http.get(site.url + path.lstrip("/")) as answer:
                    found.append(answer.status)
            for _ in range(2):
                async with http.get(f"{site.url}room.json") as answer:
                    found.append((await answer.json())["token"])
        return found

    assert asyncio.run(visit()) == [
        *(200 for _ in FILES),
        "token of visitor-1",
        "token of visitor-2",
    ]
