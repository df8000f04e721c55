"""Names and secrets that are another in each run, so that no plugin knows the kit by them.

Reports show each as what it stands for: two equal runs have equal reports.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping

SECRET = "<secret>"
"""The form in which a report shows a credential."""

_ISSUED: dict[str, str] = {}


def issue(shown: str, *, digits: int = 40) -> str:
    """A new random word of that many hexadecimal digits; a report shows it as ``shown``.

    A hyphen stands behind the first four: parts of a secret are looked for behind its last hyphen.
    """
    word = f"{secrets.token_hex(2)}-{secrets.token_hex(digits // 2 - 2)}"
    _ISSUED[word] = shown
    return word


def issued() -> Mapping[str, str]:
    """Every word that was issued, and how a report shows it."""
    return _ISSUED


def canonical(text: str) -> str:
    """``text`` with every word that was issued shown as what it stands for."""
    if not _ISSUED:
        return text
    known = re.compile("|".join(_ISSUED))  # digits and hyphens; re keeps what it compiled
    return known.sub(lambda found: _ISSUED[found[0]], text)
