"""Two runs of the same checks compared: on the loopback stage, and on a real server."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from conformance.results.outcomes import CheckId, CheckResult, Outcome
from conformance.results.run import LIVE, LOOPBACK, Run
from tests.live_server.rules import rules

_KICKED = (
    "the plugin's aclose() removes the agent from the room. On the loopback stage the new avatar's "
    "tracks have found a subscriber by then; on a real server they have not, and its audio waits"
)
_TICK = (
    "its second participant, 'listener', publishes nothing and leaves within 3 s. The loopback "
    "room tells of it and the host takes it for the user; a real server may never tell of it"
)
_SHARED = (
    "every instance's second participant is 'listener': the old one takes what is sent until the "
    "new one has joined. Which of the two hears the end of a speech depends on how long that "
    "takes: always 0.15 s on the loopback stage"
)
_EARLY = (
    "the sink is bound before the vendor's answer is read, and is left behind when that is "
    "wrong, waiting for its worker. On the loopback stage that one has joined by then"
)

EXPLAINED: Mapping[str, str] = {
    "bithuman-local::SWAP-*[start-then-close]": _KICKED,
    "avatartalk::FAULT-09": _TICK,
    "avatartalk::SWAP-10": _SHARED,
    "avatartalk::SWAP-14": _SHARED,
    "lemonslice::FAULT-03[json-of-wrong-type]": _EARLY,
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
        return next((why for pattern, why in EXPLAINED.items() if self.matches(pattern)), "")

    def matches(self, pattern: str) -> bool:
        """Whether a key of `EXPLAINED` is about this check."""
        return fnmatch.fnmatchcase(self.id, pattern.replace("[", "[[]"))


@dataclass(frozen=True)
class Comparison:
    """Every check that both runs have. ``versions`` are what was measured with, by name."""

    pairs: tuple[Pair, ...]
    versions: Mapping[str, str]
    missing: tuple[str, ...] = ()
    """The checks that came to no outcome on the real server."""
    left_out: tuple[CheckId, ...] = ()
    """The variants of compared checks that were played on neither stage, by `sample`."""

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
    def unneeded(self) -> tuple[str, ...]:
        """The keys of `EXPLAINED` whose checks were played, and came out the same."""
        about = {key: [p for p in self.played if p.matches(key)] for key in EXPLAINED}
        return tuple(key for key, pairs in about.items() if pairs and all(p.same for p in pairs))

    @property
    def providers(self) -> tuple[str, ...]:
        """The subjects, in the order of the reports."""
        return tuple(dict.fromkeys(pair.provider for pair in self.pairs))


def compare(
    loopback: Run, live: Run, repeats: Sequence[Run] = (), planned: Sequence[CheckId] = ()
) -> Comparison:
    """Compare two runs; ``repeats`` are later ones of some of the checks on the real server.

    ``planned`` are the checks that there are, to tell what the runs left out.

    Raises `NotComparable`.
    """
    for report, stage in ((loopback, LOOPBACK), (live, LIVE), *((r, LIVE) for r in repeats)):
        if report.stage != stage:
            raise NotComparable(f"a report of stage {report.stage!r}, {stage!r} is wanted")
    before = dict(_results(loopback))
    after = dict(_results(live))
    odd = sorted(set(after) - set(before))
    if odd:
        raise NotComparable(f"{len(odd)} checks ran on the real server only, {odd[0]} first")
    again = {name: result for report in repeats for name, result in _results(report)}
    reached = [name for name in before if name in after or name in again]
    compared = {_without_variant(name) for name in before}
    left_out = [c for c in planned if str(c) not in before and _without_variant(str(c)) in compared]
    return Comparison(
        tuple(_pair(name, before[name], after.get(name), again.get(name)) for name in reached),
        {**live.host, "avatar-conformance": live.kit},
        tuple(name for name in before if name not in reached),
        tuple(left_out),
    )


def _without_variant(name: str) -> str:
    return name.partition("[")[0]


def _pair(
    name: str, loopback: CheckResult, live: CheckResult | None, again: CheckResult | None
) -> Pair:
    decided = again or live
    assert decided is not None
    return Pair(
        name,
        loopback.outcome,
        decided.outcome,
        rules().get(name.partition("::")[2]),
        _observed(decided) or _observed(loopback),
        live is not None and again is not None,
    )


def _observed(result: CheckResult) -> str:
    return result.finding.observed if result.finding is not None else result.reason


def _results(run: Run) -> Iterator[tuple[str, CheckResult]]:
    for subject in run.subjects:
        for result in subject.results:
            yield str(result.id), result


__all__ = ["EXPLAINED", "Comparison", "NotComparable", "Pair", "compare"]
