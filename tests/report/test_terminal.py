from __future__ import annotations

import io
from typing import Any

import pytest

from conformance.report.failure_text import failure_text
from conformance.report.terminal import Terminal
from conformance.report.terminal_progress import SILENT, Progress, in_words
from conformance.report.timeline_text import AT_MOST, FOLDED_AT_MOST
from conformance.results.outcomes import Finding, HostDefectRef, Outcome
from conformance.results.run import Run
from conformance.results.timeline import Event
from tests.conftest import Repository
from tests.results.sample_run import CHECKS, REQUIREMENTS, acme, result, run, subject


def printed(shown: Run, *, colour: bool = False, width: int = 100) -> str:
    """Everything that is printed after a run with -v, pytest's own list of failures apart."""
    file = io.StringIO()
    terminal = Terminal(lambda text, **_: file.write(text) and None, width, colour)
    terminal.tables(shown)
    terminal.recommendations(shown)
    terminal.lines(shown)
    terminal.verdict(shown, ["r.json: cannot be written"], shown=False)
    return file.getvalue()


def printed_briefly(shown: Run, *, width: int = 80, failures: bool = True) -> str:
    """What is printed after a run without -v."""
    file = io.StringIO()
    terminal = Terminal(lambda text, **_: file.write(text) and None, width)
    if failures:
        terminal.failures(shown)
    terminal.standing(shown, shown=failures)
    terminal.verdict(shown, shown=failures, standing=True)
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
    assert "... 1 more event\n" in text


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
    by = HostDefectRef("HD-01")
    why: Any = {"reason": "the host fails it too", "blocked_by": by}
    results = [result(n) for n in CHECKS[1:]]
    text = printed(run(subject([result("BIND-01", Outcome.BLOCKED, **why), *results])))
    assert "blocked: the host fails it too\n    acme::BIND-01\n" in text
    assert "not passed" not in text


def test_what_is_excused_for_one_reason_is_listed_together() -> None:
    """A reason is said once, with the checks that it excuses below it."""
    by = HostDefectRef("HD-01")
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


def test_of_many_failures_the_three_worst_are_shown() -> None:
    """Those that the lowest tier asks for come first, a SHOULD last; the rest is counted."""
    names = ("UNBIND-05", "SWAP-01[a]", "SWAP-01[b]", "BIND-01")
    text = printed_briefly(run(subject([result(n, Outcome.FAILED) for n in names])))
    shown = [row.split()[0] for row in text.splitlines() if row.endswith(") failed")]
    assert shown == ["acme::BIND-01", "acme::SWAP-01[a]", "acme::UNBIND-05"]
    assert "acme: 1 more check failed of the same requirements; -v shows each\n" in text


def test_no_failure_is_told_twice() -> None:
    """What was shown in full is a name in the standing, and no line of the verdict."""
    text = printed_briefly(acme({"SWAP-01[a]": Outcome.FAILED}))
    assert text.count("no tail") == 1
    assert "acme 1.0: no tier; gate failed\n  swap-safe lacks SWAP-01\n" in text
    assert "  SWAP-01    failed, see above\n" in text


def test_without_failures_in_full_the_standing_tells_them() -> None:
    """With --tb=no each is a line in the standing, and what fails the run another."""
    text = printed_briefly(acme({"SWAP-01[a]": Outcome.FAILED}), failures=False)
    assert "  SWAP-01    failed: no tail\n" in text
    assert "not passed: acme::SWAP-01[a] failed: no tail\n" in text


def test_a_known_failure_is_told_without_its_plugin() -> None:
    """The reason of a deviation stands below its provider; it takes two rows at most."""
    reason = "livekit-plugins-acme 1.0: " + "it goes on and on " * 20
    known = result("BIND-01", Outcome.EXPECTED_FAILURE, reason=reason)
    text = printed_briefly(run(subject([known, *map(result, CHECKS[1:])])))
    rows = text.splitlines()
    at = next(i for i, row in enumerate(rows) if row.startswith("  BIND-01    known: it goes on"))
    assert rows[at + 1].endswith(" ...")
    assert rows[at + 2].startswith("  4 checks: 3 passed, 1 known failure")


