"""How a broken chain is declared."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any
from unittest import mock

from livekit.agents.voice import io

from conformance.endpoint import SwapPoint, binding, swap_point
from conformance.suite.scene.host_chain import EndpointSwap, Wrap

BROKEN: list[tuple[str, str, Callable[[], EndpointSwap]]] = []


def broken(requirement: str, observed: str) -> Callable[[Any], Any]:
    """Declare a kit, or a swap point to put into the sound kit, that must fail in these words."""

    def declare(made: Any) -> Any:
        kit = made if issubclass(made, EndpointSwap) else functools.partial(PointKit, made)
        BROKEN.append((requirement, observed, kit))
        return made

    return declare


class PointKit(EndpointSwap):
    """The sound endpoint with another swap point, or another tap on the tails, in it."""

    def __init__(self, part: type) -> None:
        home, name = (
            (binding, "SwapPoint") if issubclass(part, SwapPoint) else (swap_point, "TailListener")
        )
        self._patched = lambda: mock.patch.object(home, name, part)

    def wrap(self, below: io.AudioOutput, make: Wrap) -> io.AudioOutput:
        with self._patched():
            return super().wrap(below, make)

    def swap(self, output: io.AgentOutput, sink: io.AudioOutput) -> None:
        with self._patched():
            super().swap(output, sink)

    def unbind(self, output: io.AgentOutput) -> None:
        with self._patched():
            super().unbind(output)
