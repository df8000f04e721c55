"""Plays the suite on the loopback stage and on a real server, and compares what came of it.

``python -m tests.live_server.differential`` starts the servers that it needs, one for each process.
It exits with 0 when every check that was played on both stages came to the same outcome, or to a
different one that is explained; with 1 when not; with 2 when it could not be found out.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from conformance.certificate.loading import load_report
from conformance.certification.options import Options
from conformance.certification.preparation import prepare
from conformance.errors import ConformanceError, KitError
from conformance.live.launcher import ServerMissing, find_server
from conformance.results.outcomes import CheckId
from conformance.results.run import Run

from .comparison import Comparison, NotComparable, compare
from .record import document, summary
from .sample import sample

PROCESSES = 8
"""Checks mostly wait, so there may be more processes than processors."""
REPEAT_PROCESSES = 2
REPEATS = 2
"""How often a check that differs is played again: the machine may have been busy."""
_PROGRESS = re.compile(r"\[ *(\d+%)\]$")
"""How pytest ends a line of outcomes."""


class NoReport(KitError):
    """A run of pytest came to no report."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the comparison that ``arguments`` ask for; the exit code."""
    parser = _parser()
    wanted = parser.parse_args(arguments)
    if len(wanted.reports or "ok") < 2:
        parser.error("--reports takes two reports at least")
    try:
        if wanted.reports:
            loopback, live, *repeats = map(load_report, wanted.reports)
            return _told(compare(loopback, live, repeats, _planned(wanted)), wanted.write)
        find_server()
        with tempfile.TemporaryDirectory(prefix="avatar-conformance-differential-") as directory:
            compared = _compared(wanted, Path(directory))
    except (ServerMissing, ConformanceError, NotComparable) as error:
        print(f"the stages were not compared: {error}", file=sys.stderr)
        return 2
    return _told(compared, wanted.write)


def _told(compared: Comparison, to: Path | None) -> int:
    if to is not None:
        to.write_text(document(compared), "utf-8")
    sys.stdout.write(summary(compared))
    return 1 if compared.unexplained or compared.missing else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.live_server.differential")
    parser.add_argument("--provider", action="append", default=[], help="this one only; repeatable")
    parser.add_argument(
        "--requirement", action="append", default=[], help="as pytest's; repeatable"
    )
    parser.add_argument("--full", action="store_true", help="every variant of every check")
    parser.add_argument("-n", "--processes", type=int, default=PROCESSES)
    parser.add_argument(
        "--reports",
        nargs="+",
        type=Path,
        metavar="FILE.json",
        help="play nothing, compare these: one of the loopback stage, one of a real server, and "
        "any number of later ones of checks that were played there again",
    )
    parser.add_argument("--write", type=Path, metavar="FILE.md", help="write the record there")
    return parser


def _providers(wanted: argparse.Namespace) -> tuple[str, ...]:
    return tuple(wanted.provider) or ("all",)


def _planned(wanted: argparse.Namespace) -> list[CheckId]:
    asked = Options(
        Path.cwd(), providers=_providers(wanted), requirements=tuple(wanted.requirement)
    )
    return [planned.id for planned in prepare(asked).plan.checks]


def _compared(wanted: argparse.Namespace, directory: Path) -> Comparison:
    checks = _planned(wanted)
    names = [str(check) for check in (checks if wanted.full else sample(checks))]
    play = _Player(directory, _providers(wanted))
    loopback = play(names, processes=min(wanted.processes, REPEAT_PROCESSES), live=False)
    live = play(names, processes=wanted.processes, live=True)
    compared = compare(loopback, live, planned=checks)
    repeats: list[Run] = []
    while (compared.unexplained or compared.missing) and len(repeats) < REPEATS:
        again = [*(pair.id for pair in compared.unexplained), *compared.missing]
        repeats.append(play(again, processes=REPEAT_PROCESSES, live=True))
        compared = compare(loopback, live, repeats, checks)
    return compared


class _Player:
    """Runs pytest on named checks, in processes of their own, and returns its JSON report."""

    def __init__(self, directory: Path, providers: Sequence[str]) -> None:
        self._directory = directory
        self._providers = [f"--provider={name}" for name in providers]
        self._runs = 0

    def __call__(self, names: Sequence[str], *, processes: int, live: bool) -> Run:
        self._runs += 1
        report = self._directory / f"{self._runs}.json"
        stage = "a real server" if live else "the loopback stage"
        print(f"{len(names)} checks on {stage}", flush=True)
        command = [
            *(sys.executable, "-m", "pytest", "--conformance", "--no-deviations"),
            *("-n", str(processes), "--dist", "worksteal", "-q", "--tb", "no"),
            *("-p", "no:randomly", "--conformance-report", str(report), *self._providers),
            *(["--live"] if live else []),
            *names,
        ]
        last = "no word"
        began = time.monotonic()
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        ) as running:
            assert running.stdout is not None
            for line in running.stdout:
                last = line.strip() or last
                if progress := _PROGRESS.search(line):
                    print(f"  {progress[1]:>4} after {time.monotonic() - began:.0f} s", flush=True)
        if running.returncode not in (0, 1) or not report.is_file():
            raise NoReport(f"pytest ended with {running.returncode}: {last}")
        return load_report(report)


if __name__ == "__main__":
    sys.exit(main())
