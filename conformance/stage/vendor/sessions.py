"""A vendor's sessions, and the workers that each of them brings into the room."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from aiohttp import web
from livekit import api

from conformance import host
from conformance.plugin.room import Clock
from conformance.plugin.vendor_api import Access, Call, RoomAccess, Socket
from conformance.plugin.vendor_messages import DataMessage, RoomMessage
from conformance.plugin.worker import Behaviour, Worker, WorkerSpec
from conformance.results.timeline import Timeline
from conformance.stage.interface import Server, VendorSession
from conformance.stage.network.network import Network

from .request_validation import at_place, identity_in, message_objections

if TYPE_CHECKING:
    from conformance.plugin.context import AdapterContext
    from conformance.plugin.provider import Provider


class BackendStage(Protocol):
    """A stage that vendors' APIs are served on, in memory."""

    @property
    def network(self) -> Network:
        """The network that the vendor's hosts are served on."""

    @property
    def server(self) -> Server:
        """The server of the rooms that workers join."""

    @property
    def clock(self) -> Clock:
        """The stage's time."""

    @property
    def timeline(self) -> Timeline:
        """Where requests and answers are recorded."""


class VendorSessions:
    """The sessions of one avatar at its vendor.

    ``messages`` are what the plugin may tell a worker in the room; ``object_to`` is given what is
    wrong with them, in words.
    """

    def __init__(
        self,
        provider: Provider,
        context: AdapterContext,
        stage: BackendStage,
        messages: Sequence[RoomMessage],
        object_to: Callable[[list[str]], None],
    ) -> None:
        self.known: dict[str, VendorSession] = {}
        self._context = context
        self._stage = stage
        self._messages = messages
        self._object_to = object_to
        self._identity = context.identity or provider.manifest.identity or provider.name
        self._worker_factory = provider.avatar_worker(context)
        self._workers: list[tuple[str | None, Worker]] = []
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def workers(self) -> tuple[Worker, ...]:
        """Every worker ever brought in, oldest first."""
        return tuple(worker for _, worker in self._workers)

    def workers_of(self, session: str | None) -> list[Worker]:
        """Those of one session."""
        return [worker for of, worker in self._workers if of == session]

    def open(self, session: str, identity: str | None) -> None:
        """Open a session of that id, for an avatar of that identity."""
        now = self._stage.clock.now()
        self.known[session] = VendorSession(session, now, None, identity)

    def end(self, session: str | None) -> None:
        """End a session, and let its workers leave; does nothing for one that is over."""
        known = self.known.get(session or "")
        if known is None or known.ended_at is not None:
            return
        self.known[known.id] = replace(known, ended_at=self._stage.clock.now())
        for worker in self.workers_of(session):
            task = asyncio.get_running_loop().create_task(worker.leave())
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    def identity_of(self, access: Access, request: web.BaseRequest, body: object) -> str | None:
        """The identity of the participant that joins by ``access``."""
        said = at_place(request, body, access.identity)
        if isinstance(access, RoomAccess):
            return said or identity_in(at_place(request, body, access.token))
        return said or self._identity

    def bring_in(
        self,
        endpoint: Call | Socket,
        session: str | None,
        behaviour: Behaviour,
        *,
        participant: str = "avatar",
        token: str | None = None,
        url: str | None = None,
        identity: str | None = None,
    ) -> Worker:
        """Let a worker join with ``token``, or with one that is minted for ``identity``."""
        stage = self._stage
        spec = WorkerSpec(
            name=participant,
            token=self._mint(identity) if token is None else token,
            url=stage.server.credentials.url if url is None else url,
            server=stage.server,
            clock=stage.clock,
            timeline=stage.timeline,
            behaviour=behaviour,
            session=session,
            end_session=partial(self.end, session),
            messages=self._messages,
            told=partial(self._told, session),
            minted=token is None,
            leaves_with=self._context.agent_identity if endpoint.ends_with_agent else None,
            ends_with_worker=endpoint.ends_with_worker,
        )
        worker = self._worker_factory(spec)
        self._workers.append((session, worker))
        worker.begin()
        return worker

    def bring_in_by(
        self,
        endpoint: Call | Socket,
        request: web.BaseRequest,
        body: object,
        session: str | None,
        behaviour: Behaviour,
    ) -> list[Worker]:
        """Let every worker join that a request brings in, as it says."""
        workers = []
        for access in endpoint.rooms:
            told: dict[str, str | None] = {}
            if isinstance(access, RoomAccess):
                told = {"token": at_place(request, body, access.token) or ""}
                if access.url is not None:
                    told["url"] = at_place(request, body, access.url) or ""
            else:
                told = {"identity": self.identity_of(access, request, body)}
            name = access.participant
            workers.append(self.bring_in(endpoint, session, behaviour, participant=name, **told))
        return workers

    async def aclose(self) -> None:
        """Let every worker leave."""
        for task in self._leaving:
            task.cancel()
        await asyncio.gather(*self._leaving, return_exceptions=True)
        for worker in self.workers:
            await worker.aclose()

    def _mint(self, identity: str | None) -> str:
        credentials = self._stage.server.credentials
        behalf = {host.publish_on_behalf_attribute(): self._context.agent_identity}
        token = api.AccessToken(credentials.api_key, credentials.api_secret)
        token = token.with_identity(identity or self._identity).with_kind("agent")
        grants = api.VideoGrants(room_join=True, room=self._context.room_name)
        return token.with_attributes(behalf).with_grants(grants).to_jwt()

    def _told(self, session: str | None, message: RoomMessage, payload: object) -> bool:
        wrong = message_objections(message, payload)
        if wrong and isinstance(message, DataMessage) and message.topic is None:
            return False  # it was meant for somebody else
        self._stage.timeline.record("backend", "told", message.name)
        self._object_to(wrong)
        if message.ends_session and not wrong:
            self.end(session)
        return not wrong
