"""A new plugin is clean and publishable as it is. Slower than most: it lints, types and builds."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from conformance.scaffold.answers import TRANSPORTS, Answers, PluginTransport
from conformance.scaffold.names import plugin_name
from conformance.scaffold.render import render_plugin


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transport: PluginTransport) -> Path:
    """A plugin with this transport, and a name of two words."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    name = plugin_name("quality-avatars")
    return render_plugin(Answers(name, transport=transport), tmp_path / "plugin")


def run(plugin: Path, *command: str) -> str:
    """Run a Python module in the plugin; its output, with a failure where it failed."""
    ran = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=plugin,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_new_plugin_passes_ruff(plugin: Path) -> None:
    """Its own configuration finds nothing."""
    pytest.importorskip("ruff")
    run(plugin, "ruff", "check", "--no-cache", ".")


@pytest.mark.needs("livekit-agents>=1.6.1")
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_new_plugin_passes_mypy(plugin: Path) -> None:
    """It is typed strictly, so that its users can be."""
    pytest.importorskip("mypy")
    run(plugin, "mypy", "--cache-dir", str(plugin.parent / "mypy"))


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_new_plugin_passes_its_own_tests(plugin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that a vendor starts with are green."""
    quiet = ("-q", "-p", "no:cacheprovider", "-p", "no:randomly")
    monkeypatch.setenv("PYTHONPATH", str(plugin))
    run(plugin, "pytest", *quiet)


@pytest.mark.parametrize("transport", ["bytestream"])
def test_its_wheel_shares_the_namespace(plugin: Path) -> None:
    """The wheel has the plugin's package with its marker and adapter, and nobody else's files."""
    pytest.importorskip("hatchling")
    run(plugin, "hatchling", "build", "--target", "wheel", "--directory", str(plugin / "dist"))
    [wheel] = (plugin / "dist").glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert wheel.name == "livekit_plugins_quality_avatars-0.1.0-py3-none-any.whl"
    assert "livekit/plugins/quality_avatars/py.typed" in names
    assert "livekit/plugins/quality_avatars/conformance_adapter.py" in names
    assert not {"livekit/__init__.py", "livekit/plugins/__init__.py"} & set(names)
    assert not [n for n in names if n.startswith(("tests/", "examples/"))]
    entry_points = next(n for n in names if n.endswith("entry_points.txt"))
    text = zipfile.ZipFile(wheel).read(entry_points).decode()
    assert "[avatar_conformance]" in text
    assert "quality-avatars = livekit.plugins.quality_avatars.conformance_adapter" in text
