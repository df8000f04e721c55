"""The real suite in somebody's repository, with an adapter of its own."""

from __future__ import annotations

import json

import pytest

ADAPTER = """
from conformance.plugin import hookimpl
from conformance.reference import adapter
from conformance.reference.adapter import create_avatar, vendor_backend

@hookimpl
def avatar_provider_manifest():
    return {**adapter.avatar_provider_manifest(), "name": "acme"}
"""
CHOSEN = [f"--requirement={name}" for name in ("BIND-01", "SWAP-01", "SWAP-02", "PLAY-03")]


def certified(pytester: pytest.Pytester, *arguments: str) -> dict[str, object]:
    """The report of a real run, without the one part that differs between equal runs."""
    pytester.runpytest_subprocess(
        "--conformance", *CHOSEN, "--conformance-report=r.json", *arguments
    )
    report: dict[str, object] = json.loads((pytester.path / "r.json").read_text("utf-8"))
    del report["timing"]
    return report


def test_the_repository_of_a_plugin_certifies_that_plugin(pytester: pytest.Pytester) -> None:
    """The adapter in the root is found, and its plugin is certified without any option.

    The same under a strict configuration, spread over processes: outcomes and event timelines.
    """
    (pytester.path / "conformance_adapter.py").write_text(ADAPTER)
    first = certified(pytester, "-p", "no:xdist", "-p", "no:randomly", "-p", "no:anyio")
    subjects = first["subjects"]
    assert isinstance(subjects, list)
    (acme,) = subjects
    assert (acme["name"], acme["origin"]) == ("acme", "conformance_adapter.py")
    assert acme["ledger"]["closed"] is True
    assert acme["ledger"]["error"] == 0
    assert {"passed"} <= {result["outcome"] for result in acme["results"]}

    pytester.makeini(
        "[pytest]\nfilterwarnings = error\nasyncio_mode = auto\ntestpaths = tests\n"
        "asyncio_default_fixture_loop_scope = function\n"
        "addopts = --strict-markers --import-mode=importlib\n"
    )
    assert certified(pytester, "-n", "2") == first
