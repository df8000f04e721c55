"""The name of a new plugin, and the names that follow from it."""

from __future__ import annotations

import importlib.metadata
import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from conformance.errors import UsageError

VENDORS = frozenset(
    {
        "anam",
        "avatario",
        "avatartalk",
        "bey",
        "bithuman",
        "did",
        "keyframe",
        "lemonslice",
        "liveavatar",
        "runway",
        "simli",
        "tavus",
        "trugen",
    }
)
"""The vendors whose avatars livekit-agents has plugins for itself."""

LONGEST = 40
_PREFIX = "livekit-plugins-"
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True)
class PluginName:
    """A plugin's name (``acme-live``) and its module's, class's and distribution's."""

    name: str

    @property
    def module(self) -> str:
        """``acme_live``, below ``livekit.plugins``."""
        return self.name.replace("-", "_")

    @property
    def class_name(self) -> str:
        """``AcmeLive``, with which the names of its classes begin."""
        return "".join(part.capitalize() for part in self.name.split("-"))

    @property
    def distribution(self) -> str:
        """``livekit-plugins-acme-live``."""
        return _PREFIX + self.name


def plugin_name(wanted: str) -> PluginName:
    """Check a name that a user gave, normalised as PyPI does; `UsageError` says how to mend it.

    ``livekit-plugins-acme``, ``Acme`` and ``acme`` are the same name.
    """
    name = canonicalize_name(wanted.strip()) if wanted.isascii() else wanted
    name = name.removeprefix(_PREFIX)
    problem = _problem(name)
    if problem is not None:
        raise UsageError(f"{wanted!r} can't be a plugin's name: {problem}")
    return PluginName(name)


def _problem(name: str) -> str | None:
    if not _NAME.fullmatch(name):
        return "use letters, digits and single hyphens, and begin with a letter, like 'acme-live'"
    if len(name) > LONGEST:
        return f"it has {len(name)} characters; use at most {LONGEST}"
    module = PluginName(name).module
    if keyword.iskeyword(module) or keyword.issoftkeyword(module):
        return f"{module!r} is a keyword of Python; add a word, like '{name}-avatar'"
    if module.replace("_", "") in {*VENDORS, *_of_the_host()}:
        return f"livekit-agents has a plugin {name!r} already; take the name of your own vendor"
    return None


def _of_the_host() -> Iterator[str]:
    """The modules of every plugin that the installed livekit-agents has an extra for."""
    for line in importlib.metadata.requires("livekit-agents") or ():
        required = canonicalize_name(Requirement(line).name)
        if required.startswith(_PREFIX):
            yield required.removeprefix(_PREFIX).replace("-", "")
