from __future__ import annotations

import io
from typing import Any

import pytest

from conformance.report.failure_text import AT_MOST, failure_text
from conformance.report.terminal import Terminal
from conformance.results.outcomes import CheckId, Finding, Outcome
from conformance.results.run import Run
from conformance.results.timeline import Event
from tests.conftest import Repository
from tests.results.sample_run import CHECKS, REQUIREMENTS, acme, result, run, subject


def printed(shown: Run, *, colour: bool = False, width: int = 100) -> str:
    """Everything that is printed after a run."""
    file = io.StringIO()
    terminal = Terminal(lambda text: file.write(text) and None, width, colour)
    terminal.tables(shown)
    terminal.recommendations(shown)
    terminal.verdict(shown, ["r.json: cannot be written"])
    return file.getvalue()


def test_a_table_for_each_subject() -> None:
    """Outcomes by family, the tier, and the line of the ledger."""
    text = printed(acme({"SWAP-01[a]": Outcome.FAILED}))
    assert "acme (livekit-plugins-acme 1.0): no tier: SWAP-01 does not hold\n" in text
    assert "|SWAP   |        2 |      1 |      1 |" in text
    assert "\nexpected 4 = 3 passed + 1 failed + 0 expected-failure" in text
    assert "not passed: acme::SWAP-01[a] failed: no tail\n" in text
    assert text.endswith("report: r.json: cannot be written\n")


def test_it_is_plain_without_colour() -> None:
    """Where the output is no terminal there is neither an escape nor a drawn line."""
    text = printed(acme({"BIND-01": Outcome.ERROR}))
    assert text.isascii()
    assert "\x1b" not in text


def test_it_is_coloured_in_a_terminal() -> None:
    """In a terminal the table is drawn and coloured."""
    text = printed(acme(), colour=True)
    assert "\x1b[" in text
    assert "─" in text


@pytest.mark.parametrize("width", [20, 80, 200])
def test_it_fits_any_width(width: int) -> None:
    """No word of the table's head is cut off, however narrow the terminal."""
    text = printed(acme(), width=max(width, 80))
    assert "…" not in text


def test_many_problems_are_counted() -> None:
    """A provider that fails everything does not fill the screen."""
    names = [f"SWAP-01[{i}]" for i in range(60)]
    text = printed(run(subject([result(n, Outcome.FAILED) for n in names], expected=names)))
    assert text.count("not passed:") == 26
    assert "not passed: and 35 more" in text


def test_quiet_is_one_line_for_each_subject(repository: Repository) -> None:
    """With -q a run that passes prints its dots and a line for each subject."""
    lines = [line for line in repository.run("-q", "--provider", "all").outlines if line]
    assert lines[1:-1] == [
        "host (livekit-agents 1.8.9); expected 1 = 1 passed",
        "endpoint; expected 1 = 1 passed",
        "acme (livekit-plugins-acme 1.0): tier robust; gate passed; expected 5 = 5 passed",
        "beta (livekit-plugins-beta 1.0): tier robust; gate passed; expected 5 = 5 passed",
    ]


def text_of(name: str, **changes: object) -> str:
    """The failure text of one failed check."""
    failed = result(name, Outcome.FAILED, **changes)
    return failure_text(failed, REQUIREMENTS[failed.id.requirement], "pytest 'it'")


def test_only_events_around_the_failure_are_shown() -> None:
    """Two seconds on each side, the moment itself marked, the rest counted."""
    text = text_of("BIND-01")
    assert "  >     1.500  tail     new          bound rate=24000" in text
    assert "worker" not in text
    assert "timeline (1 more events in the report)" in text


def test_a_crowded_moment_is_thinned_out() -> None:
    """Of many events the nearest are shown, in their order."""
    events = tuple(Event(1.0 + i / 1000, "agent", f"frame-{i}") for i in range(1000))
    text = text_of("BIND-01", events=events, finding=Finding("a", "b", at=1.5))
    shown = [line for line in text.splitlines() if "frame-" in line]
    assert len(shown) == AT_MOST
    assert shown == sorted(shown, key=lambda line: float(line.lstrip("> ").split()[0]))
    assert any("frame-500" in line for line in shown)


def test_the_hint_of_the_catalogue_stands_in() -> None:
    """A finding without a hint of its own shows the requirement's."""
    assert "likely fix wait" in text_of("SWAP-01[a]", finding=Finding("a", "b"))
    assert "likely fix bind one" in text_of("SWAP-01[a]")


def test_the_command_is_never_broken() -> None:
    """What is there to be copied stays on one line, whatever its length."""
    failed = result("BIND-01", Outcome.FAILED)
    command = "pytest " + "'a b' " * 60
    text = failure_text(failed, REQUIREMENTS["BIND-01"], command)
    assert text.splitlines()[-1] == f"  repeat     {command}"


def test_long_text_is_wrapped_below_its_name() -> None:
    """What a vendor's exception says is readable, its own lines kept."""
    lines = text_of("BIND-01", finding=Finding("word " * 60, "one\ntwo")).splitlines()
    assert all(len(line) <= 110 for line in lines[1:])
    at = lines.index("  observed   one")
    assert lines[at + 1] == " " * 13 + "two"


def test_what_is_excused_is_listed() -> None:
    """A check that the host blocks is shown with the reason, and not as a problem."""
    by = CheckId("reference", "SWAP-01", "a")
    why: Any = {"reason": "the host fails it too", "blocked_by": by}
    results = [result(n) for n in CHECKS[1:]]
    text = printed(run(subject([result("BIND-01", Outcome.BLOCKED, **why), *results])))
    assert "blocked: the host fails it too\n    acme::BIND-01\n" in text
    assert "not passed" not in text


def test_what_is_excused_for_one_reason_is_listed_together() -> None:
    """A reason is said once, with the checks that it excuses below it."""
    by = CheckId("reference", "SWAP-01", "a")
    why: Any = {"reason": "the host fails it too", "blocked_by": by}
    blocked = [result(name, Outcome.BLOCKED, **why) for name in CHECKS[:2]]
    text = printed(run(subject([*blocked, *(result(n) for n in CHECKS[2:])])))
    ids = ", ".join(str(r.id) for r in blocked)
    assert f"blocked: the host fails it too (2)\n    {ids}\n" in text


def test_what_does_not_apply_is_listed_with_its_rule() -> None:
    """A reader learns which checks are left out, and why, without opening the report."""
    rule = "the provider has no vendor API"
    results = [result("BIND-01", Outcome.NOT_APPLICABLE, reason=rule), *map(result, CHECKS[1:])]
    text = printed(run(subject(results)))
    assert f"not applicable: {rule}\n    acme::BIND-01\n" in text


def test_a_check_that_passes_with_a_remark_says_so() -> None:
    """A capability that holds and is not claimed is shown where the run is read."""
    remark = "unclaimed: the manifest can declare the capability restartable"
    text = printed(run(subject([result("BIND-01", reason=remark), *map(result, CHECKS[1:])])))
    assert f"passed, but: {remark}\n    acme::BIND-01\n" in text


def test_a_should_that_does_not_hold_is_named_at_the_end() -> None:
    """The closing lines account for every failure that the ledger counts."""
    failed = result("UNBIND-05", Outcome.FAILED, finding=Finding("ended", "still open"))
    text = printed(run(subject([*map(result, CHECKS[:-1]), failed])))
    assert "not robust: acme::UNBIND-05: SHOULD does not hold: still open\n" in text
