"""``python -m tests.order [--seeds N] [--from SEED] [PROVIDER ...]``: the same in every order.

Judges the bundled providers (or those that are named) once in the suite's order, and then in as
many shuffled orders as there are seeds, in this one process, while a thread of a plugin goes on.
Prints what differs, and exits with 1 where something does. Minutes for each seed.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from pathlib import Path

from conformance.plugin.discovery import discover, select

from .shuffled import a_plugins_thread, differences, outcomes


def main() -> int:
    """Compare, and say what differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.order")
    parser.add_argument("providers", nargs="*", default=["all"])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--from", type=int, default=1, dest="first")
    given = parser.parse_args()
    logging.disable()
    providers = select(discover(rootdir=Path("/")), given.providers or ["all"])
    expected = outcomes(providers, None)
    print(f"{len(expected)} checks of {len(providers)} providers", flush=True)
    different = 0
    with a_plugins_thread():
        for seed in range(given.first, given.first + given.seeds):
            began = time.monotonic()
            found = differences(expected, outcomes(providers, seed))
            different += len(found)
            took = time.monotonic() - began
            print(f"seed {seed}: {len(found)} outcomes differ, {took:.0f} s", flush=True)
            for check, what in sorted(found.items()):
                print(f"    {check}: {what}", flush=True)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
