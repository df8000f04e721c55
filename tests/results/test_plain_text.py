"""What a plugin says is text in every report, whatever it says."""

from __future__ import annotations

import re
from typing import Any

import pytest

from conformance.report import html, json_report, markdown
from conformance.report.annotations import render as annotate
from conformance.report.failure_text import failure_text
from conformance.report.files import write_text
from conformance.results.json_input import parse_json, shown
from conformance.results.outcomes import CheckId, CheckResult, Finding, Level, Outcome
from conformance.results.plain_text import LONGEST, plain, plain_result, plain_row
from conformance.results.run import Run
from conformance.results.timeline import Event
from tests.results.sample_run import CHECKS, result, run, subject

COMMAND = re.compile(r"^\s*::(?!(error|warning) title=)\S|##(vso)?\[", re.MULTILINE)
"""A line that GitHub Actions or Azure Pipelines takes for a command, and the kit has not made."""


def failed_with(text: str) -> Run:
    """A run of a plugin that says ``text`` wherever it can: in a message, in a timeline."""
    event = Event(1.0, "backend", f"kind {text}", text, {"body": text, text: 1})
    finding = Finding("it works", f"RuntimeError: {text}", at=1.0)
    made = result("BIND-01", Outcome.FAILED, finding=finding)
    hostile = CheckResult(made.id, made.level, made.outcome, finding, events=(event,))
    rest = [result(name) for name in CHECKS[1:]]
    return run(subject([plain_result(hostile), *rest]))


def every_output(text: str) -> dict[str, str]:
    """The outputs of such a run, by name."""
    hostile = failed_with(text)
    failure = hostile.subjects[0].results[0]
    facts, repeat = hostile.facts(failure), hostile.repeat(failure.id)
    return {
        "json": json_report.render(hostile),
        "html": html.render(hostile),
        "markdown": markdown.render(hostile),
        "annotations": "\n".join(annotate(hostile)),
        "terminal": failure_text(failure, facts, repeat, width=80),
        "folded": failure_text(failure, facts, repeat, folded=True, width=40),
    }


OUTPUTS = tuple(every_output(""))


@pytest.mark.parametrize("output", OUTPUTS)
def test_half_of_a_surrogate_pair_costs_no_report(output: str, tmp_path: Any) -> None:
    """It is written as its escape, and the file is UTF-8."""
    text = every_output("before \udc80 after")[output]
    write_text(tmp_path / "report", text)
    if output == "json":
        parse_json((tmp_path / "report").read_bytes())
    assert r"before \udc80" in text.replace("\\\\", "\\")


@pytest.mark.parametrize("output", OUTPUTS)
def test_a_long_message_makes_no_long_report(output: str) -> None:
    """Of 2 MB the beginning and the end are kept, and how much was left out is said."""
    text = every_output("x" * 2_000_000)[output]
    assert len(text) < 400_000


def test_what_was_left_out_of_a_message_is_counted() -> None:
    """A reader sees that it is not the whole."""
    text = plain("a" * LONGEST + "b" * LONGEST)
    assert text.startswith("aaa")
    assert text.endswith("bbb")
    assert f"[{LONGEST:,} characters left out]" in text


def test_a_long_timeline_keeps_its_beginning_and_its_end() -> None:
    """A plugin that sends a hundred thousand requests fills no disk."""
    events = [Event(float(n), "backend", "request", str(n), {"b": "x" * 99}) for n in range(9999)]
    check = CheckId("acme", "BIND-01")
    kept = plain_result(CheckResult(check, Level.MUST, Outcome.PASSED, events=events)).events
    (left_out,) = (event for event in kept if event.kind == "left-out")
    assert kept[0] == events[0]
    assert kept[-1] == events[-1]
    assert left_out.detail["events"] == len(events) - len(kept) + 1
    assert len(kept) < 500


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize(
    "text",
    [
        "\n::add-mask::a\n::error file=a.py::b",
        "word ::stop-commands::x",
        "##[error]x and ##vso[task.complete result=Succeeded;]",
        "x" * 61 + " ::error::y",
        "\r\n\t ::set-output name=a::b",
    ],
)
def test_a_plugin_gives_a_ci_no_command(output: str, text: str) -> None:
    """No line of what is printed is a workflow command that the kit has not made."""
    printed = every_output(text)[output]
    assert not COMMAND.search(printed), COMMAND.search(printed)


@pytest.mark.parametrize("output", OUTPUTS)
def test_a_plugin_does_not_write_to_the_terminal_itself(output: str) -> None:
    """Escape sequences, bells, carriage returns and marks of direction are written as escapes."""
    printed = every_output("\x1b[2J\x1b]8;;https://evil.test\x07ok\rtier robust \u202e\x9b31m\x85")[
        output
    ]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", printed)


@pytest.mark.parametrize(
    "text",
    [
        "![tier](https://evil.test/robust.svg)",
        "[mend it](https://evil.test)",
        "https://evil.test www.evil.test",
        "` ![](https://evil.test/a.svg) `",
        "``` ![](https://evil.test/a.svg) | <img src=x>",
        "\\` ![](https://evil.test/a.svg) \\| ![](https://evil.test/b.svg)",
        "<img src=https://evil.test/a.svg>",
        "@somebody",
    ],
)
def test_markdown_shows_no_image_and_no_link_of_a_plugin(text: str) -> None:
    """Everything that it says stands in code, where GitHub makes nothing of it."""
    page = markdown.render(failed_with(text))
    fences = re.sub(r"(?ms)^(`{3,})text\n.*?\n\1\n", "", page)
    spans = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", fences)
    outside = re.sub(r"<code>[^<]*</code>", "", spans)
    for word in ("evil.test", "<img", "@somebody"):
        assert word not in outside


def test_ids_of_checks_are_left_alone() -> None:
    """The ``::`` of an id is no command, and stays as it is."""
    assert plain("blocked by acme::BIND-01, see host::HD-02") == (
        "blocked by acme::BIND-01, see host::HD-02"
    )


def test_a_row_is_one_row() -> None:
    """An event's words break no line of a timeline."""
    assert plain_row("a\nb\tc") == r"a\nb\tc"


def test_what_the_commands_print_of_a_file_is_no_command() -> None:
    """A certificate or a report of somebody else gives the CI that reads it no command."""
    assert shown("::error::x \x1b[2J") == ": :error::x \N{REPLACEMENT CHARACTER}[2J"
