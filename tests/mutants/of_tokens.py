"""Mutants whose room token, identity or settings are wrong."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from typing import Any

from livekit import api

from conformance.plugin import RoomAccess, VendorAPI, hookimpl
from conformance.reference.avatar import ReferenceError
from tests.mutants.robust import SoundAvatar

from .mutant import Kill, SoundAdapter, mutant

BEHALF = "lk.publish_on_behalf"
NO_GRANT = "has no grant that an avatar needs not"


class Minting(SoundAvatar):
    """Mints the sound avatar's token, with a subclass's changes."""

    kind = "agent"
    seconds = 6 * 3600
    behalf = True

    def grants(self, room: str) -> api.VideoGrants:
        """The grants of the token."""
        return api.VideoGrants(room_join=True, room=room)

    def name(self) -> str:
        """The identity in the token."""
        return self._identity

    def _mint(self, room: Any, key: str, secret: str) -> str:
        token = (
            api.AccessToken(key, secret)
            .with_identity(self.name())
            .with_ttl(timedelta(seconds=self.seconds))
            .with_grants(self.grants(room.name))
            .with_attributes({BEHALF: room.local_participant.identity} if self.behalf else {})
        )
        return (token.with_kind(self.kind) if self.kind else token).to_jwt()


@mutant(
    Kill("BIND-05", f"{NO_GRANT}; observed it has roomAdmin"),
    story="a token copied from a server's own",
)
class TokenWithAdminGrant(Minting):
    def grants(self, room: str) -> api.VideoGrants:
        return api.VideoGrants(room_join=True, room=room, room_admin=True)


@mutant(
    Kill("BIND-05", f"{NO_GRANT}; observed it has roomCreate, roomList, roomRecord"),
    story="a token with everything, so that it works at once",
)
class TokenWithEveryGrant(Minting):
    def grants(self, room: str) -> api.VideoGrants:
        return api.VideoGrants(
            room_join=True, room=room, room_create=True, room_list=True, room_record=True
        )


@mutant(
    Kill("BIND-05", "joins the agent's room only; observed room '*'"),
    story="a token that is minted once and used for every room",
)
class TokenForAnyRoom(Minting):
    def grants(self, room: str) -> api.VideoGrants:
        return api.VideoGrants(room_join=True, room="*")


@mutant(
    Kill("BIND-05", f"has {BEHALF} = 'agent'; observed None"),
    story="plugins before publish_on_behalf: a client shows two agents",
)
class TokenNotOnBehalf(Minting):
    behalf = False

    def _mint(self, room: Any, key: str, secret: str) -> str:
        return super()._mint(room, key, secret)


@mutant(
    Kill("BIND-05", "is of kind 'agent'; observed kind 'standard'"),
    story="a token without a kind: the session takes the avatar for the user",
)
class TokenOfAUser(Minting):
    kind = ""

    def _mint(self, room: Any, key: str, secret: str) -> str:
        return super()._mint(room, key, secret)


@mutant(
    Kill("BIND-05", "is valid for 6 h at most; observed 24.0 h"),
    story="a ttl of a day",
)
class TokenOfADay(Minting):
    seconds = 24 * 3600

    def _mint(self, room: Any, key: str, secret: str) -> str:
        return super()._mint(room, key, secret)


class IdentityNotSent(SoundAdapter):
    """A vendor that is not told the identity beside the token, and so cannot compare."""

    @hookimpl
    def vendor_backend(self) -> VendorAPI:
        opening, *others = super().vendor_backend().calls
        room = RoomAccess("/livekit_url", "/livekit_token")
        return VendorAPI(replace(opening, room=room), *others)


@mutant(
    Kill("BIND-05", "identity 'avatar-reference-sound'; observed 'somebody-else'"),
    Kill("BIND-06", "it received tokens for 'somebody-else'"),
    story="avatartalk's hard-coded listener",
)
class TokenOfAnother(Minting):
    adapter = IdentityNotSent

    def name(self) -> str:
        return "somebody-else"


@mutant(
    Kill("BIND-06", "the identity that was asked for, 'avatar-reference-sound'"),
    story="plugins whose identity is a constant",
)
class IdentityConstant(SoundAvatar):
    """Ignores the identity that it is given."""

    def __init__(self, *, identity: str | None = None, **options: Any) -> None:
        super().__init__(identity="reference-avatar", **options)


@mutant(
    Kill("BIND-06", "avatar_identity is a name before start()"),
    story="a plugin that learns its identity from the vendor's answer",
)
class IdentityAfterStart(SoundAvatar):
    """Has no identity until it has been started."""

    @property
    def avatar_identity(self) -> str:
        return super().avatar_identity if self._remote_session else ""


@mutant(
    Kill("BIND-06", "avatar_identity is still"),
    story="a plugin that draws another identity when it starts",
)
class IdentityChanges(SoundAvatar):
    """Takes another identity in start()."""

    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        self._identity = f"{self._identity}-2"
        await super().start(agent_session, room, **options)


@mutant(
    Kill("BIND-06", "the identity that the manifest declares as the default"),
    story="trugen, with a manifest that was written from memory",
    manifest={"identity": "avatar"},
)
class AnotherDefaultIdentity(SoundAvatar):
    """Has another default than its manifest says."""


@mutant(
    Kill("BIND-08", "the vendor is told", "arguments-win"),
    story="plugins that read the environment first",
)
class EnvironmentWins(SoundAvatar):
    """Lets the environment win over arguments."""

    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        for name in ("livekit_url", "livekit_api_key", "livekit_api_secret"):
            options[name] = os.environ.get(name.upper()) or options.get(name)
        await super().start(agent_session, room, **options)


@mutant(
    Kill("BIND-08", "it does not take livekit_url, livekit_api_key, livekit_api_secret"),
    story="a plugin for the cloud only",
)
class NoKeywords(SoundAvatar):
    """Takes no LiveKit settings."""

    def __init__(self, *, identity: str | None = None) -> None:
        super().__init__(identity=identity)

        async def start(agent_session: Any, room: Any) -> None:
            await SoundAvatar.start(self, agent_session, room)

        self.start = start  # type: ignore[method-assign,assignment]


@mutant(
    Kill("BIND-08", "start() works; observed", "environment"),
    story="thought: a plugin that never looks at the environment",
)
class ArgumentsOnly(SoundAvatar):
    """Wants its settings as arguments."""

    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        if not all(options.get(n) for n in ("livekit_url", "livekit_api_key")):
            raise ReferenceError("reference: livekit_url and livekit_api_key are not given")
        await super().start(agent_session, room, **options)


@mutant(
    Kill("BIND-09", "ReferenceError when api_key is missing; observed start() returned"),
    story="tavus, runway and did: an empty key is accepted",
)
class EmptyKeyAccepted(SoundAvatar):
    """Starts without its key."""

    def __init__(self, *, identity: str | None = None) -> None:
        super().__init__(api_key=os.environ.get("REFERENCE_API_KEY") or "-", identity=identity)
        self._forged = not os.environ.get("REFERENCE_API_KEY")

    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        if not self._forged:
            await super().start(agent_session, room, **options)


@mutant(
    Kill("BIND-09", "observed Exception: no settings"),
    story="simli: a bare Exception",
)
class BareException(SoundAvatar):
    """Raises an exception that nobody can catch by name."""

    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        try:
            await super().start(agent_session, room, **options)
        except ReferenceError as error:
            if "are not all set" in str(error):
                raise Exception("no settings") from error
            raise


@mutant(
    Kill("BIND-09", "nothing is bound when livekit_url is missing"),
    story="lemonslice: binds before it validates",
)
class BindsBeforeValidating(SoundAvatar):
    """Binds first."""

    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        if not options.get("livekit_url"):
            self._own_room, self._output = room, agent_session.output
            self._bind()
            self._own_room = None
        await super().start(agent_session, room, **options)
