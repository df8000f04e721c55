"""Two runs of the same checks compared: on the loopback stage, and on a real server."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.outcomes import Outcome
from conformance.report.run import LIVE, LOOPBACK

from .rules import not_live

_KICKED = (
    "the plugin's aclose() removes the agent from the room. On the loopback stage the new avatar's "
    "tracks have found a subscriber by then; on a real server they have not, and its audio waits"
)

EXPLAINED: Mapping[str, str] = {
    "bithuman-local::SWAP-*[start-then-close]": _KICKED,
}
"""Check ids whose outcomes differ, with why. A ``*`` stands for anything, a bracket for itself."""


class NotComparable(ValueError):
    """The two reports are not of the same checks on the two stages. The message is one line."""


@dataclass(frozen=True)
class Pair:
    """What became of one check on either stage. ``observed`` says what failed, where one did."""

    id: str
    loopback: Outcome
    live: Outcome
    rule: str | None = None
    """The rule by which it was not played in real time."""
    observed: str = ""
    repeated: bool = False
    """Whether it had to be played on the real server again before both agreed, or not."""

    @property
    def provider(self) -> str:
        """The subject that was judged."""
        return self.id.partition("::")[0]

    @property
    def requirement(self) -> str:
        """The requirement's id."""
        return self.id.partition("::")[2].partition("[")[0]

    @property
    def same(self) -> bool:
        """Whether both stages agree."""
        return self.loopback is self.live

    @property
    def explanation(self) -> str:
        """Why the stages differ; empty where nobody knows."""
        for pattern, why in EXPLAINED.items():
            if fnmatch.fnmatchcase(self.id, pattern.replace("[", "[[]")):
                return why
        return ""


@dataclass(frozen=True)
class Comparison:
    """Every check that both runs have. ``versions`` are what was measured with, by name."""

    pairs: tuple[Pair, ...]
    versions: Mapping[str, str]

    @property
    def played(self) -> tuple[Pair, ...]:
        """The checks that were played on both stages."""
        return tuple(pair for pair in self.pairs if pair.rule is None)

    @property
    def differing(self) -> tuple[Pair, ...]:
        """The checks that were played on both stages, with different outcomes."""
        return tuple(pair for pair in self.played if not pair.same)

    @property
    def unexplained(self) -> tuple[Pair, ...]:
        """Those of them that nobody has explained."""
        return tuple(pair for pair in self.differing if not pair.explanation)

    @property
    def providers(self) -> tuple[str, ...]:
        """The subjects, in the order of the reports."""
        return tuple(dict.fromkeys(pair.provider for pair in self.pairs))


def compare(
    loopback: Mapping[str, Any], live: Mapping[str, Any], repeats: Sequence[Mapping[str, Any]] = ()
) -> Comparison:
    """Compare two JSON reports; ``repeats`` are later runs of some of the live checks.

    Raises `NotComparable`.
    """
    for report, stage in ((loopback, LOOPBACK), (live, LIVE), *((r, LIVE) for r in repeats)):
        if report.get("stage") != stage:
            raise NotComparable(f"a report of stage {report.get('stage')!r}, {stage!r} is wanted")
    before = dict(_results(loopback))
    after = dict(_results(live))
    if set(before) != set(after):
        odd = sorted(set(before) ^ set(after))
        raise NotComparable(f"{len(odd)} checks ran on one stage only, {odd[0]} first")
    again = {name: result for report in repeats for name, result in _results(report)}
    pairs = [_pair(name, before[name], after[name], again.get(name)) for name in before]
    return Comparison(tuple(pairs), {**live["host"], "avatar-conformance": live["kit"]})


def _pair(
    name: str,
    loopback: Mapping[str, Any],
    live: Mapping[str, Any],
    again: Mapping[str, Any] | None,
) -> Pair:
    decided = live if again is None else again
    requirement, _, variant = name.partition("::")[2].partition("[")
    return Pair(
        name,
        Outcome(loopback["outcome"]),
        Outcome(decided["outcome"]),
        not_live(requirement, variant.rstrip("]") or None),
        _observed(decided) or _observed(loopback),
        again is not None,
    )


def _observed(result: Mapping[str, Any]) -> str:
    finding = result.get("finding") or {}
    return str(finding.get("observed") or result.get("reason") or "")


def _results(report: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for subject in report["subjects"]:
        for result in subject["results"]:
            yield result["id"], result


__all__ = ["EXPLAINED", "Comparison", "NotComparable", "Pair", "compare"]
