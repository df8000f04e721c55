"""Where reports are written, and what becomes of what was there before."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

from conformance.report.files import write_text
from tests.conftest import Repository

ON_POSIX = pytest.mark.skipif(sys.platform == "win32", reason="has devices and pipes")


@ON_POSIX
def test_a_device_is_written_to_and_stays_one(repository: Repository) -> None:
    """As root, a report on /dev/null once made a regular file of it."""
    result = repository.run("--conformance-html", os.devnull, "--conformance-report", os.devnull)
    assert result.ret == 0
    assert Path(os.devnull).is_char_device()


@ON_POSIX
def test_a_pipe_that_somebody_reads_gets_the_report(tmp_path: Path) -> None:
    """The pipe is still one afterwards."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    heard: list[str] = []
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reading, True)

    def read() -> None:
        with os.fdopen(reading, encoding="utf-8") as file:
            heard.append(file.read())

    writing = threading.Thread(target=write_text, args=(pipe, "the report"))
    writing.start()
    writing.join()
    read()
    assert heard == ["the report"]
    assert pipe.is_fifo()


@ON_POSIX
def test_a_pipe_that_nobody_reads_is_an_error(tmp_path: Path) -> None:
    """The run does not wait for a reader."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="No such device"):
        write_text(pipe, "the report")


@ON_POSIX
def test_a_symbolic_link_is_followed(repository: Repository) -> None:
    """What it leads to is written; the link stays."""
    target = repository.pytester.path / "there.json"
    link = repository.pytester.path / "r.json"
    link.symlink_to(target)
    repository.run("--conformance-report", "r.json")
    assert link.is_symlink()
    assert repository.report()["complete"] is True
    assert target.stat().st_size > 0


def test_two_reports_with_one_path_are_refused(repository: Repository) -> None:
    """One would replace the other; the line names both options."""
    result = repository.run("--conformance-report", "r.json", "--conformance-html", "./r.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--conformance-html *--conformance-report is to be written*"])


def test_an_earlier_report_does_not_outlive_a_run_that_is_killed(repository: Repository) -> None:
    """A complete report of yesterday is gone as soon as the run has begun."""
    earlier = repository.pytester.path / "r.json"
    earlier.write_text('{"complete": true}', "utf-8")
    repository.behave({"acme::BIND-01": "exit:9"})
    result = repository.run_in_process_of_its_own(
        "--conformance-report", "r.json", "--conformance-processes=1"
    )
    assert result.ret == 9
    assert not earlier.exists()


def test_an_earlier_report_is_kept_where_the_run_does_not_begin(repository: Repository) -> None:
    """A slip in the command line loses nothing."""
    earlier = repository.pytester.path / "r.json"
    earlier.write_text('{"complete": true}', "utf-8")
    assert repository.run("--conformance-report", "r.json", "--provider", "nobody").ret == 4
    assert earlier.exists()


def test_a_report_that_cannot_be_written_fails_the_run(repository: Repository) -> None:
    """The checks have passed, and whoever waits for the report hears of it."""
    folder = repository.pytester.path / "gone"
    folder.mkdir()
    repository.pytester.makeconftest(
        """
        import pathlib

        def pytest_runtest_logreport(report):
            folder = pathlib.Path("gone")
            if folder.is_dir():
                folder.rmdir()
        """
    )
    result = repository.run("--conformance-report", "gone/r.json")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*gone/r.json: cannot be written*"])
