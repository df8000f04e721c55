from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer
import yaml

from conformance.cli import make_app

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "gate.md"
WORKFLOW = ROOT / ".github" / "workflows" / "certify.yml"


def options() -> dict[str, set[str]]:
    """The options of each command."""
    group = typer.main.get_command(make_app())
    commands = vars(group)["commands"]
    return {
        name: {option for parameter in command.params for option in parameter.opts}
        for name, command in commands.items()
    }


@pytest.mark.parametrize("path", [GUIDE, WORKFLOW], ids=lambda path: path.name)
def test_every_command_and_option_that_is_shown_exists(path: Path) -> None:
    """The recipes name commands and options that the command has."""
    known = options()
    text = path.read_text("utf-8")
    used = re.findall(r"^ *(?:run: )?avatar-conformance ([a-z]+)(.*)$", text, re.MULTILINE)
    assert used
    for command, rest in used:
        assert command in known
        assert set(re.findall(r"--[a-z-]+", rest)) <= known[command]
    for shown in re.findall(r"`(--[a-z-]+)`", text):
        assert any(shown in of_command for of_command in known.values()), shown


def test_the_workflow_hands_its_inputs_on_as_variables() -> None:
    """No input is put into a script's text, where it could be more than a value."""
    workflow = yaml.safe_load(WORKFLOW.read_text("utf-8"))
    steps = workflow["jobs"]["certify"]["steps"]
    scripts = [step["run"] for step in steps if "run" in step]
    assert scripts
    assert not [script for script in scripts if "${{" in script]
    assert workflow["permissions"] == {"contents": "read"}


def test_the_workflow_certifies_then_verifies_then_compares() -> None:
    """Each gate follows the one before, in one job, so that the first that fails ends it."""
    workflow = yaml.safe_load(WORKFLOW.read_text("utf-8"))
    text = "\n".join(step.get("run", "") for step in workflow["jobs"]["certify"]["steps"])
    order = [text.index(f"avatar-conformance {name} ") for name in ("certify", "verify", "diff")]
    assert order == sorted(order)


def test_the_workflow_declares_each_input_it_uses() -> None:
    """An input that is not declared is silently empty in GitHub Actions."""
    text = WORKFLOW.read_text("utf-8")
    # YAML 1.1 reads the key `on` as true.
    call = yaml.safe_load(text)[True]["workflow_call"]
    assert set(re.findall(r"inputs\.([a-z-]+)", text)) == set(call["inputs"])
    assert set(re.findall(r"secrets\.([a-z-]+)", text)) == set(call["secrets"])
