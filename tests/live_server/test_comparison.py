"""The two stages compared: which checks, what counts as a difference, how it is written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.report.json_report import render
from conformance.results.outcomes import CheckId, Outcome
from conformance.results.run import Run
from tests.live_server.comparison import EXPLAINED, Comparison, NotComparable, compare
from tests.live_server.differential import main
from tests.live_server.record import HOW, document, summary
from tests.live_server.rules import rules
from tests.live_server.sample import sample
from tests.results.sample_run import CHECKS, acme

PASSED, FAILED = Outcome.PASSED, Outcome.FAILED
FIRST = "BIND-01"
FIRST_ID = f"acme::{FIRST}"


def _live(outcomes: Mapping[str, Outcome] | None = None, **changes: Any) -> Run:
    return acme(outcomes, stage="live", **changes)


def _changed() -> Comparison:
    return compare(acme({FIRST: PASSED}), _live({FIRST: FAILED}))


def test_same_outcomes_are_no_difference() -> None:
    """Two runs that agree differ nowhere, and all that both have is compared."""
    compared = compare(acme(), _live())
    assert compared.differing == ()
    assert {pair.id for pair in compared.pairs} == {f"acme::{check}" for check in CHECKS}


def test_other_outcome_is_a_difference_that_wants_an_explanation() -> None:
    """A check that fails on one stage only is named, and unexplained until somebody explains it."""
    assert [pair.id for pair in _changed().unexplained] == [FIRST_ID]


def test_explained_difference_is_shown_and_held_against_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A difference that is listed with its reason stays in the record, with it."""
    compared = _changed()
    monkeypatch.setitem(EXPLAINED, FIRST_ID, "the server is slower")  # type: ignore[arg-type]
    assert compared.unexplained == ()
    assert "the server is slower" in document(compared)
    assert "the server is slower" in summary(compared)


def test_explanation_of_what_does_not_differ_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """An explanation whose check came out the same may be out of date: it is named."""
    monkeypatch.setitem(EXPLAINED, FIRST_ID, "the server is slower")  # type: ignore[arg-type]
    compared = compare(acme(), _live())
    assert compared.unneeded == (FIRST_ID,)
    assert f"{FIRST_ID}: explained, and the same this time" in summary(compared)
    assert "the same this time" in document(compared)


def test_repeated_check_counts_as_it_came_out_last() -> None:
    """A difference that is gone when the check is played again is none, and is said to be so."""
    compared = compare(acme({FIRST: PASSED}), _live({FIRST: FAILED}), [_live({FIRST: PASSED})])
    assert compared.differing == ()
    assert "played again" in document(compared)


def test_run_that_was_cut_short_is_not_taken_for_a_whole_one() -> None:
    """Checks that came to no outcome on the real server are named."""
    (whole,) = _live().subjects
    cut = replace(whole, results=whole.results[1:])
    compared = compare(acme(), _live(subjects=(cut,)))
    assert compared.missing == (FIRST_ID,)
    assert FIRST_ID in summary(compared)
    assert FIRST_ID in document(compared)


def test_variants_that_nobody_played_are_counted_and_named() -> None:
    """What the sample left out of a compared requirement is in the record, and nothing else is."""
    planned = [
        CheckId("acme", FIRST, None),
        CheckId("acme", "SWAP-01", "by-night"),
        CheckId("somebody-else", "SWAP-01", "by-day"),
    ]
    compared = compare(acme(), _live(), planned=planned)
    assert [str(check) for check in compared.left_out] == ["acme::SWAP-01[by-night]"]
    assert "left out by the sample: 1" in summary(compared)
    assert "| 1 | by-night |" in document(compared)


def test_reports_of_one_stage_cannot_be_compared() -> None:
    """Two runs on the same stage say nothing about the other."""
    with pytest.raises(NotComparable, match="stage 'loopback', 'live' is wanted"):
        compare(acme(), acme())


def test_reports_can_be_compared_without_playing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Reports that are there are compared as they are, and the record is written."""
    paths = []
    for name, run in (("loopback", acme()), ("live", _live())):
        paths.append(tmp_path / f"{name}.json")
        paths[-1].write_text(render(run), "utf-8")
    record = tmp_path / "live.md"
    code = main(["--reports", *map(str, paths), "--write", str(record)])
    assert code == 0, capsys.readouterr()
    assert "| acme |" in record.read_text("utf-8")


def test_committed_record_is_of_this_suite() -> None:
    """docs/live.md was written by this code, and knows the rules and explanations of today."""
    record = (Path(__file__).parents[2] / "docs" / "live.md").read_text("utf-8")
    again = "write it again: python -m tests.live_server.differential --write docs/live.md"
    assert record.startswith(HOW), again
    for check, rule in rules().items():
        assert f"| {check} | {rule} |" in record, again
    for key, why in EXPLAINED.items():
        assert why in record or f"`{key}`" in record, f"{key}: {again}"
    assert "not explained" not in record
    assert "Without an outcome" not in record


def test_unreadable_report_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is no report is named, with exit code 2."""
    wrong = tmp_path / "wrong.json"
    wrong.write_text("{}", "utf-8")
    assert main(["--reports", str(wrong), str(wrong)]) == 2
    assert str(wrong) in capsys.readouterr().err


def test_sample_has_every_requirement_of_every_provider_once() -> None:
    """Each provider plays each requirement by one variant, and the next provider by another."""
    checks = [
        CheckId(provider, requirement, variant)
        for provider in ("one", "two", "three")
        for requirement, variants in (("BIND-01", (None,)), ("SWAP-01", ("a", "b")))
        for variant in variants
    ]
    assert [str(check) for check in sample(checks)] == [
        *("one::BIND-01", "one::SWAP-01[a]"),
        *("two::BIND-01", "two::SWAP-01[b]"),
        *("three::BIND-01", "three::SWAP-01[a]"),
    ]
