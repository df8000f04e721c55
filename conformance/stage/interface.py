"""The stage: the room, the clock, the workers and the vendor's API that a check plays on.

The suite knows this interface only. :mod:`conformance.loopback` is the stage that needs no server
and runs on virtual time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from conformance.errors import KitError
from conformance.plugin.room import Clock, Credentials, RoomServer
from conformance.plugin.vendor_api import ApiRequest
from conformance.results.timeline import Timeline

from .faults import Fault

if TYPE_CHECKING:
    from livekit import rtc

    from conformance.plugin.context import AdapterContext
    from conformance.plugin.provider import Provider
    from conformance.plugin.worker import Behaviour, Worker

T = TypeVar("T")

STAGE_LOST = "stage::lost"
"""The reference of a result that there is no verdict for because the stage's server was gone."""


class StageLost(KitError):
    """The stage's server is not there, or went away: nobody can be judged on it."""


class Server(RoomServer, Protocol):
    """The room's server."""

    @property
    def credentials(self) -> Credentials:
        """The key and secret that the agent and the plugin mint tokens with."""

    def participants(self, room_name: str) -> Mapping[str, Mapping[str, str]]:
        """The identities now in the room, each with its attributes."""

    def removals(self) -> Sequence[str]:
        """The identities that were asked to be removed through the room API, in order."""

    def fail_api(self, fault: Fault | None) -> None:
        """Make every later call of the room API show this fault; None mends it."""

    async def drop(self, room: rtc.Room, *, seconds: float | None = None) -> None:
        """Cut a participant's connection; after ``seconds`` it reconnects, or never if None."""


@dataclass(frozen=True)
class VendorSession:
    """A remote session that the vendor bills: times in seconds by the stage's clock."""

    id: str
    opened_at: float
    ended_at: float | None
    identity: str | None


class Injected(Protocol):
    """A fault that was put in place."""

    @property
    def reached(self) -> int:
        """How many requests have met it so far."""

    def withdraw(self) -> None:
        """Take the fault out again."""


class Backend(Protocol):
    """One vendor's API, served to the plugin's own HTTP client."""

    @property
    def requests(self) -> Sequence[ApiRequest]:
        """Every request received, oldest first."""

    @property
    def request_violations(self) -> Sequence[str]:
        """Violations of the vendor's API: a wrong header, a missing or unknown field."""

    @property
    def sessions(self) -> Sequence[VendorSession]:
        """Every remote session ever opened, oldest first."""

    @property
    def workers(self) -> Sequence[Worker]:
        """Every worker that a session has brought into being, oldest first."""

    behaviour: Behaviour
    """How the workers of sessions that are opened from now on behave."""

    def inject(
        self, fault: Fault, *, call: str | None = None, times: int | None = None
    ) -> Injected:
        """Make a call (every call when None) show ``fault``, ``times`` times or always."""


@dataclass(frozen=True)
class Contact:
    """An attempt to reach a network address that no declared host stands for.

    ``thread_of`` names the provider whose thread, of an earlier scene, made it; it is empty for a
    thread that is no provider's, and None for what the scene itself did.
    """

    at: float
    address: str
    origin: str
    thread_of: str | None = None

    def concerns(self, provider: str, module: str) -> bool:
        """Whether it is the provider's, whose own code is in ``module``."""
        return self.thread_of in (None, provider) or self.origin.startswith(f"{module}")


@dataclass(frozen=True)
class ChildProcess:
    """A child process that was started, and by whose code; ``thread_of`` as of a `Contact`."""

    program: str
    origin: str
    thread_of: str | None = None


class Stage(Protocol):
    """Everything outside the process that a check needs, stood in for or real."""

    @property
    def name(self) -> str:
        """``loopback`` or ``live``."""

    @property
    def clock(self) -> Clock:
        """The time that everything here runs on."""

    @property
    def timeline(self) -> Timeline:
        """The event timeline so far."""

    @property
    def server(self) -> Server:
        """The room's server."""

    @property
    def undeclared_contacts(self) -> Sequence[Contact]:
        """Attempts to reach anything but the declared hosts."""

    @property
    def children(self) -> Sequence[ChildProcess]:
        """The child processes that were started; what they contact is out of sight."""

    @property
    def isolated(self) -> bool:
        """Whether the process, and its children, have no network but a loopback."""

    @property
    def limits(self) -> Sequence[str]:
        """What this stage could not serve or wait for, in words: a failure is then nobody's."""

    async def open_backend(self, provider: Provider, context: AdapterContext) -> Backend:
        """Serve a provider's vendor API from now on; the stage closes it."""

    def job(self, room: rtc.Room) -> AbstractAsyncContextManager[Any]:
        """Make a job context current, with its HTTP session, for the agent in ``room``."""


class StageRunner(Protocol):
    """Opens a stage, runs one scenario on it to the end, and puts everything back."""

    @property
    def name(self) -> str:
        """The stage's name."""

    @property
    def virtual(self) -> bool:
        """Whether its time is virtual."""

    def in_real_time(self) -> StageRunner:
        """A runner of the same stage in real time; itself where its time is real."""

    @property
    def patience(self) -> float:
        """Seconds of real time after which a scenario is interrupted, whatever it is doing."""

    @property
    def hangs(self) -> tuple[type[Exception], ...]:
        """The exceptions of :meth:`run` when the scenario waits for what never comes."""

    def run(self, scenario: Callable[[Stage], Awaitable[T]], *, seed: int | None = None) -> T:
        """Run ``scenario`` on a fresh stage and return what it returns.

        ``seed`` shuffles callbacks that are ready at the same moment; None keeps their order.
        """
