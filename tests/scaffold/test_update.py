"""A plugin that was made by an older kit, brought to the template of a newer one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from conformance import resources
from conformance.errors import UsageError
from conformance.scaffold import render, template, update
from conformance.scaffold.answers import Answers
from conformance.scaffold.names import plugin_name


@pytest.fixture
def templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the templates that may be changed, and a cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    copy = tmp_path / "templates"
    shutil.copytree(resources.templates_dir(), copy)
    monkeypatch.setattr(template, "templates_dir", lambda: copy)
    return copy


def git(directory: Path, *arguments: str) -> str:
    """Run git as somebody."""
    somebody = ["-c", "user.name=somebody", "-c", "user.email=somebody@localhost"]
    ran = subprocess.run(
        ["git", *somebody, *arguments], cwd=directory, check=True, capture_output=True, text=True
    )
    return ran.stdout


def committed(directory: Path) -> Path:
    """A plugin, committed as its author does."""
    plugin = render.render_plugin(Answers(plugin_name("acme")), directory / "plugin")
    git(plugin, "init", "--quiet")
    git(plugin, "add", "--all")
    git(plugin, "commit", "--quiet", "--message=new")
    return plugin


def test_what_is_new_in_the_template_reaches_the_plugin(
    templates: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plugin gets the template's change and keeps its own."""
    plugin = committed(tmp_path)
    package = plugin / "livekit/plugins/acme"
    errors = package / "errors.py"
    errors.write_text(errors.read_text() + "\n\nMINE = True\n")
    git(plugin, "commit", "--quiet", "--all", "--message=mine")
    log = templates / "plugin/template/livekit/plugins/[[ module ]]/log.py.jinja"
    log.write_text(log.read_text() + "\nNEWER = True\n")
    monkeypatch.setattr(update, "version", lambda _: "99.0")
    assert update.update_plugin(plugin) == "v99.0"
    assert "NEWER = True" in (package / "log.py").read_text()
    assert "MINE = True" in errors.read_text()
    assert "_commit: v99.0" in (plugin / ".copier-answers.yml").read_text()


def test_the_same_template_is_the_same_tag(templates: Path) -> None:
    """An unchanged template is not committed again, and a changed one gets its own tag."""
    first = template.template_source("1.0")
    assert first.tag == "v1.0"
    assert template.template_source("1.0") == first
    (templates / "plugin/template/NEWS").write_text("news")
    assert template.template_source("1.0").tag == "v1.0.post1"
    assert template.template_source("1.0").tag == "v1.0.post1"


def test_a_plugin_names_no_path_of_the_machine(
    templates: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answers name the template below the home of whoever reads them."""
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    plugin = committed(tmp_path)
    answers = (plugin / ".copier-answers.yml").read_text()
    assert "_src_path: ~/.cache/avatar-conformance/plugin-template" in answers
    assert str(tmp_path) not in answers


def test_a_template_that_is_not_here_is_named(templates: Path, tmp_path: Path) -> None:
    """A plugin that another machine made is told how to go on."""
    plugin = committed(tmp_path)
    answers = plugin / ".copier-answers.yml"
    answers.write_text(answers.read_text().replace("_commit: v", "_commit: v0.0."))
    with pytest.raises(UsageError, match="copier recopy"):
        update.update_plugin(plugin)


def test_a_repository_that_is_no_plugin_is_refused(templates: Path, tmp_path: Path) -> None:
    """Without its answers there is nothing to update from."""
    with pytest.raises(UsageError, match="not made by avatar-conformance new"):
        update.update_plugin(tmp_path)
