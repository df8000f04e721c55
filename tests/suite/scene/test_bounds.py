"""What a failure by a bound says of the bound."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from conformance.loopback.stage import LoopbackRunner
from conformance.plugin.manifest import Bounds
from conformance.plugin.provider import Provider
from conformance.results.outcomes import Violation
from conformance.suite.scene.bounds import bound_hint
from conformance.suite.scene.scene import open_scene
from tests.mutants.mutant import SoundAdapter


def provider() -> Provider:
    """The sound provider."""
    return Provider(SoundAdapter(), label="sound", origin="a test")


def test_a_start_has_a_minute_by_default() -> None:
    """The host's own connection options may take 44 s; and a manifest may declare 300."""
    assert provider().manifest.bounds.start == 60.0

    class Patient(SoundAdapter):
        manifest = {"bounds": {"start": 300}}  # noqa: RUF012

    assert Provider(Patient(), label="sound", origin="a test").manifest.bounds.start == 300


def test_it_says_which_bound_and_whose() -> None:
    """The name in the manifest, whether it was declared, and the other way out."""
    manifest = provider().manifest
    default = bound_hint(manifest, "start")
    assert default.startswith("the bound is bounds.start, 60 s (the default); ")
    assert '"bounds": {"start": SECONDS}' in default
    declared = bound_hint(replace(manifest, bounds=Bounds(close=5)), "close")
    assert declared.startswith("the bound is bounds.close, 5 s (as the manifest declares); ")


def test_a_start_that_hangs_says_so() -> None:
    """The hint stands beside the failure."""

    class Hanging(SoundAdapter):
        class avatar(SoundAdapter.avatar):  # type: ignore[name-defined]
            """Never started."""

            async def start(self, *_: Any, **__: Any) -> None:
                await asyncio.Event().wait()

    hanging = Provider(Hanging(), label="sound", origin="a test")

    async def scenario(stage: Any) -> None:
        async with open_scene(stage, hanging) as scene:
            await scene.start_session()
            await scene.started()

    with pytest.raises(Violation) as caught:
        LoopbackRunner().run(scenario)
    assert caught.value.finding.hint == bound_hint(hanging.manifest, "start")
