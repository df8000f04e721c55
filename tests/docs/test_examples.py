"""The Python and YAML of the documentation: what is shown can be taken over as it is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from conformance.plugin import Deviation, Manifest, VendorAPI
from conformance.results.json_input import schema_problem

ROOT = Path(__file__).resolve().parents[2]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/certify.yml").read_text("utf-8"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# host-defects: each is a script, run by tests/host
WITHOUT = ("host-defects.md",)


def blocks(language: str) -> list[tuple[str, str]]:
    """Every block of a language, with its page."""
    found = re.compile(rf"^```{language}\n(.*?)^```", re.MULTILINE | re.DOTALL)
    return [
        (page.name, block)
        for page in PAGES
        if page.name not in WITHOUT
        for block in found.findall(page.read_text("utf-8"))
    ]


def names_of(page: str, defining: str) -> dict[str, Any]:
    """What the block of a page that defines a name defines."""
    names: dict[str, Any] = {}
    (block,) = [b for p, b in blocks("python") if p == page and f"def {defining}(" in b]
    exec(compile(block, page, "exec"), names)
    return names


@pytest.mark.parametrize(("page", "block"), blocks("python"))
def test_every_python_block_runs(page: str, block: str) -> None:
    """Its imports are there, and what it defines can be defined."""
    exec(compile(block, page, "exec"), {})


def test_the_deviation_of_the_vendor_s_page_is_one() -> None:
    """It is accepted by the schema that a run holds it to."""
    (deviation,) = names_of("vendor.md", "known_deviations")["known_deviations"]()
    assert isinstance(deviation, Deviation)
    assert schema_problem("deviations", {"deviations": [deviation.to_json()]}) is None


def test_the_adapter_of_the_reference_is_one() -> None:
    """Its manifest is accepted by the schema, and its API is one with a call."""
    names = names_of("adapter.md", "vendor_backend")
    manifest = names["avatar_provider_manifest"]()
    assert schema_problem("manifest", manifest) is None
    assert Manifest.from_json(manifest).name == "acme"
    api = names["vendor_backend"]()
    assert isinstance(api, VendorAPI)
    assert [call.name for call in api.calls] == ["create session"]


def steps() -> list[dict[str, Any]]:
    """Every step and every called workflow of the YAML in the documentation."""
    found: list[dict[str, Any]] = []
    for _, block in blocks("yaml"):
        parsed = yaml.safe_load(block)
        jobs = parsed.get("jobs", {}).values() if isinstance(parsed, dict) else [{"steps": parsed}]
        for job in jobs:
            found += [job, *job.get("steps", [])]
    return found


@pytest.mark.parametrize(
    ("beginning", "inputs"),
    [
        ("avatar-conformance/avatar-conformance@", ACTION["inputs"]),
        (
            "avatar-conformance/avatar-conformance/.github/workflows/certify.yml@",
            # YAML 1.1 reads the key "on" as true
            WORKFLOW[True]["workflow_call"]["inputs"],
        ),
    ],
)
def test_the_action_and_the_workflow_are_called_with_inputs_of_theirs(
    beginning: str, inputs: dict[str, Any]
) -> None:
    """What a page sets is an input that there is; what is required is set."""
    called = [step for step in steps() if step.get("uses", "").startswith(beginning)]
    assert called
    for step in called:
        assert step["with"].keys() <= inputs.keys()
        required = {name for name, about in inputs.items() if about.get("required")}
        assert required <= step["with"].keys()
