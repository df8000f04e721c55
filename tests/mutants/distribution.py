"""Small plugins made for the run: a package with its metadata, as an installer leaves them."""

from __future__ import annotations

import importlib
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

VERSION = "1.2.3"

AVATAR = """
from livekit.agents import Plugin
from conformance.host import bind_tail
from conformance.reference.avatar import logger
from tests.mutants.robust import SoundAvatar as Sound


class AcmePlugin(Plugin):
    def __init__(self):
        super().__init__(__name__, "{version}", "{package}", logger)


{register}


class SoundAvatar(Sound):
    def _bind(self):
        bind_tail(self._output, self._sink())
"""

REGISTER = "Plugin.register_plugin(AcmePlugin())"


@dataclass(frozen=True)
class Distribution:
    """A distribution with one module, whose avatar binds with the host's own call.

    ``name`` is the distribution's, and with underscores the package's. ``host`` is what it requires
    of livekit-agents. ``source`` comes first in the module; ``registered`` and ``version`` are how
    it registers with the host. ``ships`` are modules that are in its wheel as well.
    """

    name: str
    host: str = ">=1.6.1"
    source: str = ""
    register: str = REGISTER
    registered: str | None = None
    version: str = VERSION
    typed: bool = True
    ships: tuple[str, ...] = ()

    @property
    def package(self) -> str:
        """The name to import."""
        return self.name.replace("-", "_")

    def install(self) -> None:
        """Put it where it can be imported; does nothing the second time."""
        place = _place()
        home = place / self.package
        if home.exists():
            return
        home.mkdir()
        avatar = AVATAR.format(
            register=self.register, package=self.registered or self.name, version=self.version
        )
        (home / "__init__.py").write_text(self.source + avatar, encoding="utf-8")
        if self.typed:
            (home / "py.typed").touch()
        metadata = place / f"{self.package}-{VERSION}.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {self.name}\nVersion: {VERSION}\n"
            f"Requires-Dist: livekit-agents{self.host}\n",
            encoding="utf-8",
        )
        for file in self.ships:
            (place / file).parent.mkdir(exist_ok=True)
            (place / file).touch()
        files = (f"{self.package}/__init__.py", *self.ships)
        (metadata / "RECORD").write_text("".join(f"{file},,\n" for file in files), encoding="utf-8")
        importlib.invalidate_caches()

    def manifest(self) -> Mapping[str, Any]:
        """What its manifest says beside the sound provider's."""
        return {"distribution": self.name, "avatar_session": f"{self.package}:SoundAvatar"}

    def avatar(self) -> Any:
        """Its avatar session class."""
        return importlib.import_module(self.package).SoundAvatar


@cache
def _place() -> Path:
    directory = tempfile.TemporaryDirectory(prefix="mutants-")
    _kept.append(directory)
    sys.path.insert(0, directory.name)
    return Path(directory.name)


_kept: list[tempfile.TemporaryDirectory[str]] = []
