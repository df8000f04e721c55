"""One start under one fault, judged by several requirements of the FAULT family."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import aiohttp
from livekit.agents import APIConnectionError

from conformance.errors import KitError, exception_text
from conformance.results.outcomes import Blocked, NotApplicable, ProviderRaised, Violation
from conformance.stage.faults import (
    ANSWER_FAULTS,
    CONNECTION_FAULTS,
    SOCKET_FAULTS,
    STATUS_FAULTS,
    Fault,
)

from .bounds import bound_hint
from .chain import describe
from .resources import ResourceSnapshot
from .scene import Scene

NO_API = "the provider has no vendor API (transport in-process)"
STATUS_ALONE = "the vendor's contract is the status alone: what the answer says is not read"
NO_CALL = (
    "start() makes no call to the vendor's API: vendor_backend() has none, or each of them has "
    'when="later"'
)
NOTHING_NEEDED = "the provider needs no field of the answer"
NO_SOCKET = "the vendor's API has no WebSocket"


@dataclass(frozen=True)
class Raised:
    """The exception of ``start()``, in words.

    ``summary`` is its class and message; ``chain`` has classes and messages of it and of all that
    it was raised from; ``network`` says whether a network error is among them, and ``leaks`` names
    the secrets that are.
    """

    summary: str
    chain: str
    network: bool
    leaks: Sequence[str] = ()

    @classmethod
    def of(cls, error: BaseException, leaks: Callable[[str], Sequence[str]]) -> Raised:
        """Put ``error`` into words; ``leaks`` finds the secrets in a text."""
        errors = list(_causes(error))
        chain = "\n".join(f"{type(e).__module__}.{exception_text(e)}" for e in errors)
        network = any(_shows_network(e) for e in errors)
        return cls(exception_text(error), chain, network, leaks(chain))


_NETWORK = (OSError, aiohttp.ClientError, asyncio.TimeoutError, APIConnectionError)
_CLIENTS = {"anyio", "httpcore", "httpx", "requests", "urllib3", "websocket", "websockets"}
"""Libraries whose exceptions are about the network, whatever they derive from."""


def _shows_network(error: BaseException) -> bool:
    library = type(error).__module__.partition(".")[0]
    return isinstance(error, _NETWORK) or library in _CLIENTS


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    while error is not None and not any(error is each for each in seen):
        yield error
        seen.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


@dataclass(frozen=True)
class StartAttempt:
    """What happened when ``start()`` of ``provider``, with ``bound`` seconds for it, met a fault.

    ``elapsed`` is how long ``start()`` took, in seconds by the stage's clock; ``hung`` that it did
    not return within its bound, ``served`` that it returned and an avatar has come: the provider
    needs nothing of what was spoilt. ``requests`` counts the requests to the faulty call, with the
    moments at which they came.
    """

    provider: str
    bound: float
    fault: Fault
    call: str
    raised: Raised | None
    hung: bool
    served: bool
    elapsed: float
    at: float
    requests: tuple[float, ...]
    tail_kept: bool
    tail_before: str
    tail_after: str
    left: Mapping[str, int]
    sessions_opened: int
    sessions_left: int
    bound_hint: str = ""
    """Which bound that is, and what else there is to do about it."""

    @property
    def where(self) -> str:
        """The fault and the call, in words."""
        return f"{self.fault} at {self.call!r}"


def fault_named(name: str) -> Fault:
    """The fault whose name is ``name``."""
    for fault in (*STATUS_FAULTS, *CONNECTION_FAULTS, *ANSWER_FAULTS, *SOCKET_FAULTS):
        if str(fault) == name:
            return fault
    raise KitError(f"no fault is called {name!r}")


def targets(scene: Scene, fault: Fault) -> Sequence[str]:
    """The calls of ``start()`` that can show ``fault``; raises `NotApplicable` where none can."""
    context = scene.adapter_context()
    api = scene.provider.vendor_backend(context)
    if api is None:
        raise NotApplicable(NO_API)
    if fault in SOCKET_FAULTS:
        if not api.sockets:
            raise NotApplicable(NO_SOCKET)
        return [socket.name for socket in api.sockets]
    calls = [call for call in api.calls if call.when == "start"]
    opening = [socket.name for socket in api.sockets if socket.opens_session]
    if opening and not calls and fault.kind != "reset-inside-answer" and fault not in ANSWER_FAULTS:
        return opening
    if not calls:
        raise NotApplicable(NO_CALL)
    if fault.kind in ("not-json", "json-of-wrong-type", "wrong-content-type"):
        calls = [call for call in calls if not call.answer_ignored]
        if not calls:
            raise NotApplicable(STATUS_ALONE)
    if fault.kind == "field-missing":
        calls = [call for call in calls if call.needed_fields]
        if not calls:
            raise NotApplicable(NOTHING_NEEDED)
    return [call.name for call in calls]


async def attempt(scene: Scene, fault: Fault, call: str) -> StartAttempt:
    """Start an avatar whose vendor shows ``fault`` at ``call``, close it, and say what happened.

    The session has been started. A fault that was never reached is no verdict: raises `Blocked`
    where ``start()`` did not come that far, and `KitError` where it works without that call.
    """
    avatar = await scene.create(f"faulty-{len(scene.avatars)}")
    injected = avatar.backend.inject(fault, call=call)
    before = scene.chain().tail
    leftovers = ResourceSnapshot.of(scene)
    began = scene.clock.now()
    raised: Raised | None = None
    hung = False
    served = False
    try:
        await scene.start(avatar, ready=False)
        await scene.clock.sleep(1.0)
        served = fault not in SOCKET_FAULTS and any(worker.in_room for worker in avatar.workers)
    except ProviderRaised as failure:
        raised = Raised.of(failure.error, scene.leaks)
    except Violation:
        hung = True
    elapsed = scene.clock.now() - began
    after = scene.chain().tail
    if not injected.reached:
        if raised is not None or hung:
            what = f"raised {raised.summary}" if raised is not None else "went on waiting"
            raise Blocked("BIND-01", f"start() {what} before it came to {call!r}")
        raise KitError(
            f"{fault} at {call!r} was never reached: start() of {scene.provider.name} makes no "
            "such call"
        )
    injected.withdraw()
    await scene.abandon(avatar)
    for worker in avatar.workers:
        await worker.aclose()
    await scene.clock.sleep(1.0)
    sessions = avatar.backend.sessions
    return StartAttempt(
        provider=scene.provider.name,
        bound=scene.manifest.bounds.start,
        bound_hint=bound_hint(scene.manifest, "start"),
        fault=fault,
        call=call,
        raised=raised,
        hung=hung,
        served=served,
        elapsed=elapsed,
        at=began,
        requests=tuple(r.at for r in avatar.backend.requests if r.call == call),
        tail_kept=after is before,
        tail_before=describe(before),
        tail_after=describe(after),
        left=ResourceSnapshot.of(scene).since(leftovers).things,
        sessions_opened=len(sessions),
        sessions_left=sum(session.ended_at is None for session in sessions),
    )


async def trials(scene: Scene, name: str) -> Sequence[StartAttempt]:
    """A trial of the fault that is called ``name``, at every call that can show it."""
    fault = fault_named(name)
    await scene.start_session()
    return [await attempt(scene, fault, call) for call in targets(scene, fault)]
