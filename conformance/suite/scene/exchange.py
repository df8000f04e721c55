"""Who starts, exchanges and closes the avatars of a scene: the check itself, or a switcher."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from livekit import rtc
from livekit.agents import AgentSession

from conformance.endpoint import AvatarSwitcher, Order, SwapError
from conformance.plugin.manifest import Manifest
from conformance.plugin.room import Clock
from conformance.results.outcomes import Finding, ProviderRaised, Violation
from conformance.results.timeline import Timeline

from .avatar import Avatar
from .bounds import bound_hint
from .error_site import where_to_look
from .swap_order import CLOSE_THEN_START

T = TypeVar("T")
Call = Callable[[Avatar], Awaitable[None]]

PLAIN = "plain"
SWITCHER = "switcher"
EXCHANGES = (PLAIN, SWITCHER)
"""The ways of `--exchange`: by the plugin's own calls, or by the kit's `AvatarSwitcher`."""

JOIN_TIMEOUT = 30.0
MARGIN = 5.0
"""Seconds by which the switcher is more patient than the check, whose message says more."""


class DrivenScene(Protocol):
    """What an exchange needs of a scene."""

    room: rtc.Room
    session: AgentSession[None]

    @property
    def manifest(self) -> Manifest:
        """The provider's manifest."""

    @property
    def clock(self) -> Clock:
        """The stage's clock."""

    @property
    def timeline(self) -> Timeline:
        """What has happened so far."""

    async def bounded(
        self, awaitable: Awaitable[T], what: str, *, seconds: float, hint: str = ""
    ) -> T:
        """Await within ``seconds``; raises `Violation` naming ``what``."""

    async def bind_call(self, avatar: Avatar) -> None:
        """Start an avatar by the adapter's hook."""

    def variables_of(self, avatar: Avatar) -> AbstractContextManager[None]:
        """Set the environment variables from which ``avatar`` takes its credentials."""

    async def start(self, avatar: Avatar, *, ready: bool, order: str | None = None) -> Avatar:
        """Start an avatar, with all that the scene keeps of it."""

    async def close(self, avatar: Avatar) -> None:
        """Close an avatar, with all that the scene keeps of it."""


class PlainExchange:
    """Drives the avatars of ``scene`` by their own calls."""

    def __init__(self, scene: DrivenScene) -> None:
        self._scene = scene

    async def start(self, avatar: Avatar, order: str | None = None) -> None:
        """Start an avatar within its declared bound; raises what it raises."""
        await self._scene.bounded(
            self._scene.bind_call(avatar),
            f"start() of the {avatar.label} avatar returns",
            seconds=avatar.manifest.bounds.start,
            hint=bound_hint(avatar.manifest, "start"),
        )

    async def close(self, avatar: Avatar) -> None:
        """Close an avatar within its declared bound; raises `Violation`, whatever it raises."""
        scene = self._scene
        scene.timeline.record("check", "close", avatar.label)
        try:
            await scene.bounded(
                avatar.provider.unbind(avatar.instance, scene.session, avatar.context),
                f"aclose() of the {avatar.label} avatar returns",
                seconds=avatar.manifest.bounds.close,
                hint=bound_hint(avatar.manifest, "close"),
            )
        except Violation:
            raise
        except Exception as error:  # a provider may raise anything
            raise ProviderRaised("aclose() raises nothing", error, where_to_look(error)) from error
        scene.timeline.record("check", "closed", avatar.label)

    async def replace(self, old: Avatar, new: Avatar, order: str, *, ready: bool) -> None:
        """Replace ``old`` by ``new``; ``ready`` waits until that one can be heard."""
        if order == CLOSE_THEN_START:
            await self._scene.close(old)
            await self._scene.start(new, ready=ready)
        else:
            await self._scene.start(new, ready=ready)
            await self._scene.close(old)

    async def aclose(self) -> None:
        """Nothing to end."""


class SwitcherExchange(PlainExchange):
    """Drives them by an `AvatarSwitcher`, as an agent does."""

    def __init__(self, scene: DrivenScene) -> None:
        super().__init__(scene)
        bounds = scene.manifest.bounds
        self._switcher = AvatarSwitcher(
            scene.session,
            scene.room,
            start_timeout=bounds.start + MARGIN,
            join_timeout=JOIN_TIMEOUT,
            close_timeout=bounds.close + MARGIN,
        )

    async def start(self, avatar: Avatar, order: str | None = None) -> None:
        """Put ``avatar`` in place of the current one; raises what its start raised.

        Without ``order`` a second avatar is started beside the current one, by its own call.
        """
        old = self._switcher.current
        if order is None and old is not None:
            await super().start(avatar)
            return
        new = _Driven(self._scene, avatar, super().start, super().close)
        try:
            await self._switcher.swap(new, order=Order(order) if order else None)
        except SwapError as error:
            cause = error.__cause__
            if isinstance(cause, TimeoutError | asyncio.TimeoutError) and new.started:
                raise self._violation(
                    f"the {avatar.label} avatar joins within {JOIN_TIMEOUT:g} s", "it did not join"
                ) from error
            raise cause or error from None
        if isinstance(old, _Driven):
            old.raise_failure()

    async def close(self, avatar: Avatar) -> None:
        """Close ``avatar``, by a release where it is the current one; raises what that raised."""
        driven = self._switcher.current
        if not isinstance(driven, _Driven) or driven.avatar is not avatar:
            await super().close(avatar)
            return
        try:
            await self._switcher.release()
        except SwapError as error:
            raise self._violation("the call goes on without the avatar", str(error)) from error
        driven.raise_failure()

    async def replace(self, old: Avatar, new: Avatar, order: str, *, ready: bool) -> None:
        """Replace ``old``, if it is the current one, by ``new``."""
        driven = self._switcher.current
        if isinstance(driven, _Driven) and driven.avatar is old:
            await self._scene.start(new, ready=ready, order=order)
        else:
            await super().replace(old, new, order, ready=ready)

    async def aclose(self) -> None:
        """End the switcher."""
        await self._switcher.aclose()

    def _violation(self, expected: str, observed: str) -> Violation:
        return Violation(Finding(expected, observed, at=self._scene.clock.now()))


class _Driven:
    """An avatar of the scene as the switcher sees it."""

    def __init__(self, scene: DrivenScene, avatar: Avatar, start: Call, close: Call) -> None:
        self.avatar = avatar
        self.avatar_identity = avatar.identity
        self.started = False
        self._scene = scene
        self._start = start
        self._close = close
        self._failure: Exception | None = None

    async def start(self, agent_session: AgentSession[Any], room: rtc.Room) -> None:
        with self._scene.variables_of(self.avatar):
            await self._start(self.avatar)
        self.started = True

    async def wait_for_join(self, *, timeout: float | None = None) -> None:
        wait = getattr(self.avatar.instance, "wait_for_join", None)
        if wait is not None and self.avatar.manifest.capabilities.joins_room:
            await wait(timeout=timeout)

    async def aclose(self) -> None:
        try:
            await self._close(self.avatar)
        except Exception as error:  # the switcher only logs it; the check is to judge it
            self._failure = error

    def raise_failure(self) -> None:
        """Raise what the closing raised, for the check."""
        if self._failure is not None:
            raise self._failure
