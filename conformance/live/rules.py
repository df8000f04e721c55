"""Which checks a stage in real time does not play, by rule."""

from __future__ import annotations

from collections.abc import Mapping

_NEEDS_VIRTUAL_TIME: dict[tuple[str, str | None], str] = {
    ("PLAY-08", None): "a segment of 10 minutes",
    ("FAULT-04", None): "a vendor that never answers, for longer than a minute",
    ("UNBIND-10", "room-api-silent"): "a room API that never answers, for longer than a minute",
}


def not_live(requirement: str, variant: str | None = None) -> str | None:
    """The rule by which a check is not applicable on a live stage, or None if it is played."""
    what = _NEEDS_VIRTUAL_TIME.get((requirement, variant))
    return f"needs virtual time: {what}" if what is not None else None


def rules() -> Mapping[str, str]:
    """Every check that has such a rule, variant included, with the rule."""
    return {
        f"{requirement}[{variant}]" if variant else requirement: f"needs virtual time: {what}"
        for (requirement, variant), what in _NEEDS_VIRTUAL_TIME.items()
    }