def test_the_standing_fits_into_its_columns() -> None:
    """No row of a failure is wider than the terminal, but the command that is to be copied."""
    events = (Event(1.5, "agent", "k" * 90, "s"),)
    failed = result("BIND-01", Outcome.FAILED, events=events)
    text = printed_briefly(run(subject([failed, *map(result, CHECKS[1:])])))
    assert all(len(row) <= 80 for row in text.splitlines() if "repeat" not in row)


def folded(*events: Event, at: float = 1.5) -> list[str]:
    """The rows of a timeline without -v."""
    failed = result("BIND-01", Outcome.FAILED, events=events, finding=Finding("a", "b", at=at))
    text = failure_text(failed, REQUIREMENTS["BIND-01"], "it", folded=True, width=80)
    rows = text.splitlines()
    return [row.strip() for row in rows[rows.index("  timeline") + 1 : -1]]


def test_events_that_only_carry_others_are_folded() -> None:
    """Streams, calls and who joined are counted; what the check did and what was heard is shown."""
    rows = folded(
        Event(1.0, "check", "start", "new"),
        Event(1.0, "agent", "stream-opened"),
        Event(1.0, "worker", "joined"),
        Event(1.5, "worker", "playing", "new"),
    )
    assert [row.split()[-1] for row in rows] == ["start", "events", "playing"]
    assert rows[1] == "... 2 more events"


def test_what_comes_after_a_check_is_folded() -> None:
    """When the check is over, its room is taken down; nothing went wrong in that."""
    rows = folded(
        Event(1.5, "worker", "playing", "new"),
        Event(1.6, "check", "over"),
        Event(1.6, "room", "left", "agent"),
    )
    assert rows[1:] == ["... 2 more events"]


def test_one_event_takes_no_more_room_than_its_fold() -> None:
    """A single event between two that are shown is shown."""
    rows = folded(
        Event(1.0, "check", "start", "new"),
        Event(1.0, "worker", "joined"),
        Event(1.5, "worker", "playing", "new"),
    )
    assert [row.split()[-1] for row in rows] == ["start", "joined", "playing"]


def test_a_folded_timeline_has_a_screen_at_most() -> None:
    """Of what matters, the nearest to the moment is shown."""
    rows = folded(*(Event(1.0 + i / 1000, "agent", f"said-{i}") for i in range(900)))
    shown = [row for row in rows if "said-" in row]
    assert len(shown) == FOLDED_AT_MOST
    assert any("said-500" in row for row in shown)


def test_a_long_chain_keeps_its_tail() -> None:
    """Where a row is too long, what was bound is what is left of the chain."""
    chain = " -> ".join(["Wrapper" * 5, "Other" * 9, "FakeTail"])
    first = Event(1.0, "wrappers", "chain", "", {"outputs": "A"})
    (_, row) = folded(first, Event(1.5, "wrappers", "chain", "", {"outputs": chain}))
    assert row.endswith("... -> FakeTail")


def progress(clock: list[float], **planned: int) -> Progress:
    """The progress of a run whose clock is the last number of ``clock``."""
    return Progress(planned, lambda: clock[-1])


def test_progress_names_the_provider_and_the_time_that_is_left() -> None:
    """A line when a provider is done: how many checks, how many failed, how long it still takes."""
    clock = [0.0]
    shown = progress(clock, acme=2, beta=4)
    shown.start()
    clock.append(10.0)
    assert shown.take("acme", Outcome.FAILED) is None
    clock.append(20.0)
    assert shown.take("acme", Outcome.PASSED) == "acme  2 checks, 1 failed, about 40 s left"


def test_progress_says_nothing_of_the_time_when_the_run_is_over() -> None:
    """The last provider's line has no estimate."""
    clock = [0.0, 60.0]
    shown = progress(clock, acme=1)
    assert shown.take("acme", Outcome.PASSED) == "acme  1 check"


def test_progress_is_not_silent_for_long() -> None:
    """A provider that takes minutes is heard of before it is done."""
    clock = [0.0]
    shown = progress(clock, acme=100)
    shown.start()
    clock.append(SILENT)
    assert shown.take("acme", Outcome.PASSED) == "acme  1 of 100 checks, about 50 min left"
    assert shown.take("acme", Outcome.PASSED) is None


@pytest.mark.parametrize(
    ("seconds", "words"), [(1, "about 5 s"), (42, "about 40 s"), (61, "about 1 min")]
)
def test_an_estimate_is_coarse(seconds: float, words: str) -> None:
    """Nobody reads a second into an estimate."""
    assert in_words(seconds) == words
