"""The kit tells each mended version of a plugin, or of the host, from the broken one before it."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conformance.certificate.loading import load
from conformance.results.outcomes import CheckResult, Outcome

from .environments import certify, diff, overlay
from .lanes import Lane, Side, pack
from .pairs import PAIRS, Pair

RUN = tuple(pair for pair in PAIRS if not pair.awaiting)
LANES = pack(RUN)
FAILURES = (Outcome.FAILED, Outcome.EXPECTED_FAILURE)
"""A defect of the host that is on the list fails as expected; no plugin has a list here."""

pytestmark = [pytest.mark.installs, pytest.mark.history, pytest.mark.needs("livekit-agents>=1.8.9")]


@dataclass(frozen=True)
class Judged:
    """What the kit says of both sides of a lane, and of the step from each to the other."""

    broken: Mapping[str, CheckResult]
    mended: Mapping[str, CheckResult]
    versions: Mapping[tuple[Side, str], str | None]
    forward: Mapping[str, Any]
    backward: Mapping[str, Any]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Pair], Judged]:
    """Judge the lane of a pair, once. The folders of versions are kept from run to run."""
    if os.environ.get("AVATAR_CONFORMANCE_OFFLINE"):
        pytest.skip("told that there is no package index")
    work = tmp_path_factory.mktemp("history")
    kept = os.environ.get("AVATAR_CONFORMANCE_HISTORY")
    cache = Path(kept) if kept else work / "overlays"

    @functools.cache
    def of(lane: Lane) -> Judged:
        return judge(lane, cache, work / str(LANES.index(lane)))

    return lambda pair: of(next(lane for lane in LANES if pair in lane.pairs))


def judge(lane: Lane, cache: Path, work: Path) -> Judged:
    """Certify both sides of a lane, and compare the reports both ways."""
    work.mkdir()
    results: dict[Side, dict[str, CheckResult]] = {}
    versions: dict[tuple[Side, str], str | None] = {}
    sides: tuple[Side, ...] = ("broken", "mended")
    for side in sides:
        report = work / f"{side}.json"
        certify(overlay(lane.pins(side), cache), lane.selection, report)
        run = load(report).run
        results[side] = {str(r.id): r for subject in run.subjects for r in subject.results}
        versions.update({(side, subject.name): subject.version for subject in run.subjects})
    old, new = work / "broken.json", work / "mended.json"
    return Judged(
        results["broken"],
        results["mended"],
        versions,
        json.loads(diff(old, new)),
        json.loads(diff(new, old)),
    )


def named(comparison: Mapping[str, Any], kind: str) -> set[str]:
    """The checks that a comparison names under a heading."""
    return {change["id"] for change in comparison[kind]}


@pytest.mark.parametrize("pair", RUN, ids=str)
def test_a_mend_that_was_released_is_seen(judged: Callable[[Pair], Judged], pair: Pair) -> None:
    """The check fails before the mend and passes after it, and ``diff`` names both directions."""
    both = judged(pair)

    assert both.versions["broken", pair.subject] == pair.broken
    assert both.versions["mended", pair.subject] == pair.mended
    assert both.broken[pair.id].outcome in FAILURES, both.broken[pair.id].reason
    assert both.mended[pair.id].outcome is Outcome.PASSED, both.mended[pair.id].finding
    assert pair.id in named(both.forward, "fixes")
    assert pair.id in named(both.backward, "regressions")
    assert both.backward["regressed"]
