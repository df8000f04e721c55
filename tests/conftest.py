from __future__ import annotations

import datetime
import gc
import json
import shutil
import signal
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

pytest_plugins = ["pytester"]

LEAVES_LITTER = (
    *("test_kill_mutants", "test_kill_matrix", "test_live_mutants", "test_mutants"),
    *("test_adapters", "test_adapters_odd", "test_out_of_sight", "test_clients"),
)
"""Modules of tests in which providers leave connections open: broken ones, and earlier plugins."""

OTHER_PLUGINS = ("xdist", "randomly", "asyncio", "anyio", "hypothesispytest", "cacheprovider")
FAKE_KIT = Path(__file__).parent / "certification" / "fake_kit.py"


@dataclass
class Repository:
    """Somebody's repository in which a certification runs."""

    pytester: pytest.Pytester
    monkeypatch: pytest.MonkeyPatch

    def behave(self, outcomes: Mapping[str, str]) -> None:
        """Say what checks do, by the check's id, or by its requirement for all providers."""
        self.monkeypatch.setenv("FAKE_OUTCOMES", json.dumps(dict(outcomes)))

    def deviates(self, *deviations: Mapping[str, Any], provider: str = "acme") -> None:
        """Give a provider known deviations."""
        self.monkeypatch.setenv("FAKE_DEVIATIONS", json.dumps({provider: list(deviations)}))

    def run(self, *args: str) -> pytest.RunResult:
        """Run ``pytest --conformance`` in this process, with no other plugin."""
        without = [part for name in OTHER_PLUGINS for part in ("-p", f"no:{name}")]
        return self.pytester.runpytest_inprocess(
            *("-p", "fake_kit", *without, "--conformance", "--conformance-processes=1"),
            *args,
            no_reraise_ctrlc=True,
        )

    def run_in_process_of_its_own(self, *args: str) -> pytest.RunResult:
        """Run ``pytest --conformance`` with whatever plugins are installed."""
        return self.pytester.runpytest_subprocess("-p", "fake_kit", "--conformance", *args)

    def report(self, name: str = "r.json") -> dict[str, Any]:
        """The JSON report that a run has written."""
        loaded: dict[str, Any] = json.loads((self.pytester.path / name).read_text("utf-8"))
        return loaded

    def outcomes(self, name: str = "r.json") -> dict[str, str]:
        """The outcome of each check in a JSON report, by id."""
        subjects = self.report(name)["subjects"]
        return {r["id"]: r["outcome"] for subject in subjects for r in subject["results"]}


@pytest.fixture
def heeds_interruptions() -> Iterator[None]:
    """SIGINT raises KeyboardInterrupt, also where a shell runs the tests in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def deviation(requirement: str, /, **changes: object) -> dict[str, object]:
    """A known deviation as JSON."""
    return {
        "requirement": requirement,
        "reason": "the vendor does not bind its tail",
        "reference": "https://example.test/1",
        "owner": "acme",
        "expires": str(datetime.date.today() + datetime.timedelta(days=100)),
        **changes,
    }


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, and say so, what is about versions of a distribution that are not installed."""
    for text in (text for mark in item.iter_markers("needs") for text in mark.args):
        needed = Requirement(text)
        installed = version(needed.name)
        if not needed.specifier.contains(installed, prereleases=True):
            pytest.skip(f"about {text}; {installed} is installed")


@pytest.fixture(autouse=True)
def no_litter(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a provider left open is collected here, not in the next test; it fails none."""
    if request.module.__name__.rpartition(".")[2] not in LEAVES_LITTER:
        yield
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield
        gc.collect()


@pytest.fixture
def repository(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A repository with nothing in it, and a tiny suite in the place of the real one."""
    library = pytester.path.parent / f"{pytester.path.name}-library"
    library.mkdir()
    shutil.copy(FAKE_KIT, library / "fake_kit.py")
    monkeypatch.setenv("PYTHONPATH", str(library))
    monkeypatch.syspath_prepend(library)
    for name in ("FAKE_OUTCOMES", "FAKE_DEVIATIONS", "FAKE_UNCHECKED", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    return Repository(pytester, monkeypatch)
