"""The requirement catalogue: what a certified host and a certified provider must do.

The data is one TOML file for each family, under ``data``; ``schemas/requirement.schema.json``
describes it. A revision, once released, is frozen under ``revisions``.
"""

from __future__ import annotations

from .catalogue import Catalogue, Change, Requirement, Subject, load_catalogue, load_deployed
from .revision import CURRENT, Frozen, Revision, load_revision, text_digest

__all__ = [
    "CURRENT",
    "Catalogue",
    "Change",
    "Frozen",
    "Requirement",
    "Revision",
    "Subject",
    "load_catalogue",
    "load_deployed",
    "load_revision",
    "text_digest",
]
