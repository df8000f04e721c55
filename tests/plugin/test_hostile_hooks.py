"""Whatever a hook raises or returns, the adapter's author reads one line about it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from conformance.plugin import hookimpl
from conformance.plugin import provider as provider_module
from tests.plugin.test_wrong_adapters import adapter, refused


class Wordless(Exception):
    """An exception that cannot be printed."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


def manifest_by(act: Callable[[], Any]) -> str:
    """The line about an adapter whose manifest hook does ``act``."""

    @hookimpl
    def avatar_provider_manifest() -> Any:
        return act()

    return refused(adapter(avatar_provider_manifest=avatar_provider_manifest))


@pytest.mark.parametrize(
    ("raised", "says"),
    [
        (SystemExit(3), "SystemExit: 3"),
        (asyncio.CancelledError("enough"), "CancelledError: enough"),
        (GeneratorExit(), "GeneratorExit"),
        (pytest.skip.Exception("not today"), "Skipped: not today"),
        (pytest.fail.Exception("by hand"), "Failed: by hand"),
        (pytest.exit.Exception("go home"), "Exit: go home"),
        (Wordless(), "Wordless: its str() raises RuntimeError"),
        (RuntimeError("x" * 3000), "(3000 characters)"),
        (RuntimeError("half \ud800"), r"half \ud800"),
    ],
)
def test_whatever_a_hook_raises_is_one_line(raised: BaseException, says: str) -> None:
    """Neither the run nor a test ends by it, and the line can be printed."""

    def act() -> None:
        raise raised

    line = manifest_by(act)
    assert line.startswith("adapter conformance_adapter.py: avatar_provider_manifest: it raised ")
    assert says in line
    assert line.encode("utf-8")


def endless() -> dict[str, Any]:
    """A mapping that has itself in it."""
    data: dict[str, Any] = {}
    data["name"] = data
    return data


@pytest.mark.parametrize(
    ("returned", "says"),
    [
        (endless(), "nested deeper than 16 levels"),
        ({"name": ["x"] * 20_000}, "more than 10000 values"),
    ],
)
def test_an_answer_without_bounds_is_refused(returned: Any, says: str) -> None:
    """A structure that is too deep, or too long, is named as that."""
    assert says in manifest_by(lambda: returned)


def spin() -> None:
    """Wait for a flag that nobody sets."""
    while True:
        pass


def test_a_hook_that_never_returns_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hook has a bound in real time, and the line says where it was."""
    monkeypatch.setattr(provider_module, "PATIENCE", 0.01)
    line = manifest_by(spin)
    assert "still running after 0.01 s of real time" in line
    assert f"{__name__}:spin" in line
