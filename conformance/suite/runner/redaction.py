"""Takes a run's canaries and room tokens out of text, in time that grows with the text."""

from __future__ import annotations

import re

from conformance.results.timeline import Event
from conformance.stage.canary import SECRET, canonical

# One class of characters, and nothing after it: no text makes the search go back.
_WORD = re.compile(r"[\w.-]+")
_CANARY = re.compile(r"canary-[\w-]+")
_TOKEN_BEGINS = "eyJ"


def without_secrets(text: str) -> str:
    """``text`` with every canary and room token taken out."""
    if _TOKEN_BEGINS in text:
        text = _WORD.sub(lambda found: _without_tokens(found[0]), text)
    return _CANARY.sub(SECRET, canonical(text))


def canonical_event(event: Event) -> Event:
    """The event with every random word of the run shown as what it stands for."""
    detail = {k: canonical(v) if isinstance(v, str) else v for k, v in event.detail.items()}
    return Event(event.at, event.lane, event.kind, canonical(event.subject), detail)


def _without_tokens(word: str) -> str:
    """``word`` without what has a token's form: three parts between dots, the first ``eyJ...``."""
    parts = word.split(".")
    kept: list[str] = []
    at = 0
    while at < len(parts):
        before, begins, _ = parts[at].partition(_TOKEN_BEGINS)
        if begins and at + 2 < len(parts) and parts[at + 1]:
            kept.append(f"{before}<room token>")
            at += 3
        else:
            kept.append(parts[at])
            at += 1
    return ".".join(kept)
