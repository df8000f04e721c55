"""How the cost grows with providers and with checks.

``python -m tests.bench.clones`` prints JSON: seconds of CPU time for 1, 4, 13 and 52 clones of the
reference provider on some checks, and for 1 clone on that many times as many checks.
"""

from __future__ import annotations

import json
import time

from conformance.loopback.stage import LoopbackRunner
from conformance.plugin.provider import Provider
from conformance.reference import adapter
from conformance.suite.runner import subjects as of_run
from conformance.suite.runner.runner import CheckRunner

COUNTS = (1, 4, 13, 52)
CHECKS = ("BIND-01", "BIND-04", "PLAY-02", "UNBIND-06")


def clone(number: int) -> Provider:
    """One more provider with the reference adapter."""
    return Provider(adapter, label=f"clone-{number}", origin="a clone", source="bundled")


def seconds(providers: int, repeats: int) -> float:
    """The CPU time of the checks on ``providers`` clones, each check ``repeats`` times."""
    checks = CheckRunner(LoopbackRunner())
    subjects = [of_run.subjects([clone(number)])[-1] for number in range(providers)]
    began = time.process_time()
    for subject in subjects:
        for check in subject.checks:
            if check.requirement in CHECKS:
                for _ in range(repeats):
                    for variant in check.variants or (None,):
                        checks.run(subject, check, variant)
    return time.process_time() - began


def main() -> None:
    """Measure and print; the first run, which imports and builds what all share, is thrown away."""
    seconds(1, 1)
    print(
        json.dumps(
            {
                "providers": {str(count): seconds(count, 1) for count in COUNTS},
                "checks": {str(count * len(CHECKS)): seconds(1, count) for count in COUNTS},
            }
        )
    )


if __name__ == "__main__":
    main()
