"""A run in several processes says what a run in one says, whatever becomes of a process."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest

from tests.conftest import Repository

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forking is not safe elsewhere")

BOTH = ("--provider", "all")


def run(repository: Repository, *arguments: str, processes: int = 2) -> pytest.RunResult:
    """``pytest --conformance`` in a process that may fork, with a report."""
    return repository.pytester.runpytest_subprocess(
        *("-p", "fake_kit", "-p", "no:randomly", "--conformance", "--conformance-report", "r.json"),
        *("--conformance-processes", str(processes)),
        *arguments,
    )


def said(result: pytest.RunResult) -> str:
    """What a run printed, but for its seconds."""
    return re.sub(r"in [\d.]+s", "", result.stdout.str())


def report(repository: Repository) -> dict[str, Any]:
    """The JSON report that a run has written, but for its timings."""
    found = repository.report()
    del found["timing"]
    return found


def test_more_processes_say_what_one_says(repository: Repository) -> None:
    """Terminal, report and exit code are the same, failures of each kind included."""
    repository.behave({"acme::BIND-01": "fail:two tails", "UNBIND-05": "fail", "SEC-09": "error"})
    one = run(repository, *BOTH, processes=1)
    expected = report(repository)
    several = run(repository, *BOTH, processes=3)
    assert (several.ret, said(several)) == (one.ret, said(one))
    assert report(repository) == expected


def test_each_subject_has_one_process(repository: Repository) -> None:
    """The checks of a provider are judged in a process that is forked, all in the same."""
    repository.behave({"BIND-01": "process", "UNBIND-05": "process"})
    run(repository, *BOTH)
    seen = [
        result["finding"]["observed"]
        for subject in report(repository)["subjects"]
        for result in subject["results"]
        if result["finding"]
    ]
    assert seen == ["conformance"] * 4


def test_a_check_that_ends_its_process_is_an_error_and_the_others_are_judged(
    repository: Repository,
) -> None:
    """A plugin that calls os._exit(0) costs one check, and the run is red."""
    repository.behave({"acme::BIND-01": "exit:0"})
    result = run(repository, *BOTH)
    assert result.ret == 1
    outcomes = repository.outcomes()
    assert [name for name, outcome in outcomes.items() if outcome != "passed"] == ["acme::BIND-01"]
    assert outcomes["acme::BIND-01"] == "error"
    result.stdout.fnmatch_lines(["*the process ended in the middle of this check, with exit*0*"])


def test_x_stops_at_the_first_failure_of_the_plan(repository: Repository) -> None:
    """After -x nothing later in the plan is reported, whoever had judged it by then."""
    repository.behave({"acme::BIND-01": "fail", "beta::BIND-01": "fail"})
    result = run(repository, *BOTH, "-x")
    assert result.ret == 1
    assert list(repository.outcomes())[-1] == "acme::BIND-01"
    assert report(repository)["why_partial"][0].startswith("stopped early")


def test_a_part_is_chosen_as_in_one_process(repository: Repository) -> None:
    """-k leaves the same checks."""
    run(repository, *BOTH, "-k", "SWAP")
    assert {name.partition("::")[2].partition("[")[0] for name in repository.outcomes()} == {
        "SWAP-01"
    }


@pytest.mark.parametrize("how", ["ctrl-c", "interrupt"])
def test_ctrl_c_ends_every_process_and_leaves_a_report(
    repository: Repository, heeds_interruptions: None, how: str
) -> None:
    """What was judged before is in the report, which says that it was interrupted."""
    repository.behave({"acme::SWAP-01[start-then-close]": how})
    result = run(repository)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert report(repository)["why_partial"][0] == "interrupted"


def test_a_breakpoint_stops_in_the_process_that_has_the_terminal(repository: Repository) -> None:
    """At breakpoint() the check starts again where a debugger can be typed at."""
    repository.behave({"acme::BIND-01": "break"})
    result = repository.pytester.run(
        *(sys.executable, "-m", "pytest", "-p", "fake_kit", "-p", "no:randomly", "--conformance"),
        "--conformance-processes=2",
        stdin=b"p 'this is ' + scene.id.requirement\nc\n",
    )
    assert "this is BIND-01" in result.stdout.str()
    assert "7 passed" in result.stdout.str()


@pytest.mark.parametrize("number", ["0", "-1"])
def test_a_number_of_processes_that_makes_no_sense_is_one_line(
    repository: Repository, number: str
) -> None:
    """The line says what to give."""
    result = run(repository, f"--conformance-processes={number}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*--conformance-processes {number}: give 1 or more"])


@pytest.mark.parametrize("processes", [1, 2])
def test_a_check_that_nothing_interrupts_ends_with_its_process(
    repository: Repository, processes: int
) -> None:
    """Code that catches every interruption costs its check, or the rest of the one process."""
    repository.behave({"acme::BIND-01": "endless"})
    result = run(repository, *BOTH, processes=processes)
    assert result.ret == 1
    outcomes = repository.outcomes()
    if processes == 1:
        assert list(outcomes) == ["host::HOST-01", "endpoint::HOST-01"]
        assert "went on through 10 interruptions" in report(repository)["why_partial"][0]
    else:
        assert outcomes.pop("acme::BIND-01") == "error"
        assert set(outcomes.values()) == {"passed"}
        result.stdout.fnmatch_lines(["*went on through 10 interruptions*"])
