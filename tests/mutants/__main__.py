"""``python -m tests.mutants``: all mutants by all checks; exit code 1 where one is not killed."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

from conformance.requirements.kills import FILE

from .matrix import SOUND, SOUND_CHAIN, Matrix, Row, names, run, silence
from .order import unsteady
from .table import coupled, table

ORDERS = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, write; returns the exit code."""
    options = _options(arguments)
    silence()
    selected, only = _selected(options.mutant), _only(options.check)
    whole = not options.mutant
    began = time.perf_counter()
    matrix = run(selected, only=only, processes=options.processes, progress=_tell)
    print(table(matrix))
    print(coupled(matrix))
    problems = list(matrix.problems(coverage=whole))
    if options.orders and whole and only is None:
        problems += unsteady(options.orders, processes=options.processes)
        print(f"{options.orders} orders of what is ready at the same moment were tried")
    for problem in problems:
        print(f"WRONG {problem}", file=sys.stderr)
    count = sum(not row.sound for row in matrix.rows)
    took = time.perf_counter() - began
    print(f"{count} mutants, {len(problems)} wrong, {took:.0f} s")
    if options.json:
        options.json.write_text(json.dumps(_json(matrix, problems), indent=1) + "\n", "utf-8")
    if whole and only is None and not problems:
        FILE.write_text(json.dumps({"kills": matrix.kills()}, indent=1) + "\n", "utf-8")
    return 1 if problems else 0


def _tell(row: Row) -> None:
    """Say what is wrong with a row as soon as it is known, and that the run goes on."""
    wrong = list(row.problems())
    print(f"{row.name}: {len(wrong)} wrong" if wrong else row.name, file=sys.stderr, flush=True)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--mutant", action="append", metavar="GLOB", help="only these mutants")
    parser.add_argument("--check", action="append", metavar="ID", help="only these requirements")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the whole matrix")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--orders", type=int, default=ORDERS, help="how many seeds to try")
    return parser.parse_args(arguments)


def _selected(patterns: Sequence[str] | None) -> list[str]:
    known = names()
    if not patterns:
        return list(known)
    found = [name for name in known if any(fnmatch(name, pattern) for pattern in patterns)]
    if not found:
        raise SystemExit(f"no mutant is called {' or '.join(patterns)}")
    return [*(name for name in (*SOUND, SOUND_CHAIN) if name not in found), *found]


def _only(requirements: Sequence[str] | None) -> frozenset[str] | None:
    return frozenset(requirements) if requirements else None


def _json(matrix: Matrix, problems: Sequence[str]) -> dict[str, object]:
    return {
        "kills": matrix.kills(),
        "problems": list(problems),
        "rows": [
            {
                "name": row.name,
                "sound": row.sound,
                "story": row.story,
                "intended": [str(kill) for kill in row.kills],
                "killed_by": sorted(row.killed_by),
                "verdicts": {v.name: v.outcome.value for v in row.verdicts},
            }
            for row in matrix.rows
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
