"""The certification in other people's repositories: the same whatever they have configured."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.conftest import Repository

MIXED = {
    "acme::BIND-01": "not-applicable",
    "acme::SWAP-01[close-then-start]": "fail",
    "acme::UNBIND-05": "fail",
    "acme::SEC-09": "error",
    "beta::SWAP-01[start-then-close]": "warn",
}


def without_timing(text: str) -> str:
    """A report without its one part that differs between equal runs."""
    head, _, rest = text.partition('"timing"')
    return head + rest.partition("}\n }")[2]


@pytest.fixture
def mixed_report(repository: Repository) -> Callable[..., str]:
    """Runs the same suite of mixed outcomes with some arguments, and gives its report."""
    repository.behave(MIXED)

    def run(*arguments: str) -> str:
        result = repository.run_in_process_of_its_own(
            "--provider", "all", "--conformance-report", "r.json", *arguments
        )
        assert result.ret == 1, result.stdout.str() + result.stderr.str()
        return without_timing((repository.pytester.path / "r.json").read_text("utf-8"))

    return run


_plain: list[str] = []  # run once: it is the same for every test


@pytest.fixture
def plain(mixed_report: Callable[..., str]) -> str:
    """The report of a run in a repository that configures nothing, without plugins."""
    if not _plain:
        _plain.append(mixed_report("-p", "no:randomly", "-p", "no:xdist", "-p", "no:anyio"))
    return _plain[0]


@pytest.mark.parametrize(
    "configuration",
    [
        "asyncio_mode = auto\nasyncio_default_fixture_loop_scope = function",
        "asyncio_mode = strict\nasyncio_default_fixture_loop_scope = function",
        "filterwarnings = error\nasyncio_default_fixture_loop_scope = function",
        "addopts = --strict-markers --strict-config --import-mode=importlib -ra\n"
        "testpaths = tests\nxfail_strict = true",
        "anyio_mode = auto",
    ],
)
def test_the_configuration_changes_nothing(
    repository: Repository, mixed_report: Callable[..., str], plain: str, configuration: str
) -> None:
    """The outcomes and the report are the same under any configuration of pytest."""
    tests = repository.pytester.mkdir("tests")
    (tests / "test_own.py").write_text("def test_own(): assert 0\n")
    repository.pytester.makeini(f"[pytest]\n{configuration}\n")
    assert mixed_report() == plain


@pytest.mark.parametrize(
    "arguments",
    [
        ("-n", "2"),
        ("-n", "2", "--dist", "loadscope"),
        ("-p", "randomly", "-p", "no:xdist"),
        ("-p", "no:warnings"),
        ("-W", "error", "-o", "asyncio_default_fixture_loop_scope=function"),
        ("-q", "--tb=no"),
    ],
)
def test_other_plugins_and_options_change_nothing(
    mixed_report: Callable[..., str], plain: str, arguments: tuple[str, ...]
) -> None:
    """pytest-xdist, pytest-randomly and pytest's own options leave the report as it is."""
    assert mixed_report(*arguments) == plain


def test_check_ids_work_with_xdist(repository: Repository) -> None:
    """An id as an argument reaches the workers too."""
    result = repository.run_in_process_of_its_own("-n", "2", "acme::SWAP-01")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["acme *; gate passed", "  2 checks: 2 passed"])


def test_a_usage_error_is_one_line_with_xdist(repository: Repository) -> None:
    """The controller refuses bad input before it starts a worker."""
    result = repository.run_in_process_of_its_own("-n", "2", "--provider", "nobody")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "unknown provider 'nobody'" in result.stderr.str()


def test_a_worker_that_dies_makes_the_run_partial(repository: Repository) -> None:
    """What a crashed worker took with it is missing in the ledger."""
    repository.pytester.makeconftest(
        """
        import os, pytest

        @pytest.hookimpl(tryfirst=True)
        def pytest_runtest_call(item):
            if item.nodeid == "acme::BIND-01":
                os._exit(3)
        """
    )
    result = repository.run_in_process_of_its_own(
        "-n", "2", "--max-worker-restart=0", "--conformance-report", "r.json"
    )
    assert result.ret == 1
    report = repository.report()
    assert report["partial"] is True
    assert "acme::BIND-01" in report["subjects"][-1]["ledger"]["missing"]


def test_warnings_asked_for_on_the_command_line_of_python_are_shown(
    repository: Repository,
) -> None:
    """python -W decides over the quiet that a check has otherwise."""
    repository.behave({"acme::BIND-01": "warn"})
    arguments = ["-p", "fake_kit", "-p", "no:randomly", "--conformance"]
    command = [sys.executable, "-W", "default::DeprecationWarning", "-m", "pytest", *arguments]
    result = repository.pytester.run(*command)
    result.stdout.fnmatch_lines(["*DeprecationWarning: old call"])
    quiet = repository.pytester.run(sys.executable, "-m", "pytest", *arguments)
    assert "old call" not in quiet.stdout.str()


def test_the_plugin_costs_nothing_where_nothing_is_certified() -> None:
    """Importing the plugin and declaring its options takes less than 50 ms."""
    code = (
        "import time, pytest; began = time.perf_counter();"
        "from conformance import pytest_plugin; from conformance.certification import command_line;"
        "print(time.perf_counter() - began)"
    )
    took = min(
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
        for _ in range(3)
    )
    assert took < 0.05


def test_reports_do_not_depend_on_the_moment(
    mixed_report: Callable[..., str], repository: Repository
) -> None:
    """Two runs at different moments differ in their timing only."""
    first, first_timing = mixed_report(), repository.report()["timing"]
    assert mixed_report() == first
    assert repository.report()["timing"] != first_timing
