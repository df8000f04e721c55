from __future__ import annotations

import asyncio
import json
from typing import Any, cast

import aiohttp
import pytest

from conformance.errors import KitError
from conformance.loopback.virtual_time.event_loop import VirtualClock, run_virtual
from conformance.plugin.vendor_api import STRING, Call, VendorAPI, fields
from conformance.stage.faults import Fault
from conformance.stage.network.network import Network
from conformance.stage.vendor.backend import MemoryBackend
from conformance.stage.vendor.latency import API_LATENCY
from tests.stage.vendor.acme import (
    END,
    HOST,
    Acme,
    StillWorker,
    backend_on,
    create_call,
    play,
    token,
)


def test_a_sound_request_opens_a_session_and_brings_its_worker() -> None:
    """The answer has the session's id, and a worker gets the room's URL and token."""

    async def scenario(backend: MemoryBackend, acme: Acme) -> None:
        assert await acme.create() == (200, {"id": "session-1", "url": "wss://x"})
        assert backend.request_violations == ()
        (session,) = backend.sessions
        assert (session.id, session.identity, session.ended_at) == ("session-1", "avatar", None)
        (worker,) = backend.workers
        assert (worker.spec.url, worker.spec.token) == ("wss://room", token("avatar"))
        (request,) = backend.requests
        assert (request.call, request.session) == ("create session", "session-1")

    play(scenario)


def test_a_call_for_a_session_ends_it() -> None:
    """The session's end is noted, its worker leaves, and another id is not found."""

    async def scenario(backend: MemoryBackend, acme: Acme) -> None:
        await acme.create()
        assert await acme.end("session-1") == 200
        assert backend.sessions[0].ended_at is not None
        await asyncio.sleep(0)
        assert cast("StillWorker", backend.workers[0]).left
        assert await acme.end("session-9") == 404
        assert backend.request_violations == ("end session: there is no such session",)

    play(scenario)


def test_objections_name_the_field_and_no_secret() -> None:
    """Wrong credentials are 401, a wrong body 422, an unknown path 404, each in words."""

    async def scenario(backend: MemoryBackend, acme: Acme) -> list[int]:
        statuses = [(await acme.create(key="wrong-secret"))[0]]
        statuses.append((await acme.create(room={}))[0])
        statuses.append((await acme.create(url=""))[0])
        statuses.append((await acme.create(colour="red"))[0])
        async with acme.session.get(f"https://{HOST}/v2/else") as response:
            statuses.append(response.status)
        assert backend.request_violations == (
            "create session: header 'x-api-key' is not '{api_key}'",
            "create session: body/room: 'token' is a required property",
            "create session: body/url: does not satisfy minLength: 1",
            "create session: body: Additional properties are not allowed ('colour' was unexpected)",
            f"GET {HOST}/v2/else: the vendor has no such call",
        )
        assert backend.sessions == ()
        return statuses

    assert play(scenario) == [401, 422, 422, 422, 404]


def test_forms_are_read_and_checked() -> None:
    """A form and a multipart body are checked field by field like JSON."""

    async def scenario(backend: MemoryBackend, acme: Acme) -> None:
        form = {"name": "a"}
        await acme.session.post(f"https://{HOST}/form", data=form)
        with aiohttp.MultipartWriter("form-data") as writer:
            part = writer.append("picture")
            part.set_content_disposition("form-data", name="name")
        await acme.session.post(f"https://{HOST}/multipart", data=writer)
        assert backend.request_violations == ()
        assert [request.body for request in backend.requests] == [form, {"name": "picture"}]
        await acme.session.post(f"https://{HOST}/form", data={"other": "a"})
        assert backend.request_violations[0] == "upload form: body: 'name' is a required property"

    schema = fields({"name": STRING})
    play(
        scenario,
        Call("upload form", "POST", "/form", body=schema, body_format="form"),
        Call("upload parts", "POST", "/multipart", body=schema, body_format="multipart"),
    )


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_a_status_fault_is_shown_and_counted(status: int) -> None:
    """The call answers with the status and opens nothing; after `times` it is well again."""

    async def scenario(backend: MemoryBackend, acme: Acme) -> None:
        injected = backend.inject(Fault("status", status=status), times=2)
        for _ in range(2):
            answered, body = await acme.create()
            assert answered == status
            assert set(body["error"]) == {"code", "message"}
        assert (injected.reached, backend.sessions) == (2, ())
        assert (await acme.create())[0] == 200
        assert injected.reached == 2

    play(scenario)


