"""Mutants that take the vendor's failures, the network's or a cancellation wrongly."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp

from conformance.endpoint import swap_audio_endpoint
from conformance.reference import api as reference
from conformance.reference.api import ReferenceApi, ReferenceError
from conformance.reference.avatar import ReferenceAvatar
from tests.mutants.robust import SoundAvatar

from .mutant import Kill, SinkAvatar, mutant

NAMES = "an exception that names"


@mutant(
    Kill("FAULT-01", "start() returned as if it had worked"),
    Kill("SWAP-12", "start() of the replacement raises when its vendor refuses"),
    story="simli and avatartalk: every error is logged and swallowed",
)
class SwallowsErrors(SoundAvatar):
    """Returns from a start that failed."""

    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        try:
            await super().start(agent_session, room, **options)
        except ReferenceError as error:
            if "are not all set" in str(error) or "already" in str(error):
                raise


@mutant(
    Kill("FAULT-02", "which no avatar will ever serve"),
    Kill("SWAP-12", "the old avatar, still open, goes on speaking", "start-then-close"),
    story="lemonslice: bound before the vendor's answer, and not rolled back",
)
class BoundBeforeTheCall(SoundAvatar):
    """Binds, then asks the vendor, and leaves bound what it has bound."""

    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        bound = swap_audio_endpoint(agent_session.output, None)
        await super().start(agent_session, room, **options)
        del bound


@mutant(
    Kill("SWAP-12", "the wrappers are still there", "start-then-close"),
    Kill("SWAP-12", "the wrappers are still there", "close-then-start"),
    story="the pull request: the output is nulled when an avatar goes",
)
class NullsTheOutputOnFailure(SoundAvatar):
    """Nulls the output when its start has failed."""

    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        try:
            await super().start(agent_session, room, **options)
        except ReferenceError:
            agent_session.output.audio = None
            raise


@mutant(
    Kill("FAULT-03", "nothing is left after"),
    story="all thirteen plugins: the base class is started before the vendor is asked",
)
class LeavesOnFailure(SoundAvatar):
    """Makes a task before it asks the vendor, and forgets it when that fails."""

    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        self._beat = asyncio.ensure_future(asyncio.sleep(3600))
        await super().start(agent_session, room, **options)

    async def _release(self) -> None:
        if self._output is not None:
            self._beat.cancel()
        await super()._release()


@mutant(
    Kill("FAULT-04", "start() gives up within 60 s"),
    Kill("UNBIND-10", "aclose() of the avatar avatar returns within", "backend-silent"),
    story="eight of the thirteen: sock_connect alone leaves the total unbounded",
)
class WaitsForEver(ReferenceApi):
    """Waits for the vendor without a bound."""

    async def __aenter__(self) -> ReferenceApi:
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(sock_connect=8.0))
        return self


class Client(ReferenceApi):
    """Opens a session in a loop of its own; ``worth`` says what is tried again."""

    attempts = 3
    pause = 0.5

    def worth(self, status: int) -> bool:
        """Whether to try again after ``status``."""
        return status in (408, 429) or status >= 500

    async def open(self, *, url: str, token: str, identity: str) -> str:
        body = {"livekit_url": url, "livekit_token": token, "identity": identity}
        status = 0
        for attempt in range(self.attempts):
            if attempt and self.pause:
                await asyncio.sleep(self.pause)
            try:
                async with self._request("POST", "/v1/sessions", json=body) as response:
                    status = response.status
                    if status < 300:
                        return str((await response.json())["session_id"])
            except (aiohttp.ClientError, asyncio.TimeoutError) as error:
                raise ReferenceError(f"reference: network: {type(error).__name__}") from error
            except (ValueError, TypeError, KeyError) as error:
                raise ReferenceError("reference: the answer is unreadable") from error
            if not self.worth(status):
                break
        raise ReferenceError(f"reference: no session: status {status}")


@mutant(
    Kill("FAULT-05", "trying again cannot help; observed 3 requests", "401"),
    Kill("FAULT-05", "trying again cannot help; observed 3 requests", "403"),
    Kill("FAULT-05", "trying again cannot help; observed 3 requests", "404"),
    story="bithuman: every status is tried again",
)
class RetriesARefusal(Client):
    def worth(self, status: int) -> bool:
        return True


@mutant(
    Kill("FAULT-05", "2 to 10 requests on 503", "503"),
    Kill("FAULT-05", "2 to 10 requests on 500", "500"),
    Kill("FAULT-05", "2 to 10 requests on 429", "429"),
    story="did: no HTTP error is ever tried again",
)
class NeverRetries(Client):
    def worth(self, status: int) -> bool:
        return False


@mutant(
    Kill("FAULT-05", "2 to 10 requests on 429 at 'open session'; observed 20"),
    story="thought: a client that hammers a vendor in trouble",
)
class RetriesTooOften(Client):
    attempts = 20

    def worth(self, status: int) -> bool:
        return super().worth(status)


@mutant(
    Kill("FAULT-05", "a pause between the requests"),
    story="lemonslice and keyframe: the first pause is next to none",
)
class RetriesWithoutAPause(Client):
    pause = 0.0

    def worth(self, status: int) -> bool:
        return super().worth(status)


@mutant(
    Kill("FAULT-06", "which no avatar will ever serve"),
    story="plugins that roll back on Exception, which a cancellation is not",
)
class CancelledStartLeftBound(SoundAvatar):
    """Binds before its last await, and does not undo it when that is cancelled."""

    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        await super().start(agent_session, room, **options)
        await asyncio.sleep(0.1)

    def _bind(self) -> None:
        super()._bind()


@mutant(
    Kill("FAULT-06", "ends; observed it goes on waiting"),
    story="a plugin that catches asyncio.CancelledError and tries again",
)
class CancellationSwallowed(SoundAvatar):
    """Waits on when it is cancelled."""

    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        try:
            await super().start(agent_session, room, **options)
        except asyncio.CancelledError:
            await asyncio.sleep(3600)


@mutant(
    Kill("FAULT-07", "the speech completes within"),
    story="all byte-stream plugins: the host's sink waits for a worker that has left",
)
class WorkerMayLeave(SoundAvatar):
    """Does not notice that its worker has left."""

    def _on_left(self, participant: Any) -> None:
        return


@mutant(
    Kill("FAULT-09", "the avatar that came back hears the speech, whole"),
    story="all byte-stream plugins: the sink of a worker that was not ready is spoilt",
)
class WorkerMayNotComeBack(SoundAvatar):
    """Binds nothing when its worker comes back."""

    def _on_active(self, participant: Any) -> None:
        if self._participant_sid is None and self._gone_once is False:
            self._participant_sid = participant.sid

    _gone_once = False

    def _on_left(self, participant: Any) -> None:
        self._gone_once = True
        super()._on_left(participant)


@mutant(
    Kill("FAULT-08", "3, each billed", "not-json"),
    Kill("FAULT-08", "3, each billed", "json-of-wrong-type"),
    Kill("FAULT-08", "3, each billed", "field-missing"),
    Kill("FAULT-08", "3, each billed", "wrong-content-type"),
    story="tavus, did, anam and runway: what cannot be read is asked for again",
)
class UnreadableAskedAgain(ReferenceApi):
    """Tries again when a success cannot be read."""

    async def _open_once(self, body: dict[str, Any]) -> str:
        try:
            return await super()._open_once(body)
        except ReferenceError as error:
            if "status" in str(error):
                raise
            raise reference._TryAgain(str(error)) from error


class Failing(SinkAvatar):
    """Raises something of its own where the sound avatar raises the documented exception."""

    def instead(self, error: ReferenceError) -> Exception:
        """What to raise."""
        return error

    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        try:
            await super().start(agent_session, room, **options)
        except ReferenceError as error:
            if "no session" not in str(error):
                raise
            raise self.instead(error) from None


@mutant(
    Kill("FAULT-10", f"{NAMES} reference", "401"),
    Kill("FAULT-10", f"{NAMES} reference", "refused"),
    story="avatario, lemonslice and more: 'Failed after all retries'",
)
class NobodyNamed(Failing):
    def instead(self, error: ReferenceError) -> Exception:
        return RuntimeError("failed after all retries")


@mutant(
    Kill("FAULT-10", "an exception that names the status 401", "401"),
    Kill("FAULT-10", "an exception that names the status 503", "503"),
    Kill("FAULT-10", "an exception that shows that the network failed", "refused"),
    Kill("FAULT-10", "an exception that shows that the network failed", "reset-before-answer"),
    story="trugen: a status that persists ends without status or cause",
)
class CauseLost(Failing):
    def instead(self, error: ReferenceError) -> Exception:
        return RuntimeError("the reference vendor failed")


@mutant(
    Kill("FAULT-10", "no secret in the exception; observed it carries api_key"),
    Kill("SEC-01", "no secret in the exception of a refused start; observed api_key"),
    story="simli: the configuration with its key is printed",
)
class SecretInException(Failing):
    def instead(self, error: ReferenceError) -> Exception:
        status = "401 403 404 429 500 503"
        return OSError(f"the reference vendor failed ({status}) with {json.dumps(self._api_key)}")


@mutant(
    Kill("SWAP-12", "the speech completes within", "close-then-start"),
    story="thought: a failed start that leaves its own sink behind",
)
class FailedStartBinds(SoundAvatar):
    """Binds a sink for an avatar that never comes, when its start has failed."""

    async def _release(self) -> None:
        failed = self._remote_session is None and self._own_session is not None
        if failed and self._own_room is not None and self._own_session is not None:
            self._output = self._own_session.output
            ReferenceAvatar._bind(self)
            self._unbound = True
        await super()._release()
