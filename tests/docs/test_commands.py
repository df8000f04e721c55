"""The commands of the documentation: each is known, and run by a test that is named here."""

from __future__ import annotations

import datetime
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from conformance.cli import make_app
from tests.docs.quickstart import Newcomer

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^ *```(?:sh|shell|console)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)

HERE = "tests/docs/test_commands.py"
QUICKSTART = "tests/docs/test_quickstart.py"
WALK = "tests/scaffold/test_walk.py"
GATE = "tests/certificate/test_gate.py"
OLDER = "tests/vendor_adapters/test_older_plugins.py"
CI = ".ci/run"
SERVER = "tox.ini"  # its environments live and deployed, which need a LiveKit server

RUN_BY = {
    "pip install avatar-conformance": WALK,
    'pip install "avatar-conformance[new]"': WALK,
    'pip install "avatar-conformance[sign]"': GATE,
    "python -m pip install avatar-conformance": WALK,
    "pytest --conformance": QUICKSTART,
    "pytest --conformance --conformance-html report.html": QUICKSTART,
    "pytest --conformance --provider anam": CI,
    "pytest --conformance --provider all --conformance-html report.html": CI,
    "avatar-conformance new acme --defaults": WALK,
    "avatar-conformance update": "tests/scaffold/test_update.py",
    "avatar-conformance adapter livekit-plugins-acme": "tests/scaffold/test_adapter_command.py",
    "avatar-conformance demo": "tests/live/test_demo.py",
    "tox run -e py311-host160,py311-host161,py311-host171,py311-host180,certify,matrix": "tox.ini",
    'pytest -n 2 -m "not installs"': CI,
    "pytest --conformance --provider all": CI,
    "pytest": WALK,
    ". .venv/bin/activate": QUICKSTART,
    ". env/bin/activate": OLDER,
}
"""What runs a command that is not run below, by what is left of it without options of its own."""

BY_BEGINNING = {
    "python -m venv": WALK,
    "cd ": WALK,
    "git clone": QUICKSTART,
    "pip install avatar-conformance -e": QUICKSTART,
    "pip install avatar-conformance==": CI,
    "pip install avatar-conformance pillow": OLDER,
    "pip install livekit-plugins-": OLDER,
    'pip install -e ".[dev]"': WALK,
    'pip install -e ".[vendors,': CI,
    "plugins=": OLDER,
    'pytest --conformance --provider all -k "BIND-02': OLDER,
    "pytest -m installs": OLDER,
    "pytest --conformance --provider anam --conformance-report": OLDER,
    "avatar-conformance certify": GATE,
    "avatar-conformance sign": GATE,
    "avatar-conformance verify": GATE,
    "avatar-conformance diff": HERE,
    "avatar-conformance matrix": HERE,
    "avatar-conformance baseline": HERE,
    "avatar-conformance list": HERE,
    "avatar-conformance explain": HERE,
    "pytest --conformance -v": HERE,
    "pytest --conformance --requirement": HERE,
    "pytest --conformance 'acme::": HERE,
    "pytest --conformance --conformance-report report.json": HERE,
    "pytest --conformance --conformance-deviations": HERE,
    "patch": QUICKSTART,
    "openssl": GATE,
    "set -e": GATE,
    "$EDITOR": HERE,
    "LIVEKIT_SERVER=": "tests/live/test_demo.py",
    "go install": SERVER,
    "export ": SERVER,
    "pytest --conformance --worker": SERVER,
    "pytest --conformance --deployed": SERVER,
    "pytest --conformance --live": SERVER,
}


def commands() -> Iterator[tuple[str, str]]:
    """Every command of the documentation, on one line and without its comment, with its page."""
    for page in PAGES:
        for block in _BLOCK.findall(page.read_text("utf-8")):
            for line in re.sub(r"\\\n\s*", "", block).splitlines():
                command = re.sub(r"(^|\s+)#.*$", "", line.strip().removeprefix("$ "))
                for part in command.split(" && "):
                    if part.strip():
                        yield page.name, re.sub(r"^\.venv/bin/", "", part.strip())


def test_every_command_is_run_by_a_test() -> None:
    """A new command of a page is listed with what runs it, above."""
    unknown = {
        f"{page}: {command}"
        for page, command in commands()
        if command not in RUN_BY and not command.startswith(tuple(BY_BEGINNING))
    }
    assert not unknown


def test_what_runs_them_is_there() -> None:
    """No command is run by a file that is gone."""
    for file in {*RUN_BY.values(), *BY_BEGINNING.values()}:
        assert (ROOT / file).is_file(), file


@pytest.fixture(scope="module")
def pytest_help() -> str:
    """All that pytest says of its options."""
    asked = [sys.executable, "-m", "pytest", "--help"]
    return subprocess.run(asked, capture_output=True, text=True, check=True, cwd=ROOT).stdout


def test_every_option_is_one_that_there_is(pytest_help: str) -> None:
    """A page names no option that a command does not have."""
    group = typer.main.get_command(make_app())
    for page, command in commands():
        words = shlex.split(command, comments=True)
        if words[:1] == ["pytest"]:
            known = pytest_help
        elif words[:1] == ["avatar-conformance"]:
            subcommand = group.commands[words[1]]  # type: ignore[attr-defined]
            known = " ".join(option for p in subcommand.params for option in p.opts)
        else:
            continue
        for option in (word.partition("=")[0] for word in words if word.startswith("--")):
            assert re.search(rf"(?<![\w-]){option}(?![\w-])", known), f"{page}: {command}"


def shell(newcomer: Newcomer, command: str) -> subprocess.CompletedProcess[str]:
    """Type a command of a page in the example's folder."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        ["bash", "-c", command],
        cwd=newcomer.place / "acme",
        env={**newcomer.environment(), "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def test_list_shows_the_adapter_of_the_repository(tmp_path: Path) -> None:
    """`avatar-conformance list`, as docs/vendor.md has it."""
    ran = shell(Newcomer.in_folder(tmp_path, mended=True), "avatar-conformance list")
    row = next(line for line in ran.stdout.splitlines() if line.startswith("acme "))
    assert row.split() == ["acme", "0.1.0", "livekit-plugins-acme", "conformance_adapter.py"]


@pytest.mark.journeys
def test_a_failure_is_repeated_as_the_vendor_s_page_tells(tmp_path: Path) -> None:
    """One check, one family, all in full; and what is behind a requirement."""
    newcomer = Newcomer.in_folder(tmp_path, mended=False)
    one = shell(newcomer, "pytest --conformance 'acme::SWAP-02[close-then-start]'")
    assert one.returncode == 0, one.stdout
    assert "acme  1 check\n" in one.stdout
    family = shell(newcomer, "pytest --conformance --requirement 'SWAP-*'")
    assert "only a part of the requirements was asked for" in family.stdout
    everything = shell(newcomer, "pytest --conformance -v")
    assert everything.returncode == 1
    assert "acme::BIND-12 FAILED" in everything.stdout
    assert "acme::BIND-01 PASSED" in everything.stdout
    told = shell(newcomer, "avatar-conformance explain SWAP-02").stdout
    assert told.startswith("SWAP-02  MUST for the provider")


@pytest.mark.journeys
def test_failures_are_accepted_and_compared_as_the_gate_s_page_tells(tmp_path: Path) -> None:
    """A report, a baseline, its reasons, a run that passes with it; then the mend, and the diff."""
    red = Newcomer.in_folder(tmp_path / "red", mended=False)
    day = datetime.date.today() + datetime.timedelta(days=100)
    assert shell(red, "pytest --conformance --conformance-report report.json").returncode == 1
    drafted = shell(
        red,
        "avatar-conformance baseline report.json --out deviations.json"
        f' --owner "team avatar" --expires {day}',
    )
    assert drafted.returncode == 0, drafted.stdout
    accepted = "pytest --conformance --conformance-deviations deviations.json"
    assert shell(red, accepted).returncode not in (0, 1)  # its reasons are not there yet
    file = red.place / "acme" / "deviations.json"
    drafts = json.loads(file.read_text("utf-8"))
    for entry in drafts["deviations"]:
        entry["reason"] = "the sink does not wait for the avatar's video"
        entry["reference"] = "https://example.com/tracker/17"
    file.write_text(json.dumps(drafts), "utf-8")
    assert shell(red, accepted).returncode == 0
    green = Newcomer.in_folder(tmp_path / "green", mended=True)
    assert shell(green, "pytest --conformance --conformance-report report.json").returncode == 0
    reports = f"{red.place}/acme/report.json {green.place}/acme/report.json"
    better = shell(green, f"avatar-conformance diff {reports}")
    assert (better.returncode, "BIND-12" in better.stdout) == (0, True)
    worse = " ".join(reversed(reports.split()))
    assert shell(green, f"avatar-conformance diff {worse}").returncode == 1
    shown = shell(green, "avatar-conformance matrix report.json --markdown matrix.md")
    assert shown.returncode == 0, shown.stdout
    assert "robust" in (green.place / "acme" / "matrix.md").read_text("utf-8")