BROKEN: dict[str, type[Exception]] = {
    "refused": aiohttp.ClientConnectorError,
    "reset-before-answer": aiohttp.ClientOSError,
    "reset-inside-answer": aiohttp.ClientError,
    "not-json": json.JSONDecodeError,
    "wrong-content-type": aiohttp.ContentTypeError,
    "redirect-to-undeclared-host": aiohttp.ClientConnectorError,
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_connection_or_answer_reaches_the_client(kind: Any) -> None:
    """Each fault is the exception that a client gets from such a vendor, and can be withdrawn."""

    async def scenario(backend: MemoryBackend, acme: Acme) -> None:
        await acme.create()
        injected = backend.inject(Fault(kind), call="create session")
        with pytest.raises(BROKEN[kind]):
            await acme.create()
        assert injected.reached == 1
        carried_out = kind in ("reset-inside-answer", "not-json", "wrong-content-type")
        assert len(backend.sessions) == 1 + carried_out
        injected.withdraw()
        assert (await acme.create())[0] == 200

    play(scenario)


def test_an_answer_can_have_the_wrong_type_or_lack_a_field() -> None:
    """Well-formed answers that are of no use: another type, and without what is needed."""

    async def scenario(backend: MemoryBackend, acme: Acme) -> None:
        backend.inject(Fault("json-of-wrong-type"), times=1)
        assert (await acme.create())[1] == ["unexpected"]
        missing = backend.inject(Fault("field-missing"))
        assert (await acme.create())[1] == {"url": "wss://x"}
        assert missing.reached == 1

    play(scenario)


def test_an_answer_can_be_late_or_never_come() -> None:
    """Time passes by the stage's clock; what never answers leaves no task behind."""

    async def scenario(backend: MemoryBackend, acme: Acme) -> float:
        started = asyncio.get_running_loop().time()
        backend.inject(Fault("answers-slowly", delay=5.0), times=1)
        assert (await acme.create())[0] == 200
        late = asyncio.get_running_loop().time() - started
        never = backend.inject(Fault("never-answers"))
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(acme.create(), 100)
        assert never.reached == 1
        return late

    assert play(scenario) == pytest.approx(5 + API_LATENCY)


def test_refusing_a_later_call_lets_the_one_before_it_through() -> None:
    """A host that goes away between two calls refuses the second one's connection."""

    async def scenario(backend: MemoryBackend, acme: Acme) -> None:
        injected = backend.inject(Fault("refused"), call="go")
        assert (await acme.create())[0] == 200
        with pytest.raises(aiohttp.ClientConnectorError):
            await acme.session.post(f"https://{HOST}/v1/go", json={})
        assert injected.reached == 1

    play(scenario, create_call(), Call("go", "POST", "/v1/go"))


def test_a_fault_for_an_unknown_call_names_the_known_ones() -> None:
    """A misspelt call is the kit's error, in one line."""

    async def scenario(backend: MemoryBackend, acme: Acme) -> None:
        with pytest.raises(KitError, match=r"no call 'creat' .* 'create session', 'end session'"):
            backend.inject(Fault("refused"), call="creat")

    play(scenario)


def test_two_avatars_of_one_vendor_share_its_host() -> None:
    """A request goes to the backend of the avatar whose token or session it carries."""

    async def main(clock: VirtualClock) -> None:
        api = VendorAPI(create_call(), END)
        with Network(clock) as network:
            async with (
                backend_on(network, clock, api, "old") as old,
                backend_on(network, clock, api, "new") as new,
                aiohttp.ClientSession() as session,
            ):
                acme = Acme(session)
                assert (await acme.create("old"))[1]["id"] == "session-1"
                assert (await acme.create("new"))[1]["id"] == "session-2"
                await acme.end("session-1")
                assert [r.call for r in old.requests] == ["create session", "end session"]
                assert [r.call for r in new.requests] == ["create session"]

    run_virtual(main)


def test_an_adapters_answer_that_raises_is_the_kits_error() -> None:
    """The plugin gets 500, and closing says whose code has failed."""

    def answer(request: Any) -> Any:
        raise LookupError("nothing here")

    async def scenario(backend: MemoryBackend, acme: Acme) -> None:
        assert (await acme.create())[0] == 500

    with pytest.raises(
        KitError, match="acme: the answer of 'create session' of its adapter raised"
    ):
        play(scenario, create_call(answer=answer))


def test_the_timeline_is_the_same_in_every_run() -> None:
    """Requests and answers are events by name and status, and hold nothing random."""

    def once() -> list[str]:
        async def main(clock: VirtualClock) -> list[str]:
            with Network(clock) as network:
                async with (
                    backend_on(network, clock, VendorAPI(create_call())) as backend,
                    aiohttp.ClientSession() as session,
                ):
                    backend.inject(Fault("status", status=503), times=1)
                    await Acme(session).create()
                    await Acme(session).create()
                    return [str(event) for event in backend._timeline]

        return run_virtual(main)

    first = once()
    assert first == once()
    assert [line.split(None, 4)[-1] for line in first] == [
        "request",
        "fault what=503",
        "answer status=503",
        "request",
        "answer status=200",
    ]
