"""The requirements as values, read from their data files."""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from conformance.results.outcomes import Level

from .revision import CURRENT, CURRENT_DEPLOYED, load_revision

# Python 3.10 has no tomllib; tomli is the same, and a dependency there only.
_toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")

Subject = Literal["host", "provider"]

DATA = Path(__file__).resolve().parent / "data"
FAMILIES = ("host", "bind", "swap", "unbind", "play", "fault", "sec", "meta")
"""The data files, in the order in which families are shown."""
DEPLOYED_FAMILIES = ("work",)
"""Those of the deployed stage, which has a catalogue of its own."""
HEARD = (
    "BIND-12",
    "SWAP-01",
    "SWAP-02",
    "SWAP-09",
    "UNBIND-06",
    "UNBIND-12",
    "PLAY-02",
)
"""Requirements of the other stages that can be heard, and are asked of a deployed avatar too."""


@dataclass(frozen=True)
class Change:
    """A correction of a requirement: in which revision, and why."""

    revision: str
    why: str


@dataclass(frozen=True)
class Requirement:
    """One requirement.

    ``subject`` is who must meet it: the host (and the project's own endpoint) or a provider.
    ``source`` is the host's symbol that it follows from, as a dotted path, or a link. ``hint`` is
    the likely mend of a failure. ``tier`` is the lowest tier that asks for it. ``capability`` is
    the field of `Capabilities` that it depends on. ``excluded`` says why it can't be tested; None
    where it is. ``since`` is the revision that brought it.
    """

    id: str
    family: str
    subject: Subject
    level: Level
    text: str
    why: str
    source: str
    hint: str
    since: str
    tier: str
    capability: str | None = None
    excluded: str | None = None
    history: tuple[Change, ...] = ()


class Catalogue(Mapping[str, Requirement]):
    """The requirements by id, in the order of the families."""

    def __init__(self, requirements: Sequence[Requirement], *, revision: str = CURRENT) -> None:
        self._requirements = {requirement.id: requirement for requirement in requirements}
        self._scored = frozenset(load_revision(revision).requirements)
        self.revision = revision

    def __getitem__(self, key: str) -> Requirement:
        return self._requirements[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._requirements)

    def __len__(self) -> int:
        return len(self._requirements)

    def scored(self, requirement: str) -> bool:
        """Whether it belongs to the revision; one that is newer is run and shown only."""
        return requirement in self._scored

    def family(self, name: str) -> tuple[Requirement, ...]:
        """The requirements of one family (``SWAP``)."""
        return tuple(r for r in self._requirements.values() if r.family == name)


@functools.cache
def load_catalogue() -> Catalogue:
    """Read the catalogue that came with the kit."""
    return Catalogue([r for family in FAMILIES for r in _of_family(read_family(family))])


@functools.cache
def load_deployed() -> Catalogue:
    """Read the catalogue of what is asked of a deployed avatar."""
    requirements = [r for family in DEPLOYED_FAMILIES for r in _of_family(read_family(family))]
    elsewhere = load_catalogue()
    heard = [replace(elsewhere[name], tier="deployed") for name in HEARD]
    return Catalogue([*requirements, *heard], revision=CURRENT_DEPLOYED)


def read_family(name: str) -> Mapping[str, Any]:
    """The data file of one family as it stands, as the requirement schema describes it."""
    with (DATA / f"{name}.toml").open("rb") as file:
        data: Mapping[str, Any] = _toml.load(file)
    return data


def _of_family(data: Mapping[str, Any]) -> Iterator[Requirement]:
    for entry in data["requirement"]:
        values = dict(entry)
        values["level"] = Level(values["level"])
        values["history"] = tuple(Change(**change) for change in values.get("history", ()))
        yield Requirement(family=data["family"], subject=data["subject"], **values)
