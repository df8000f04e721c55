"""Broken providers: small changes to the sound one, each with the check that must find it out.

``python -m tests.mutants`` runs all of them against all checks, which is what ``tox -e kill`` does.
"""

from __future__ import annotations

import importlib

THEMES = (
    "of_binding",
    "of_tokens",
    "of_swapping",
    "of_closing",
    "of_leaving",
    "of_playing",
    "of_interrupting",
    "of_arriving",
    "of_workers",
    "of_faults",
    "of_absence",
    "of_unseen",
    "of_pausing",
    "of_following",
    "of_sockets",
    "of_secrets",
    "of_packaging",
    "of_chains",
)


def load() -> None:
    """Import every module of mutants, so that `mutant.MUTANTS` has them all."""
    for name in THEMES:
        importlib.import_module(f"{__name__}.{name}")
