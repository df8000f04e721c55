"""One certification run in a fresh environment: in a process of its own, in an empty directory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from conformance.errors import UsageError
from conformance.results.json_input import parse_json

from .environment import Environment, scrubbed
from .list_providers import SURVEY, Survey
from .no_network import alone, refusal
from .process_tree import run_whole

REPORT = "report.json"
_TAKES = 3600.0
# Isolated from PYTHON* variables, the user's site and the current directory; no bytecode written.
_ISOLATED = ("-I", "-B")


class IsolatedRun(Protocol):
    """Runs the suite in an environment."""

    def survey(self, environment: Environment, distribution: str, folder: Path) -> Survey:
        """The providers of a distribution, with an adapter in ``folder`` or installed."""
        ...

    def run(self, environment: Environment, providers: Sequence[str], folder: Path) -> Path:
        """Certify these providers in ``folder``; the report's path."""
        ...


class SubprocessTrial:
    """Runs it with scrubbed environment variables, and without a network where that is possible.

    ``say`` gets each line of pytest's output, and whether there was a network.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._refusal: str | None = None

    def survey(self, environment: Environment, distribution: str, folder: Path) -> Survey:
        """Raises `UsageError` when the environment cannot even be looked at."""
        module = ["-m", "conformance.certificate.list_providers", distribution]
        lines: list[str] = []
        code = self._start(environment, module, folder, lines.append)
        # Importing an adapter may print as well, before it and at the end.
        found = [line for line in lines if line.startswith(SURVEY)]
        if code or not found:
            last = next((line for line in reversed(lines) if line.strip()), "it says nothing")
            raise UsageError(f"the plugin's environment does not work: {last.strip()}")
        try:
            return Survey.from_json(parse_json(found[-1].encode("utf-8")))
        except ValueError as error:
            raise UsageError(f"the plugin's environment does not work: {error}") from None

    def run(self, environment: Environment, providers: Sequence[str], folder: Path) -> Path:
        """Raises `UsageError` when the run gives no report."""
        (folder / "pytest.ini").write_text("[pytest]\n", "utf-8")
        names = [part for name in providers for part in ("--provider", name)]
        arguments = ["-m", "pytest", "-p", "avatar_conformance", "-p", "no:cacheprovider"]
        arguments += ["--noconftest", "--rootdir", ".", "-c", "pytest.ini", "--tb=no", "-q"]
        arguments += ["--conformance", *names, "--conformance-report", REPORT]
        arguments.append("--conformance-controls")
        code = self._start(environment, arguments, folder, self._say)
        report = folder / REPORT
        if not report.is_file():
            raise UsageError(
                f"the run ended with exit code {code} and without a report: it certifies nothing"
            )
        if code not in (0, 1):
            # The report is written last, and says itself whether it is whole: an abrupt end of the
            # host's own runtime after that changes nothing.
            self._say(f"the run ended with exit code {code} after its report was written")
        return report

    def _start(
        self,
        environment: Environment,
        arguments: Sequence[str],
        folder: Path,
        hear: Callable[[str], None],
    ) -> int:
        home = folder / "home"
        home.mkdir(exist_ok=True)
        if self._refusal is None:
            self._refusal = refusal()
            self._say(
                f"network: as it is here ({self._refusal}); what child processes and native code "
                "contact is not seen"
                if self._refusal
                else "network: none, in a namespace of its own"
            )
        command = [str(environment.python), *_ISOLATED, *arguments]
        return run_whole(
            command if self._refusal else alone(command),
            cwd=folder,
            env=scrubbed(home),
            hear=hear,
            seconds=_TAKES,
        )
