"""What one process costs: its CPU time, its wall time and its peak memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """``cpu`` (user mode) and ``wall`` in seconds, ``peak_mb`` the most memory it had at once."""

    cpu: float
    wall: float
    peak_mb: float


def cost_of(arguments: Sequence[str], *, cwd: Path, times: int = 1) -> Cost:
    """The cheapest of ``times`` runs of this Python with ``arguments``, its children counted in.

    Python keeps what it compiles, as on a user's machine, whatever the environment says of that.
    A run that ends with a code other than 0 or 1 (checks failed) raises `RuntimeError`.
    """
    return min((_run(arguments, cwd) for _ in range(times)), key=lambda cost: cost.cpu)


def _run(arguments: Sequence[str], cwd: Path) -> Cost:
    environment = dict(os.environ)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = code = os.waitstatus_to_exitcode(status)
    if code not in (0, 1):
        raise RuntimeError(f"{' '.join(arguments)} ended with {code}:\n{output[-2000:]}")
    return Cost(usage.ru_utime, time.perf_counter() - began, usage.ru_maxrss / 1024)
