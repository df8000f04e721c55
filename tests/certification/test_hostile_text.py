"""What a plugin prints, raises and warns of while pytest runs is text to whoever reads along."""

from __future__ import annotations

import re

import pytest

from tests.conftest import Repository

HOSTILE = "\n::add-mask::a\n##[error]b\n\x1b[2J \udc80 \u202e c"
COMMAND = re.compile(r"^\s*::\S|##\[|[\x1b\u202e]", re.MULTILINE)


HOW = ("fail", "error", "say", "warn", "not-applicable")


def speak(repository: Repository) -> None:
    """Let one check of the plugin after another say it, each in its own way."""
    names = ("BIND-01", "SWAP-01[close-then-start]", "SWAP-01[start-then-close]", "UNBIND-05")
    doing = dict(zip((f"acme::{name}" for name in names), HOW, strict=False))
    repository.behave(
        {"acme::SEC-09": f"{HOW[-1]}:{HOSTILE}"}
        | {name: f"{how}:{HOSTILE}" for name, how in doing.items()}
    )


@pytest.mark.parametrize("verbose", [(), ("-vv", "-rA")])
def test_what_pytest_prints_of_a_plugin_is_no_command(
    repository: Repository, verbose: tuple[str, ...]
) -> None:
    """Neither its messages nor its output, its warnings and its tracebacks."""
    speak(repository)
    result = repository.run(*verbose, "--color=no")
    assert result.ret == 1
    assert not COMMAND.search(result.stdout.str()), result.stdout.str()


def test_every_report_of_a_hostile_message_is_written(repository: Repository) -> None:
    """What it says costs no report."""
    speak(repository)
    names = ("report", "html", "markdown", "badge")
    result = repository.run(*(f"--conformance-{name}={name}.out" for name in names))
    assert result.ret == 1
    for name in names:
        text = (repository.pytester.path / f"{name}.out").read_text("utf-8")
        assert not COMMAND.search(text)
    result.stdout.no_fnmatch_line("*cannot be written*")


def test_a_junit_report_is_readable_whatever_a_plugin_says(repository: Repository) -> None:
    """pytest's own report of a hostile message is XML without escape sequences."""
    repository.behave({"acme::BIND-01": f"say:{HOSTILE}"})
    repository.run("--junitxml", "j.xml", "-o", "junit_logging=all")
    text = (repository.pytester.path / "j.xml").read_text("utf-8")
    assert "add-mask" in text
    assert "\x1b" not in text
