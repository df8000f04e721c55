"""``avatar-conformance explain``: one requirement and its checks, a family, or all of them."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from conformance.requirements import Catalogue, Requirement
    from conformance.requirements.host_defects import HostDefect
    from conformance.suite.registry import Check

_LABEL = 10
_WIDTH = 100
_DEFECTS = "HD"


def explain(
    requirement: Annotated[
        str,
        typer.Argument(
            metavar="[ID]",
            help="Like SWAP-02, acme::SWAP-02[close-then-start], HD-01 or SWAP; all without it.",
        ),
    ] = "",
) -> None:
    """Explain one requirement: what it says, why, how to mend a failure, and its checks.

    A check is explained by its requirement. HD-01 and the like are defects of livekit-agents. A
    family, like SWAP or HD, is listed with the text of each; without an ID everything is listed.
    """
    for line in _lines(requirement):
        typer.echo(line)


def _lines(asked: str) -> Sequence[str]:
    from conformance.requirements import load_catalogue, load_deployed

    wanted = asked.rpartition("::")[2].partition("[")[0].upper()
    if not wanted:
        return list(_listed())
    if wanted == _DEFECTS:
        return list(_defects_in_full())
    if wanted.startswith(f"{_DEFECTS}-"):
        return _of_defect(wanted)
    for catalogue in (load_catalogue(), load_deployed()):
        if catalogue.family(wanted):
            return list(_family(catalogue, wanted))
    catalogue = load_deployed() if wanted.startswith("WORK-") else load_catalogue()
    return _explanation(catalogue, _find(catalogue, wanted, asked))


def _listed() -> Iterator[str]:
    """Every requirement in a line, by family, and the defects of the host."""
    from conformance.requirements import load_catalogue, load_deployed

    for catalogue in (load_catalogue(), load_deployed()):
        for family in dict.fromkeys(r.family for r in catalogue.values()):
            if catalogue is not load_catalogue() and load_catalogue().family(family):
                continue  # what is asked of a deployed avatar too
            requirements = catalogue.family(family)
            yield f"{family}: {len(requirements)} requirements of the {requirements[0].subject}"
            for one in requirements:
                head = f"  {one.id:<{_LABEL}} {one.level.value:<6} {one.tier:<10}  "
                yield head + textwrap.shorten(one.text, _WIDTH - len(head), placeholder=" ...")
            yield ""
    yield f"{_DEFECTS}: defects of livekit-agents, held against no provider"
    for defect in _defects():
        head = f"  {defect.id:<{_LABEL}} {defect.hosts:<17}  "
        yield head + textwrap.shorten(defect.text, _WIDTH - len(head), placeholder=" ...")
    yield ""
    yield "avatar-conformance explain ID has all of one; explain FAMILY the text of each."


def _defects_in_full() -> Iterator[str]:
    for defect in _defects():
        yield f"{defect.id}  livekit-agents {defect.hosts}"
        yield from _indented(defect.text)
        yield ""
    yield "avatar-conformance host ID has a script that shows it, the workaround and the mend."


def _defects() -> Sequence[HostDefect]:
    from conformance.requirements.host_defects import host_defects

    return sorted(host_defects(), key=lambda defect: defect.id)


def _family(catalogue: Catalogue, family: str) -> Iterator[str]:
    """Each requirement of a family with its whole text."""
    for one in catalogue.family(family):
        scored = "" if catalogue.scored(one.id) else ", not scored"
        yield f"{one.id}  {one.level.name}, {one.tier}{scored}"
        yield from _indented(one.text)
        yield ""
    yield "avatar-conformance explain ID has the reason, the source, the checks and the mend."


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
    from conformance.deployed.exchange_checks import EXCHANGE_CHECKS
    from conformance.suite import checks
    from conformance.suite.registry import registered

    checks.load()
    return (*registered(), *CHECKS, *EXCHANGE_CHECKS)


def _indented(text: str) -> list[str]:
    indent = " " * 4
    return textwrap.wrap(text, _WIDTH, initial_indent=indent, subsequent_indent=indent)


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
