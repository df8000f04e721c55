"""Judges deployed workers, twice: ``python -m tests.deployed [--once] [FAULT ...]``.

The robust worker of the tests, and each broken one, is a process of its own on a LiveKit server on
127.0.0.1: the one of ``LIVEKIT_SERVER`` or of ``PATH``, else one that Go builds. Prints subjects by
requirements, how often a check was played, and whether the second round had the same outcomes;
ends with 1 where it had not, where a broken worker was not caught, or the robust one failed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from conformance.deployed.checks import CHECKS
from conformance.deployed.runner import LIMIT, DeployedRunner
from conformance.deployed.worker_alone import WorkerAlone
from conformance.live.launcher import PINNED_RELEASE, LiveServer, ServerMissing, find_server
from conformance.live.stage import LiveRunner
from conformance.results.outcomes import Outcome
from conformance.suite.runner.subjects import Subject
from tests.deployed.caught import CAUGHT

ROBUST = ""


def _server() -> Path:
    """The server's executable; built where there is none and Go is there."""
    try:
        return find_server()
    except ServerMissing as missing:
        go = shutil.which("go")
        if go is None:
            raise SystemExit(f"{missing}; nor is there Go to build one with") from None
    where = Path(os.environ.get("GOBIN") or Path.home() / "go" / "bin")
    if not (where / "server").is_file():
        print(f"building livekit-server {PINNED_RELEASE} with Go: some minutes", flush=True)
        package = f"github.com/livekit/livekit-server/cmd/server@{PINNED_RELEASE}"
        subprocess.run(
            [go, "install", package], check=True, env={**os.environ, "GOBIN": str(where)}
        )
    return where / "server"


def _round(server: LiveServer, faults: list[str]) -> tuple[dict[tuple[str, str], str], list[str]]:
    """The outcome of each subject and requirement, and what was not as it must be."""
    outcomes: dict[tuple[str, str], str] = {}
    wrong: list[str] = []
    for fault in faults:
        worker = WorkerAlone((sys.executable, "-m", "tests.deployed.worker", fault))
        runner = DeployedRunner(
            LiveRunner.of(server.credentials, limit=LIMIT), {worker.name: worker}
        )
        asked, words = CAUGHT.get(fault, ("", ""))
        for check in CHECKS:
            if fault and check.requirement != asked:
                continue
            result = runner.run(Subject(worker.name, tuple(CHECKS)), check)
            said = result.finding.observed if result.finding is not None else result.reason
            outcomes[fault, check.requirement] = result.outcome.value
            print(f"{fault or 'robust':30} {check.requirement} {result.outcome.value} {said}")
            sys.stdout.flush()
            if fault == ROBUST and result.outcome is not Outcome.PASSED:
                wrong.append(f"the robust worker: {check.requirement} {said}")
            if fault and (result.outcome is not Outcome.FAILED or words not in said):
                wrong.append(f"{fault} was not caught by {check.requirement} for {words!r}")
    return outcomes, wrong


def main(arguments: list[str]) -> int:
    """Judge the workers; says what the process is to end with."""
    rounds = 1 if "--once" in arguments else 2
    named = [fault for fault in arguments if not fault.startswith("-")]
    faults = named or [ROBUST, *CAUGHT]
    with LiveServer.start(_server()) as server:
        os.environ["TEST_KEY"] = server.credentials.api_key
        os.environ["TEST_SECRET"] = server.credentials.api_secret
        played = [_round(server, faults) for _ in range(rounds)]
    wrong = [line for _, lines in played for line in lines]
    differing = sorted(
        key for key in played[0][0] if any(p[0].get(key) != played[0][0][key] for p in played)
    )
    wrong += [
        f"{fault or 'robust'} {name}: another outcome the second time" for fault, name in differing
    ]
    print("\n".join(wrong) or f"as it must be, {rounds} times: {len(played[0][0])} outcomes")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
