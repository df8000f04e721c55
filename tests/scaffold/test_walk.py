"""The way from nothing to a certificate, as the READMEs tell it: each command is run as it stands.

Slow: it makes a virtual environment, and needs a package index.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from conformance.certificate.environment import CommandInstaller
from conformance.scaffold.answers import TRANSPORTS, PluginTransport

KIT = Path(__file__).parents[2]


@dataclass
class Newcomer:
    """Somebody with a shell, an empty folder, and an environment that has the kit and no more."""

    variables: dict[str, str]
    folder: Path

    def types(self, commands: Sequence[str]) -> str:
        """Run commands in one shell, which stops at the first that fails; what it prints."""
        ran = subprocess.run(
            ["sh", "-e", "-c", "\n".join(commands)],
            cwd=self.folder,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=1800,
        )
        assert ran.returncode == 0, ran.stdout
        return ran.stdout


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Newcomer:
    """The kit is installed from its source: how it is got is what its README begins with."""
    if os.environ.get("AVATAR_CONFORMANCE_OFFLINE"):
        pytest.skip("told that there is no package index")
    place = tmp_path_factory.mktemp("newcomer")
    installer = CommandInstaller.at_hand()
    environment = installer.create(place / "environment")
    installer.install(environment, [f"{KIT}[new]"])
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    variables = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "PYTEST", "COV", "GITHUB_"))
    }
    variables |= {
        "PATH": os.pathsep.join([str(environment.python.parent), os.environ["PATH"]]),
        "VIRTUAL_ENV": str(place / "environment"),
        "XDG_CACHE_HOME": str(place / "cache"),
        "PIP_CACHE_DIR": os.environ.get("PIP_CACHE_DIR") or str(caches / "pip"),
        "UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR") or str(caches / "uv"),
    }
    return Newcomer(variables, place)


def commands(readme: Path, heading: str) -> list[list[str]]:
    """The shell blocks below a heading of a README, each as its lines."""
    section = re.search(
        rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", readme.read_text("utf-8"), re.M | re.S
    )
    assert section is not None, f"{readme} has no section {heading!r}"
    blocks = re.findall(r"^```(?:sh|shell)\n(.*?)^```", section[1], re.M | re.S)
    assert blocks, f"the section {heading!r} of {readme} has no commands"
    return [block.splitlines() for block in blocks]


@pytest.mark.installs
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_the_walk_ends_with_a_certificate(newcomer: Newcomer, transport: PluginTransport) -> None:
    """`new`, the plugin's two commands, a wheel, `certify`, `verify`: robust, and nothing fails."""
    [[new, into]] = commands(KIT / "README.md", "You start a plugin")
    assert new == "avatar-conformance new acme --defaults"
    if transport != "bytestream":
        new += f" --transport {transport}"
    at = newcomer.folder / transport
    at.mkdir()
    there = Newcomer(newcomer.variables, at)
    there.types([new, into])
    plugin = Newcomer(newcomer.variables, at / into.removeprefix("cd "))
    readme = plugin.folder / "README.md"

    [[install_and_test, certification]] = commands(readme, "Two commands")
    tested = plugin.types([install_and_test])
    assert re.search(r"\d+ passed in", tested), tested
    certified = plugin.types([certification])
    assert "acme 0.1.0: tier robust; gate passed" in certified

    [[build, certify, verify]] = commands(readme, "From here to a certificate")
    plugin.types([build])
    issued = plugin.types([certify])
    assert re.search(r"^tier +robust$", issued, re.M), issued
    verified = plugin.types([verify])
    assert re.search(r"^certified robust: livekit-plugins-acme 0\.1\.0", verified, re.M), verified
