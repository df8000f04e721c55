"""Fresh virtual environments: made, filled, and used without anything of the surroundings."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from conformance.errors import UsageError

InstallerName = Literal["pip", "uv"]

_PASSED_ON = ("PATH", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "SYSTEMROOT")
_INSTALLING_TAKES = 1800.0


@dataclass(frozen=True)
class Environment:
    """A virtual environment: its interpreter, and the directory that packages are installed in."""

    python: Path
    site_packages: Path


class Installer(Protocol):
    """Makes environments and installs into them. Each method raises `UsageError`, one line."""

    def create(self, folder: Path) -> Environment:
        """Make an environment in ``folder``, which does not exist yet."""
        ...

    def build(self, environment: Environment, source: Path, folder: Path) -> Path:
        """Build the wheel of a source tree into ``folder``."""
        ...

    def fetch(self, environment: Environment, requirement: str, folder: Path) -> Path:
        """Download the wheel of a requirement, without its dependencies, into ``folder``."""
        ...

    def install(self, environment: Environment, requirements: Sequence[str]) -> None:
        """Install paths and requirements, with what they depend on."""
        ...


@dataclass(frozen=True)
class CommandInstaller:
    """Works by the commands ``python -m venv``, pip and, where it is on PATH, uv."""

    name: InstallerName

    @classmethod
    def at_hand(cls) -> CommandInstaller:
        """With uv where there is one, which is faster; else with pip."""
        return cls("uv" if shutil.which("uv") else "pip")

    def create(self, folder: Path) -> Environment:
        """Make an environment of this Python's version, with pip in it."""
        if self.name == "uv":
            _run(["uv", "venv", "-q", "--seed", "--python", sys.executable, str(folder)])
        else:
            _run([sys.executable, "-m", "venv", str(folder)])
        scripts = "Scripts" if os.name == "nt" else "bin"
        python = folder / scripts / ("python.exe" if os.name == "nt" else "python")
        ask = "import json, sysconfig; print(json.dumps(sysconfig.get_path('purelib')))"
        return Environment(python, Path(json.loads(_run([str(python), "-I", "-c", ask]))))

    def build(self, environment: Environment, source: Path, folder: Path) -> Path:
        """Build with pip, in isolation."""
        pip = [str(environment.python), "-m", "pip", "wheel", "-q", "--no-deps"]
        _run([*pip, "--wheel-dir", str(folder), str(source)])
        return _only_wheel(folder, str(source))

    def fetch(self, environment: Environment, requirement: str, folder: Path) -> Path:
        """Download with pip."""
        pip = [str(environment.python), "-m", "pip", "download", "-q", "--no-deps"]
        _run([*pip, "--only-binary", ":all:", "--dest", str(folder), requirement])
        return _only_wheel(folder, requirement)

    def install(self, environment: Environment, requirements: Sequence[str]) -> None:
        """Install without making bytecode, which would be files that no RECORD has a digest of."""
        python = str(environment.python)
        if self.name == "uv":
            command = ["uv", "pip", "install", "-q", "--python", python]
        else:
            command = [python, "-m", "pip", "install", "-q", "--no-compile"]
        _run([*command, *requirements])


def scrubbed(home: Path, surroundings: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment variables that a certification gets: no credential, no option of a tool.

    ``home`` is the home directory that it sees, an empty one.
    """
    given = os.environ if surroundings is None else surroundings
    kept = {name: given[name] for name in _PASSED_ON if name in given}
    return {
        **kept,
        "HOME": str(home),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        # For the interpreters that a check starts: the run itself is told with -B.
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _run(command: Sequence[str]) -> str:
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST"))}
    tool = "pip" if "pip" in command[1:3] else Path(command[0]).name
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            check=False,
            encoding="utf-8",
            env=environ,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=_INSTALLING_TAKES,
        )
    except OSError as error:
        raise UsageError(f"{tool} cannot be run: {error.strerror or error}") from None
    except subprocess.TimeoutExpired:
        raise UsageError(f"{tool} has not ended in {_INSTALLING_TAKES / 60:.0f} minutes") from None
    if done.returncode:
        raise UsageError(f"{tool} failed: {_why(done.stderr or done.stdout)}")
    return done.stdout


def _why(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [
        line
        for line in lines
        if line.lower().startswith(("error", "\N{MULTIPLICATION SIGN}", "fatal"))
    ]
    return (errors or lines or ["it says nothing"])[-1]


def _only_wheel(folder: Path, what: str) -> Path:
    wheels = sorted(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise UsageError(f"{what}: {len(wheels)} wheels came of it, where there should be one")
    return wheels[0]
