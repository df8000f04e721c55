"""The composite GitHub Action: its steps, run in a shell as a runner does."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Repository

ACTION = Path(__file__).resolve().parents[2] / "action.yml"
DEFINED: dict[str, Any] = yaml.safe_load(ACTION.read_text("utf-8"))


def step(name: str) -> dict[str, Any]:
    """One step of the action."""
    found: dict[str, Any] = next(s for s in DEFINED["runs"]["steps"] if s["name"] == name)
    return found


def run(
    name: str, folder: Path, inputs: dict[str, str], **more: str
) -> subprocess.CompletedProcess[str]:
    """Run the shell of a step with its inputs, as the runner hands them over."""
    declared = DEFINED["inputs"]
    given = {key: inputs.get(key, about["default"]) for key, about in declared.items()}
    given["action_path"] = "/action"
    environment = {
        variable: re.sub(r"\$\{\{ (?:inputs|github)\.(\w+) \}\}", lambda m: given[m[1]], text)
        for variable, text in step(name)["env"].items()
    }
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "PYTEST_"))}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept["PATH"]])
    return subprocess.run(
        ["bash", "-c", step(name)["run"]],
        cwd=folder,
        env={**kept, **environment, "PATH": path, **more},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def judged(repository: Repository) -> Any:
    """Judges in a repository of its own, with a tiny suite; the run, and what it put out."""
    folder = repository.pytester.path
    others = " ".join(f"-p no:{n}" for n in ("xdist", "randomly", "asyncio", "cacheprovider"))

    def judge(**inputs: str) -> tuple[subprocess.CompletedProcess[str], dict[str, str]]:
        output, summary = folder / "output", folder / "summary"
        ran = run(
            "Judge",
            folder,
            inputs,
            GITHUB_OUTPUT=str(output),
            GITHUB_STEP_SUMMARY=str(summary),
            PYTEST_ADDOPTS=f"-p fake_kit {others}",
        )
        lines = output.read_text("utf-8").splitlines() if output.exists() else []
        return ran, dict(line.split("=", 1) for line in lines)

    return judge


def test_it_judges_and_keeps_what_was_found(repository: Repository, judged: Any) -> None:
    """JSON, HTML and badge in the folder, the summary of the job, and the tier as an output."""
    ran, output = judged(provider="acme", report="found")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert output == {"report": "found/report.json", "tier": "robust"}
    folder = repository.pytester.path
    files = {path.name for path in (folder / "found").iterdir()}
    assert files == {"report.json", "report.html", "badge.json"}
    providers = json.loads((folder / "found/report.json").read_text("utf-8"))["selection"]
    assert providers["providers"] == ["acme"]
    assert "Avatar conformance" in (folder / "summary").read_text("utf-8")


def test_a_failure_fails_the_job_and_is_kept(repository: Repository, judged: Any) -> None:
    """The exit code is pytest's, the failure an annotation; the report is there all the same."""
    repository.behave({"acme::BIND-01": "fail"})
    ran, output = judged()
    assert ran.returncode == 1
    assert output == {"report": "conformance/report.json", "tier": "none"}
    assert "::error" in ran.stdout


def test_a_tier_that_is_asked_for_and_not_earned_fails_the_job(
    repository: Repository, judged: Any
) -> None:
    """Without the input that run passes."""
    repository.behave({"acme::UNBIND-05": "fail"})
    assert judged()[0].returncode == 0
    ran, output = judged(tier="robust")
    assert (ran.returncode, output["tier"]) == (1, "fault-safe")


def test_an_unknown_provider_fails_the_job_in_one_line(judged: Any) -> None:
    """What was typed wrong is said; there is no report, and no output of one."""
    ran, output = judged(provider="nobody")
    assert ran.returncode not in (0, 1)
    assert "nobody" in ran.stderr
    assert output == {}


def test_a_plugin_that_ends_the_process_fails_the_job(repository: Repository, judged: Any) -> None:
    """Exit code 0 without a report is no pass, also where an older report lies about."""
    assert judged()[0].returncode == 0
    repository.pytester.makeconftest(
        "import os\ndef pytest_collection_finish(session):\n    os._exit(0)"
    )
    ran, _ = judged()
    assert ran.returncode == 1
    assert "pytest ended without a report" in ran.stdout


@pytest.mark.parametrize(("kit", "installed"), [("", "/action"), ("kit==1", "kit==1")])
def test_the_kit_is_the_action_s_own_unless_one_is_named(
    tmp_path: Path, kit: str, installed: str
) -> None:
    """Action and checks are of one version."""
    pip = tmp_path / "python"
    pip.write_text('#!/bin/sh\necho "$@"\n')
    pip.chmod(0o755)
    path = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
    ran = run("Install the kit", tmp_path, {"kit": kit}, PATH=path)
    assert ran.stdout == f"-m pip install --quiet {installed}\n"


def test_every_input_is_used_and_documented() -> None:
    """No input without a description, none that no step reads."""
    text = json.dumps(DEFINED["runs"])
    for name, about in DEFINED["inputs"].items():
        assert about["description"]
        assert f"inputs.{name} " in text
