from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from conformance.results.deviation import Deviation
from conformance.results.deviation_policy import DeviationPolicy, ListedDeviation
from conformance.results.ledger import excused, ledger, partial_because
from conformance.results.outcomes import (
    Blocker,
    CheckId,
    CheckResult,
    HostDefectRef,
    Level,
    Outcome,
    blocker_from_text,
)
from conformance.results.run import DeviationUse, Selection, repeat_command
from conformance.results.tiers import Standing, Tier, standing, tier_of
from conformance.results.verdict import verdict
from tests.results.sample_run import CHECKS, acme, result, run, subject

KNOWN = ("BIND-01", "SWAP-01", "UNBIND-05")


def use(state: str) -> DeviationUse:
    """A deviation in some state."""
    return DeviationUse(
        "BIND-01",
        (),
        "why",
        "ref",
        "acme",
        "2026-12-31",
        "",
        "",
        "bundled",
        state,  # type: ignore[arg-type]
    )


def deviation(requirement: str = "BIND-01", **changes: object) -> Deviation:
    """A deviation that is accepted until the last day of 2026."""
    data = {
        "requirement": requirement,
        "reason": "the vendor does not bind its tail",
        "reference": "https://example.test/1",
        "owner": "acme",
        "expires": "2026-12-31",
        **changes,
    }
    return Deviation.from_json(data)


def excuses(*deviations: Deviation, today: date = date(2026, 6, 1)) -> DeviationPolicy:
    """The excuses of acme 1.0 on livekit-agents 1.8.9."""
    listed = tuple(ListedDeviation(d, "bundled") for d in deviations)
    return DeviationPolicy(listed, KNOWN, "1.0", "1.8.9", today)


def test_the_ledger_closes_when_everything_has_an_outcome() -> None:
    """Expected equals the sum of the outcomes, and the line says so."""
    account = ledger(acme({"BIND-01": Outcome.FAILED}).subjects[0])
    assert account.closed
    assert str(account).startswith("expected 4 = 3 passed + 1 failed + 0 expected-failure")


def test_a_missing_result_leaves_the_ledger_open() -> None:
    """A check without an outcome is named, and the run is partial."""
    lacking = run(subject([result(check) for check in CHECKS[:-1]]))
    account = ledger(lacking.subjects[0])
    assert not account.closed
    assert account.missing == (CheckId("acme", "UNBIND-05"),)
    assert str(account).endswith("+ 1 not run")
    assert partial_because(lacking) == ("acme: 1 checks not run: acme::UNBIND-05",)


@pytest.mark.parametrize(
    ("outcomes", "reached"),
    [
        ({}, Tier.ROBUST),
        ({"UNBIND-05": Outcome.FAILED}, Tier.FAULT_SAFE),
        ({"SWAP-01[a]": Outcome.FAILED}, Tier.NONE),
        ({"UNBIND-05": Outcome.ERROR}, Tier.FAULT_SAFE),
        ({"SWAP-01[b]": Outcome.BLOCKED}, Tier.NONE),
        ({"UNBIND-05": Outcome.BLOCKED}, Tier.FAULT_SAFE),
        ({"SWAP-01[b]": Outcome.NOT_APPLICABLE}, Tier.ROBUST),
        ({"SWAP-01[b]": Outcome.EXPECTED_FAILURE}, Tier.NONE),
        ({"UNBIND-05": Outcome.EXPECTED_FAILURE}, Tier.FAULT_SAFE),
    ],
)
def test_the_tier_follows_from_the_outcomes(outcomes: dict[str, Outcome], reached: Tier) -> None:
    """A failure is a failure, expected or not, and what cannot be judged earns nothing."""
    certified = acme(outcomes)
    assert tier_of(certified, certified.subjects[0]) is reached


@pytest.mark.parametrize(
    "changes",
    [
        {"gaps": ("interrupted",)},
        {"selection": Selection(("acme",), level=Level.MUST)},
        {"selection": Selection(("acme",), requirements=("*",))},
        {"selection": Selection(("acme",), checks=("acme::BIND-01",))},
    ],
)
def test_a_part_certifies_nothing(changes: dict[str, object]) -> None:
    """A partial or a narrowed run has no tier, though everything passed."""
    certified = acme(**changes)
    assert tier_of(certified, certified.subjects[0]) is Tier.NONE


@pytest.mark.parametrize("state", ["stale", "expired", "unknown"])
def test_a_deviation_moves_no_tier(state: str) -> None:
    """One that is stale, expired or unknown fails the gate, and the tier stays what it is."""
    certified = run(subject([result(check) for check in CHECKS], deviations=[use(state)]))
    assert tier_of(certified, certified.subjects[0]) is Tier.ROBUST
    assert verdict(certified).exit_code == 1


def test_what_the_host_keeps_from_being_judged_earns_nothing() -> None:
    """A check that the host blocks is held against nobody, and earns nobody a tier."""
    blocked = result("SWAP-01[a]", Outcome.BLOCKED, blocked_by=HostDefectRef("HD-06"))
    whole = run(subject([result("BIND-01"), blocked, result("SWAP-01[b]"), result("UNBIND-05")]))
    assert standing(whole, whole.subjects[0]) == Standing(Tier.NONE, ("SWAP-01",))
    assert verdict(whole).exit_code == 0


