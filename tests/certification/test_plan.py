from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from conformance.certification.options import Options
from conformance.certification.plan import Plan, make_plan
from conformance.errors import UsageError
from conformance.results.outcomes import Level
from conformance.suite.registry import Check
from tests.conftest import Repository
from tests.results.sample_run import REQUIREMENTS


async def own() -> None:
    """A check of the kit."""


async def foreign() -> None:
    """A check that someone else has put in."""


own.__module__ = "conformance.suite.fake"
foreign.__module__ = "their_conftest"


@dataclass(frozen=True)
class Subject:
    """A subject as the runner gives it."""

    name: str
    checks: tuple[Check, ...]


def plan(*checks: Check, excluded: tuple[str, ...] = (), **options: object) -> Plan:
    """The plan for one provider with these checks."""
    everything = Options(Path(), **options)  # type: ignore[arg-type]
    return make_plan([Subject("acme", checks)], REQUIREMENTS, excluded, everything)  # type: ignore[list-item]


ALL = tuple(Check(name, own) for name in REQUIREMENTS)


def test_the_order_is_the_one_of_the_catalogue() -> None:
    """Checks run in the order of the catalogue, however they were declared."""
    ids = [planned.id.requirement for planned in plan(*reversed(ALL)).checks]
    assert ids == list(REQUIREMENTS)


def test_a_whole_suite_has_no_gap() -> None:
    """A check of the kit for each requirement that can be tested."""
    assert plan(*ALL).gaps == ()
    assert plan(*ALL[1:], excluded=("HOST-01",)).gaps == ()


def test_a_removed_check_is_a_gap() -> None:
    """A requirement without a check is named."""
    assert plan(*ALL[2:]).gaps == ("no check for BIND-01, HOST-01",)


def test_an_overridden_check_is_a_gap() -> None:
    """A check from outside of the kit is shown, and certifies nothing."""
    overridden = plan(*ALL[:-1], Check("SEC-09", foreign))
    assert overridden.gaps == ("SEC-09 is checked by their_conftest:foreign, not by the kit",)


def test_a_level_chooses() -> None:
    """--level leaves the other level out, and with it the subjects that have nothing left."""
    chosen = plan(*ALL, level=Level.SHOULD)
    assert [planned.id.requirement for planned in chosen.checks] == ["UNBIND-05"]


@pytest.mark.parametrize("pattern", ["SWAP-99", "", "*-", "[", "SWAP-01[a]"])
def test_a_pattern_that_matches_nothing_is_an_error(pattern: str) -> None:
    """A selection never comes out empty in silence."""
    with pytest.raises(UsageError, match="matches no requirement"):
        plan(*ALL, requirements=("BIND-*", pattern))


def test_a_check_that_is_run_again_counts_once(repository: Repository) -> None:
    """Whoever runs an item twice does not choose the better result: the run is partial."""
    repository.behave({"acme::BIND-01": "fail"})
    repository.pytester.makeconftest(
        """
        from _pytest.runner import runtestprotocol

        def pytest_runtest_protocol(item, nextitem):
            for attempt in range(2 if item.nodeid == "acme::BIND-01" else 1):
                runtestprotocol(item, nextitem=nextitem)
            return True
        """
    )
    assert repository.run("--conformance-report", "r.json").ret == 1
    why = "acme::BIND-01 ran more than once; the first result counts"
    assert repository.report()["why_partial"] == [why]


def test_a_check_that_is_run_again_and_passes_twice_fails_the_run(repository: Repository) -> None:
    """A partial run that nobody has asked for is no success."""
    repository.pytester.makeconftest(
        """
        from _pytest.runner import runtestprotocol

        def pytest_runtest_protocol(item, nextitem):
            for attempt in range(2):
                runtestprotocol(item, nextitem=nextitem)
            return True
        """
    )
    assert repository.run().ret == 1


def test_a_switcher_is_judged_by_the_checks_of_an_exchange() -> None:
    """With `--exchange switcher` the other checks are left out, and the run is not a whole one."""
    exchanging = Check("BIND-01", own, exchange=True)
    others = [check for check in ALL if check.requirement != "BIND-01"]
    planned = plan(exchanging, *others, exchange="switcher")
    assert [each.id.requirement for each in planned.checks] == ["BIND-01"]
    assert not Options(Path(), exchange="switcher").selection(()).whole
