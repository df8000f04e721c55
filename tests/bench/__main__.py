"""``python -m tests.bench``: measures, prints the ratios, writes JSON (``--output``) and a page.

CPU time is in user mode, so that a busy machine changes little. ``--quick`` leaves the run of all
providers out.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .page import page
from .process import Cost, cost_of

ROOT = Path(__file__).resolve().parents[2]
PYTEST = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly"]
UNRELATED = """\
import sys

def test_nothing_of_livekit_is_here():
    assert "livekit" not in sys.modules
    assert "livekit.agents" not in sys.modules
"""


@dataclass(frozen=True)
class Goal:
    """``value`` shall not be above ``most`` (or below ``least``)."""

    what: str
    value: float
    most: float | None = None
    least: float | None = None

    @property
    def met(self) -> bool:
        """Whether it is reached."""
        return (self.most is None or self.value <= self.most) and (
            self.least is None or self.value >= self.least
        )

    def __str__(self) -> str:
        bound = f"at most {self.most:g}" if self.most is not None else f"at least {self.least:g}"
        return f"{'met   ' if self.met else 'MISSED'} {self.what}: {self.value:.3g} ({bound})"


def certification(provider: str, folder: Path, *options: str) -> dict[str, Any]:
    """What certifying ``provider`` costs, and what the report says of it."""
    file = folder / f"{provider}.json"
    asked = ["--conformance", "--provider", provider, "--conformance-report", str(file)]
    run = [*PYTEST, *asked, *options]
    cost = cost_of(run, cwd=ROOT)
    report = json.loads(file.read_text("utf-8"))
    results = [result for subject in report["subjects"] for result in subject["results"]]
    walls = [float(seconds) for seconds in report["timing"]["checks"].values()]
    simulated = sum(result["simulated_seconds"] for result in results)
    return {
        **asdict(cost),
        "checks": len(results),
        "simulated_seconds": simulated,
        "simulated_per_cpu_second_of_checks": simulated / cost.cpu,
        "median_check_ms": statistics.median(walls) * 1000,
    }


def unrelated(folder: Path) -> dict[str, Cost]:
    """Plain pytest in a project that has nothing to do with the kit, with it and without."""
    project = folder / "unrelated"
    project.mkdir()
    (project / "test_it.py").write_text(UNRELATED, "utf-8")
    without = [*PYTEST, "-p", "no:avatar_conformance"]
    return {
        "with_the_plugin": cost_of(PYTEST, cwd=project, times=5),
        "plugin_disabled": cost_of(without, cwd=project, times=5),
    }


def of_module(name: str) -> dict[str, Any]:
    """The JSON that a part of the benchmark prints."""
    done = subprocess.run(
        [sys.executable, "-m", f"tests.bench.{name}"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def measure(quick: bool) -> dict[str, Any]:
    """Everything, as JSON values."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        collecting = [*PYTEST, "--conformance", "--provider", "all", "--collect-only"]
        cost_of([*PYTEST, "--conformance", "--provider", "all", "-k", "BIND-01"], cwd=ROOT)
        return {
            "floor": asdict(cost_of(["-c", "import livekit.agents"], cwd=folder, times=3)),
            "one_vendor": certification("anam", folder),
            "all_vendors": None if quick else certification("all", folder),
            "all_vendors_by_two": None if quick else certification("all", folder, "-n", "2"),
            "collection": asdict(cost_of(collecting, cwd=ROOT)),
            "unrelated": {key: asdict(cost) for key, cost in unrelated(folder).items()},
            "swap_point": of_module("swap_points"),
            "linearity": of_module("clones"),
            "owners": of_module("owners"),
        }


def goals(found: dict[str, Any]) -> Iterator[Goal]:
    """What was aimed at, and what came of it."""
    one, every, floor = found["one_vendor"], found["all_vendors"], found["floor"]
    yield Goal("one vendor, times the import of the host (CPU)", one["cpu"] / floor["cpu"], most=2)
    if every is not None:
        yield Goal("all vendors, seconds of CPU time", every["cpu"], most=15)
        yield Goal("all vendors, seconds of wall time", every["wall"], most=15)
        yield Goal("all vendors, MB at most", every["peak_mb"], most=400)
        shared = found["all_vendors_by_two"]["wall"] / every["wall"]
        yield Goal("all vendors with -n 2, times the wall time without", shared, most=0.7)
    best = every or one
    yield Goal("median check, ms", best["median_check_ms"], most=10)
    simulated = best["simulated_per_cpu_second_of_checks"]
    yield Goal("simulated seconds in each second of CPU time", simulated, least=500)
    plain = found["unrelated"]
    more = plain["with_the_plugin"]["cpu"] - plain["plugin_disabled"]["cpu"]
    yield Goal("pytest in an unrelated project, ms more", more * 1000, most=50)
    points = found["swap_point"]
    if "host" in points:
        for what, most in (("frame", 1), ("swap", 2)):
            ratio = points["endpoint"][f"{what}_us"] / points["host"][f"{what}_us"]
            yield Goal(f"a {what} at our swap point, times the host's", ratio, most=most)
    for what, seconds in found["linearity"].items():
        each = {count: value / int(count) for count, value in seconds.items()}
        first, *_, last = each
        yield Goal(f"{last} {what}, times {first}, each", each[last] / each[first], most=1.2)


def main() -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--output", type=Path, help="where to write the JSON")
    parser.add_argument("--write", type=Path, metavar="FILE.md", help="a page of it")
    parser.add_argument("--quick", action="store_true", help="without the run of all providers")
    arguments = parser.parse_args()
    found = measure(arguments.quick)
    judged = list(goals(found))
    found["goals"] = [{**asdict(goal), "met": goal.met} for goal in judged]
    text = json.dumps(found, indent=1)
    if arguments.output:
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(text + "\n", encoding="utf-8")
    if arguments.write:
        arguments.write.write_text(page(found, found["goals"]), encoding="utf-8")
    print(text)
    print("where the time of one vendor's checks goes:")
    print("\n".join(f"  {share:5.1%}  {name}" for name, share in found["owners"].items()))
    print("\n".join(map(str, judged)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