def test_another_providers_own_failure_costs_nobody_else_a_tier() -> None:
    """A pair is asked for where both providers are certified."""
    by = CheckId("beta", "SWAP-01", "to-beta")
    pair = result("SWAP-01[to-beta]", Outcome.BLOCKED, blocked_by=by)
    whole = run(subject([result("BIND-01"), pair], expected=["BIND-01", "SWAP-01[to-beta]"]))
    assert tier_of(whole, whole.subjects[0]) is Tier.ROBUST
    assert verdict(whole).exit_code == 0


@pytest.mark.parametrize("provider", ["beta", "host", "endpoint"])
def test_what_is_no_pair_is_blocked_by_no_other_subject(provider: str) -> None:
    """A check that has nothing to do with another subject earns nothing by naming it."""
    blocked = result("SWAP-01[a]", Outcome.BLOCKED, blocked_by=CheckId(provider, "SWAP-01", "a"))
    whole = run(subject([result("BIND-01"), blocked, result("SWAP-01[b]"), result("UNBIND-05")]))
    assert tier_of(whole, whole.subjects[0]) is Tier.NONE
    assert verdict(whole).exit_code == 1


def test_twice_the_blocked_checks_are_twice_the_work() -> None:
    """A certificate of thousands of blocked checks is judged in time that grows with it."""
    assert _looked_at(4000) <= 2.1 * _looked_at(2000)


def _looked_at(count: int) -> int:
    """How many results are looked at to judge a run of ``count`` blocked checks."""
    looked_at = 0

    class Counting(tuple[CheckResult, ...]):
        def __iter__(self) -> Iterator[CheckResult]:
            nonlocal looked_at
            for each in super().__iter__():
                looked_at += 1
                yield each

    blocked = Counting(
        result(f"SWAP-01[{n}]", Outcome.BLOCKED, blocked_by=CheckId("acme", "BIND-01"))
        for n in range(count)
    )
    whole = run(replace(subject([]), expected=tuple(r.id for r in blocked), results=blocked))
    assert verdict(whole).problems
    assert tier_of(whole, whole.subjects[0]) is Tier.NONE
    return looked_at


@pytest.mark.parametrize("outcome", [Outcome.ERROR, Outcome.FAILED])
def test_beside_a_host_that_fails_unexplained_nobody_earns_a_tier(outcome: Outcome) -> None:
    """A host that is wrong for no listed reason judges nobody."""
    whole = run(
        subject([result("HOST-01", outcome, provider="host")], name="host", expected=["HOST-01"]),
        subject([result(check) for check in CHECKS]),
    )
    assert standing(whole, whole.subjects[1]).nothing.startswith("host::HOST-01 fails")
    assert verdict(whole).exit_code == 1


def test_a_claimed_capability_moves_a_requirement_into_a_lower_tier() -> None:
    """Who claims it must do it: a SHOULD is a MUST for whoever claims its capability."""
    failed = result("UNBIND-05", Outcome.FAILED, level=Level.MUST)
    whole = run(subject([*(result(check) for check in CHECKS[:-1]), failed]))
    assert standing(whole, whole.subjects[0]) == Standing(Tier.SWAP_SAFE, ("UNBIND-05",))


def test_what_is_not_scored_does_not_count() -> None:
    """A requirement newer than the revision lowers no tier."""
    certified = run(subject([result("SEC-09", Outcome.FAILED)], expected=["SEC-09"]))
    assert tier_of(certified, certified.subjects[0]) is Tier.ROBUST
    assert verdict(certified).problems == ()


@pytest.mark.parametrize(
    ("text", "blocker"),
    [
        ("acme::SWAP-01", CheckId("acme", "SWAP-01")),
        ("reference::SWAP-01[a]", CheckId("reference", "SWAP-01", "a")),
        ("host::HD-06", HostDefectRef("HD-06")),
    ],
)
def test_a_blocker_is_read_back_from_its_written_form(text: str, blocker: Blocker) -> None:
    """A check or a host defect, as reports and certificates write it."""
    assert blocker_from_text(text) == blocker
    assert str(blocker) == text


@pytest.mark.parametrize("text", ["", "nobody knows", "acme::", "::SWAP-01", "acme::SWAP-01[a"])
def test_what_names_no_blocker_is_refused(text: str) -> None:
    """Nothing is fished out of a sentence."""
    with pytest.raises(ValueError, match="names neither a check nor a host defect"):
        blocker_from_text(text)


def test_a_blocker_with_one_variant_failed_excuses_nothing() -> None:
    """Of the blocker's variants each must be harmless, and one an expected failure."""
    blocked = result("BIND-01", Outcome.BLOCKED, blocked_by=CheckId("acme", "SWAP-01"))
    first = result("SWAP-01[a]", Outcome.EXPECTED_FAILURE)
    assert excused(subject([blocked, first, result("SWAP-01[b]")]), blocked)
    assert not excused(subject([blocked, first, result("SWAP-01[b]", Outcome.FAILED)]), blocked)
    assert not excused(subject([blocked, result("SWAP-01[b]")]), blocked)


