"""``avatar-conformance explain ID``: one requirement, and how it is checked."""

from __future__ import annotations

import difflib
import textwrap
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from conformance.requirements import Catalogue, Requirement
    from conformance.suite.registry import Check

_LABEL = 10
_WIDTH = 100


def explain(
    requirement: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="Like SWAP-02, acme::SWAP-02[close-then-start] or HD-01."
        ),
    ],
) -> None:
    """Explain one requirement: what it says, why, how to mend a failure, and its checks.

    A check is explained by its requirement. HD-01 and the like are defects of livekit-agents.
    """
    from conformance.requirements import load_catalogue, load_deployed

    wanted = requirement.rpartition("::")[2].partition("[")[0].upper()
    if wanted.startswith("HD-"):
        lines = _of_defect(wanted)
    else:
        catalogue = load_deployed() if wanted.startswith("WORK-") else load_catalogue()
        lines = _explanation(catalogue, _find(catalogue, wanted, requirement))
    for line in lines:
        typer.echo(line)


def _of_defect(wanted: str) -> list[str]:
    from conformance.errors import UsageError
    from conformance.requirements.host_defects import host_defects

    defects = {defect.id: defect for defect in host_defects()}
    if wanted not in defects:
        raise UsageError(f"there is no host defect {wanted!r}; there are: {', '.join(defects)}")
    defect = defects[wanted]
    return [
        f"{defect.id}  a defect of livekit-agents {defect.hosts}, held against no provider",
        "",
        *textwrap.wrap(defect.text, _WIDTH),
        "",
        *_labelled("source", defect.symbol),
        *_labelled("workaround", defect.workaround),
        *_labelled("blocks", ", ".join(defect.checks)),
        *_labelled("transport", ", ".join(defect.transports)),
    ]


def _find(catalogue: Catalogue, name: str, wanted: str) -> Requirement:
    from conformance.errors import UsageError

    found = catalogue.get(name)
    if found is not None:
        return found
    near = difflib.get_close_matches(name, catalogue, n=3)
    families = ", ".join(dict.fromkeys(r.family for r in catalogue.values()))
    guess = f"did you mean {' or '.join(near)}?" if near else f"the families are: {families}"
    raise UsageError(f"there is no requirement {wanted!r}; {guess}")


def _explanation(catalogue: Catalogue, requirement: Requirement) -> list[str]:
    from conformance.requirements.kills import killed_mutants

    standing = f"since {requirement.since}"
    if not catalogue.scored(requirement.id):
        standing += f", not scored in revision {catalogue.revision}"
    lines = [
        f"{requirement.id}  {requirement.level.name} for the {requirement.subject}, {standing}",
        "",
        *textwrap.wrap(requirement.text, _WIDTH),
        "",
        *_labelled("why", requirement.why),
        *_labelled("source", requirement.source),
        *_labelled("hint", requirement.hint),
    ]
    if requirement.capability:
        lines += _labelled("depends on", f"the capability {requirement.capability}")
    if requirement.excluded:
        lines += _labelled("not tested", requirement.excluded)
    for change in requirement.history:
        lines += _labelled(change.revision, change.why)
    checks = [check for check in _checks() if check.requirement == requirement.id]
    for check in checks:
        variants = f" [{', '.join(check.variants)}]" if check.variants else ""
        lines += _labelled("check", check.where + variants)
    if not checks:
        lines += _labelled("check", "none")
    mutants = killed_mutants(requirement.id)
    if mutants is not None and not requirement.id.startswith("WORK-"):
        lines += _labelled("kills", ", ".join(mutants) or "no mutant")
    return lines


def _checks() -> tuple[Check, ...]:
    from conformance.deployed.checks import CHECKS
    from conformance.suite import checks
    from conformance.suite.registry import registered

    checks.load()
    return (*registered(), *CHECKS)


def _labelled(label: str, text: str) -> list[str]:
    indent = " " * (_LABEL + 2)
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=label.ljust(_LABEL) + "  ",
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
