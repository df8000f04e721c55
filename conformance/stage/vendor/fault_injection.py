"""Faults of a vendor's API: which of them a request meets, and how its answer is spoilt."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from aiohttp import web

from conformance.plugin.room import Clock
from conformance.plugin.vendor_api import Call, Socket
from conformance.stage.faults import Fault, FaultKind
from conformance.stage.network.transport import underneath

UNDECLARED = "https://undeclared.conformance.test/"

_BEFORE_ANYTHING: tuple[FaultKind, ...] = (
    "status",
    "refused",
    "reset-before-answer",
    "never-answers",
    "answers-slowly",
    "redirect-to-undeclared-host",
)
_ANSWER: tuple[FaultKind, ...] = (
    "reset-inside-answer",
    "not-json",
    "json-of-wrong-type",
    "field-missing",
    "wrong-content-type",
)
_SOCKET: tuple[FaultKind, ...] = (
    "socket-closed-at-once",
    "socket-closed-idle",
    "socket-closed-mid-speech",
    "socket-frame-not-json",
    "socket-never-connected",
)


class Injection:
    """A fault that was put in place; see `conformance.stage.Injected`."""

    def __init__(self, fault: Fault, call: str | None, times: int | None) -> None:
        self.fault = fault
        self.call = call
        self._left = times
        self._reached = 0

    @property
    def reached(self) -> int:
        """How many requests have met it so far."""
        return self._reached

    @property
    def active(self) -> bool:
        """Whether the next request can meet it."""
        return self._left is None or self._left > 0

    def withdraw(self) -> None:
        """Take the fault out again."""
        self._left = 0

    def meet(self) -> Fault:
        """Count one more request that meets it."""
        self._reached += 1
        if self._left is not None:
            self._left -= 1
        return self.fault

    def concerns(self, endpoint: Call | Socket) -> bool:
        """Whether a request to this endpoint would meet it."""
        if not self.active or self.call not in (None, endpoint.name):
            return False
        kind = self.fault.kind
        if isinstance(endpoint, Socket):
            return kind in _BEFORE_ANYTHING or kind in _SOCKET
        if kind == "field-missing":
            return bool(endpoint.needed_fields)
        return kind in _BEFORE_ANYTHING or kind in _ANSWER


def comes_before(fault: Fault) -> bool:
    """Whether the vendor has done nothing of what it was asked when this fault shows."""
    return fault.kind in _BEFORE_ANYTHING and fault.kind != "answers-slowly"


def refusal(status: int) -> web.Response:
    """An error answer as a vendor gives it."""
    words = HTTPStatus(status)
    code = words.phrase.lower().replace(" ", "_")
    response = web.json_response(
        {"error": {"code": code, "message": words.description or words.phrase}}, status=status
    )
    if status in (429, 503):
        response.headers["Retry-After"] = "1"
    return response


async def instead_of_answer(fault: Fault, request: web.BaseRequest) -> web.StreamResponse:
    """Answer for the vendor, which does nothing of what it was asked."""
    if fault.kind == "status":
        return refusal(fault.status or 500)
    if fault.kind == "redirect-to-undeclared-host":
        return web.Response(status=307, headers={"Location": UNDECLARED})
    if fault.kind == "never-answers":
        await asyncio.Event().wait()
    return reset(request)


def reset(request: web.BaseRequest) -> web.StreamResponse:
    """Break the connection."""
    connection = underneath(request.transport)
    if connection is not None:
        connection.reset()
    elif request.transport is not None:
        request.transport.abort()
    return web.Response()


async def spoilt_answer(
    fault: Fault, request: web.BaseRequest, call: Call, answer: Any, clock: Clock
) -> web.StreamResponse:
    """The answer of a call that the vendor has carried out, made unreadable."""
    if fault.kind == "reset-inside-answer":
        return await _break_off(request, call.status, json.dumps(answer).encode(), clock)
    if fault.kind == "not-json":
        page = "<!doctype html><title>Service</title><p>All went well."
        return web.Response(status=call.status, text=page, content_type="application/json")
    if fault.kind == "json-of-wrong-type":
        wrong: Any = "unexpected" if isinstance(answer, list) else ["unexpected"]
        return web.json_response(wrong, status=call.status)
    if fault.kind == "field-missing":
        answer = without(answer, call.needed_fields)
        return web.json_response(answer, status=call.status)
    return web.Response(status=call.status, text=json.dumps(answer), content_type="text/html")


def without(answer: Any, names: Iterable[str]) -> Any:
    """``answer`` without the fields of these names; a name may be a JSON pointer."""
    answer = json.loads(json.dumps(answer))
    for name in names:
        *parents, last = name.strip("/").split("/")
        target = answer
        for step in parents:
            target = target.get(step) if isinstance(target, dict) else None
        if isinstance(target, dict):
            target.pop(last, None)
    return answer


async def _break_off(
    request: web.BaseRequest, status: int, body: bytes, clock: Clock
) -> web.StreamResponse:
    body = body.ljust(64)
    response = web.StreamResponse(
        status=status,
        headers={"Content-Type": "application/json", "Content-Length": str(len(body))},
    )
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    await clock.sleep(0.001)
    reset(request)
    return response
