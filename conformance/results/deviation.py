"""Known deviations: failures of a requirement that are accepted for a while, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from conformance.results.outcomes import CheckId

LONGEST = timedelta(days=366)
"""How far ahead the last day of a deviation may be."""


@dataclass(frozen=True)
class Deviation:
    """An expected failure of one requirement.

    ``reason`` tells the vendor what goes wrong, where, and what would mend it; ``reference`` is a
    link to where it is tracked; ``owner`` is who mends it. ``expires`` is the last day on which
    it is accepted. ``host`` and ``plugin`` are version specifiers (``>=1.8,<1.9``; empty: every
    version) of livekit-agents and of the plugin's distribution. ``variants`` narrows it to these
    variants of the check; empty: all of them. ``stage`` is where it shows, ``loopback`` or
    ``live`` (a real server); empty: on both.
    """

    requirement: str
    reason: str
    reference: str
    owner: str
    expires: date
    host: str = ""
    plugin: str = ""
    variants: tuple[str, ...] = ()
    stage: Literal["", "loopback", "live"] = ""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Deviation:
        """Build the value from data that the deviations schema has accepted.

        Raises `ValueError` when the date is none in the calendar.
        """
        values = dict(data)
        values["expires"] = date.fromisoformat(values["expires"])
        values["variants"] = tuple(values.get("variants", ()))
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        """The value as the deviations schema describes it."""
        return {
            "requirement": self.requirement,
            "reason": self.reason,
            "reference": self.reference,
            "owner": self.owner,
            "expires": self.expires.isoformat(),
            "host": self.host,
            "plugin": self.plugin,
            "variants": list(self.variants),
            "stage": self.stage,
        }

    def matches(
        self, check_id: CheckId, plugin_version: str | None, host_version: str | None
    ) -> bool:
        """Whether this deviation is about that check of these versions, expired or not.

        A version that is not known (None) is within no specifier but the empty one.
        """
        return (
            check_id.requirement == self.requirement
            and (not self.variants or check_id.variant in self.variants)
            and _within(self.plugin, plugin_version)
            and _within(self.host, host_version)
        )

    def problem(self, today: date) -> tuple[str, str] | None:
        """What is wrong with it and how to mend that; None when it can be used.

        It must say where it is tracked, name its variants, and end within `LONGEST`.
        """
        if not self.reference.strip():
            return "its reference is empty", "say where it is tracked: a link, or a file and line"
        if "*" in (self.requirement, *self.variants, self.host.strip(), self.plugin.strip()):
            return "a bare '*' excuses whatever comes", "name what is expected to fail"
        latest = today + LONGEST
        if self.expires > latest:
            return (
                f"it expires on {self.expires}, more than 12 months ahead",
                f"choose a day until {latest}",
            )
        return None

    def expired(self, today: date) -> bool:
        """Whether ``today`` is after the last day on which it is accepted."""
        return today > self.expires


def specifier_problem(specifier: str) -> str | None:
    """Say what is wrong with a version specifier, or None when it can be used."""
    try:
        SpecifierSet(specifier)
    except InvalidSpecifier as error:
        return str(error)
    return None


def _within(specifier: str, version: str | None) -> bool:
    if not specifier:
        return True
    if version is None:
        return False
    try:
        return SpecifierSet(specifier).contains(Version(version), prereleases=True)
    except InvalidVersion:
        return False
