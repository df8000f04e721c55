"""Bringing a plugin that was made from the template up to the template of this kit."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

from conformance.errors import KitError, UsageError

from .copier_extra import copier_module
from .template import TemplateSource, template_source, template_tags

ANSWERS = ".copier-answers.yml"


def update_plugin(directory: Path) -> str:
    """Merge what is new in the template into the plugin in ``directory``; returns its tag.

    This is ``copier update`` with the template of this kit. What the plugin has changed itself
    stays; where both changed the same lines, both are left in the file between conflict marks.
    Raises `UsageError` for what the user can mend.
    """
    answers = directory / ANSWERS
    if not answers.is_file():
        raise UsageError(f"{directory} has no {ANSWERS}: it was not made by avatar-conformance new")
    source = template_source(version("avatar-conformance"))
    made_with = _recorded(answers)
    if made_with not in template_tags():
        old = made_with.removeprefix("v")
        raise UsageError(
            f"the template {made_with} that made {directory} is not on this machine; "
            f"run once: uvx --from avatar-conformance=={old} avatar-conformance new scratch "
            f"--defaults --dest DIR, or take the new template whole: copier recopy"
        )
    _update(directory, source)
    return source.tag


def _recorded(answers: Path) -> str:
    commit = re.search(r"^_commit: *['\"]?([^'\"\s]+)", answers.read_text("utf-8"), re.MULTILINE)
    if commit is None:
        raise UsageError(f"{answers} does not say which template made it (field '_commit')")
    return commit[1]


def _update(directory: Path, source: TemplateSource) -> None:
    copier = copier_module()
    from copier.errors import CopierError

    try:
        copier.run_update(
            directory,
            vcs_ref=source.tag,
            defaults=True,
            overwrite=True,
            quiet=True,
        )
    except (CopierError, ValueError) as error:
        why = " ".join(str(error).split())
        raise KitError(f"{directory} could not be updated: {why}") from error