def test_blocked_checks_are_one_problem() -> None:
    """Checks with one blocker are one line, not one each."""
    why: Any = {"blocked_by": CheckId("acme", "BIND-01")}
    blocked = [result(check, Outcome.BLOCKED, **why) for check in CHECKS[1:]]
    judged = verdict(run(subject([result("BIND-01", Outcome.ERROR), *blocked])))
    assert judged.problems == (
        "acme::BIND-01 is an error, no verdict: why it is error",
        "acme::SWAP-01[a] and 2 more are blocked by acme::BIND-01",
    )


def test_a_host_defect_is_no_problem_of_a_provider() -> None:
    """What the host is known to fail is listed apart, and exit code 0 stays."""
    failed = result("HOST-01", Outcome.EXPECTED_FAILURE, provider="host", reason="HD-09")
    judged = verdict(run(subject([failed], name="host", expected=["HOST-01"])))
    assert (judged.exit_code, judged.host_defects) == (0, ("host::HOST-01: HD-09",))
    for name in ("host", "endpoint"):
        failed = result("HOST-01", Outcome.FAILED, provider=name)
        judged = verdict(run(subject([failed], name=name, expected=["HOST-01"])))
        assert judged.exit_code == 1


def test_an_excuse_turns_a_failure_into_an_expected_one() -> None:
    """A deviation that matches excuses a failure, and nothing else."""
    applied = excuses(deviation()).apply(result("BIND-01", Outcome.FAILED))
    assert applied.outcome is Outcome.EXPECTED_FAILURE
    assert applied.reason == "the vendor does not bind its tail"
    assert applied.finding is not None
    for outcome in set(Outcome) - {Outcome.FAILED}:
        other = result("BIND-01", outcome)
        assert excuses(deviation()).apply(other) == other


@pytest.mark.parametrize(
    "changes", [{"host": "<1.8"}, {"plugin": ">=2"}, {"variants": ["b"]}, {"expires": "2026-05-31"}]
)
def test_an_excuse_for_something_else_excuses_nothing(changes: dict[str, object]) -> None:
    """Other versions, other variants and days past are not excused."""
    failed = result("SWAP-01[a]", Outcome.FAILED)
    assert excuses(deviation("SWAP-01", **changes)).apply(failed) == failed


@pytest.mark.parametrize(
    ("listed", "outcome", "state"),
    [
        (deviation(), Outcome.EXPECTED_FAILURE, "used"),
        (deviation(), Outcome.PASSED, "stale"),
        (deviation(), Outcome.BLOCKED, "unused"),
        (deviation("BIND-99"), Outcome.PASSED, "unknown"),
        (deviation(expires="2026-05-31"), Outcome.FAILED, "expired"),
        (deviation(expires="2026-06-01"), Outcome.EXPECTED_FAILURE, "used"),
        (deviation(host="<1.8", expires="2026-05-31"), Outcome.PASSED, "unused"),
    ],
)
def test_each_deviation_has_a_state(listed: Deviation, outcome: Outcome, state: str) -> None:
    """Used, stale, expired, unknown, or not about this run."""
    judged = result("BIND-01", outcome)
    (seen,) = excuses(listed).uses([judged.id], [judged])
    assert seen.state == state


def test_a_deviation_is_not_stale_on_a_real_server() -> None:
    """What fails on the loopback stage may pass there, and the deviation stays right."""
    live = replace(excuses(deviation()), live=True)
    results = [result("BIND-01"), result("SWAP-01[a]")]
    (use,) = live.uses([r.id for r in results], results)
    assert (use.state, use.passing) == ("unused", ())


def test_a_deviation_without_variants_says_that_all_fail() -> None:
    """One variant that passes makes it stale, and is named."""
    results = [result("SWAP-01[a]", Outcome.EXPECTED_FAILURE), result("SWAP-01[b]")]
    (seen,) = excuses(deviation("SWAP-01")).uses([r.id for r in results], results)
    assert (seen.state, seen.passing) == ("stale", ("acme::SWAP-01[b]",))


@pytest.mark.parametrize(
    ("check_id", "seed", "command"),
    [
        (CheckId("acme", "BIND-01"), None, "pytest --conformance 'acme::BIND-01'"),
        (
            CheckId("acme", "SWAP-01", "a"),
            7,
            "pytest --conformance --conformance-seed 7 'acme::SWAP-01[a]'",
        ),
        (
            CheckId("acme", "SWAP-09", "to-beta"),
            None,
            "pytest --conformance --provider acme --provider beta 'acme::SWAP-09[to-beta]'",
        ),
    ],
)
def test_the_command_that_repeats_a_check(
    check_id: CheckId, seed: int | None, command: str
) -> None:
    """It names the check, the seed, and both providers of a pair."""
    assert repeat_command(check_id, Selection(("acme", "beta")), seed) == command
