"""A mend: the change of livekit-agents that takes one of its defects away."""

from __future__ import annotations

from dataclasses import dataclass

from .source import DoesNotApply, Edit, edited_sources


@dataclass(frozen=True, init=False)
class Mend:
    """A change of the host, in one form for each shape that its source has had.

    Attributes:
        forms: each a complete change; the first that fits the installed host is taken.
    """

    forms: tuple[tuple[Edit, ...], ...]

    def __init__(self, *forms: tuple[Edit, ...]) -> None:
        object.__setattr__(self, "forms", forms)

    def edits(self, before: tuple[Edit, ...] = ()) -> tuple[Edit, ...]:
        """The form that fits the installed host after the edits ``before``.

        Raises `DoesNotApply`, with the reason of the last form, where none fits.
        """
        reason = DoesNotApply("it has no form")
        for form in self.forms:
            form = tuple(edit for edit in form if edit not in before)
            try:
                edited_sources((*before, *form))
            except DoesNotApply as misfit:
                reason = misfit
            else:
                return form
        raise reason


def edits(module: str, *changes: tuple[str, str]) -> tuple[Edit, ...]:
    """The changes of one module, each as the old lines and the new ones."""
    return tuple(Edit(module, old, new) for old, new in changes)


_PENDING = """\
    def _pending_playback_count(self) -> int:
"""
COUNTS_PENDING = edits("livekit.agents.voice.io", (_PENDING, _PENDING))
"""Fits, and changes nothing, where outputs know how many segments are pending."""
