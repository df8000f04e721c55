from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

pytest_plugins = ["pytester"]

FAKE_KIT = Path(__file__).with_name("fake_kit.py")


@dataclass
class Repository:
    """Somebody's repository in which a certification runs, in a process of its own."""

    pytester: pytest.Pytester
    monkeypatch: pytest.MonkeyPatch
    plugins: Sequence[str] = field(default_factory=lambda: ["xdist", "randomly", "cacheprovider"])

    def behave(self, **outcomes: str) -> None:
        """Say what checks do; a check's id is written with its provider, or all by requirement."""
        self.monkeypatch.setenv("FAKE_OUTCOMES", json.dumps(outcomes))

    def behaves(self, outcomes: Mapping[str, str]) -> None:
        """Say what checks do, by full id."""
        self.monkeypatch.setenv("FAKE_OUTCOMES", json.dumps(dict(outcomes)))

    def deviates(self, *deviations: Mapping[str, Any], provider: str = "acme") -> None:
        """Give a provider known deviations."""
        self.monkeypatch.setenv("FAKE_DEVIATIONS", json.dumps({provider: list(deviations)}))

    def run(self, *args: str, plain: bool = True) -> pytest.RunResult:
        """Run ``pytest --conformance``; ``plain`` leaves other plugins out."""
        without = [part for name in self.plugins for part in ("-p", f"no:{name}")] if plain else []
        return self.pytester.runpytest_subprocess(
            "-p", "fake_kit", *without, "--conformance", *args
        )

    def report(self, name: str = "r.json") -> dict[str, Any]:
        """The JSON report that a run has written."""
        loaded: dict[str, Any] = json.loads((self.pytester.path / name).read_text("utf-8"))
        return loaded

    def outcomes(self, name: str = "r.json") -> dict[str, str]:
        """The outcome of each check in a JSON report, by id."""
        subjects = self.report(name)["subjects"]
        return {r["id"]: r["outcome"] for subject in subjects for r in subject["results"]}


@pytest.fixture
def repository(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A repository with nothing in it, and a tiny suite in the place of the real one."""
    library = pytester.path.parent / f"{pytester.path.name}-library"
    library.mkdir()
    shutil.copy(FAKE_KIT, library / "fake_kit.py")
    monkeypatch.setenv("PYTHONPATH", str(library))
    for name in ("FAKE_OUTCOMES", "FAKE_DEVIATIONS", "FAKE_UNCHECKED", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    return Repository(pytester, monkeypatch)
