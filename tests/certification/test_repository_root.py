"""Which repository a run is about."""

from __future__ import annotations

import pytest

from conformance.certification.options import read_options

ADAPTER = "# an adapter\n"


@pytest.fixture
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A report of an earlier run, somewhere else."""
    file = tmp_path_factory.mktemp("elsewhere") / "report.json"
    file.write_text("{}")
    return str(file)


@pytest.mark.parametrize("name", ["conformance_adapter.py", "pyproject.toml"])
def test_a_report_that_is_there_already_changes_nothing(
    pytester: pytest.Pytester, report: str, name: str
) -> None:
    """pytest takes the file for a test path, and would look for the adapter beside it."""
    (pytester.path / name).write_text(ADAPTER)
    config = pytester.parseconfigure(
        "-p", "no:asyncio", "--conformance", "--conformance-report", report
    )
    assert config.rootpath != pytester.path
    assert read_options(config).rootdir == pytester.path


def test_a_folder_inside_the_repository_belongs_to_it(
    pytester: pytest.Pytester, report: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that is started further down is about the repository all the same."""
    (pytester.path / "conformance_adapter.py").write_text(ADAPTER)
    monkeypatch.chdir(pytester.mkdir("src"))
    config = pytester.parseconfigure(
        "-p", "no:asyncio", "--conformance", "--conformance-report", report
    )
    assert read_options(config).rootdir == pytester.path


def test_a_rootdir_that_is_asked_for_is_taken(pytester: pytest.Pytester) -> None:
    """--rootdir says where the repository is."""
    (pytester.path / "conformance_adapter.py").write_text(ADAPTER)
    other = pytester.mkdir("other")
    config = pytester.parseconfigure("-p", "no:asyncio", "--conformance", f"--rootdir={other}")
    assert read_options(config).rootdir == other
