"""docs/requirements.md: the whole catalogue."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.deployed.checks import CHECKS
from conformance.deployed.exchange_checks import EXCHANGE_CHECKS
from conformance.requirements import Catalogue, Requirement, load_catalogue, load_deployed
from conformance.requirements.catalogue import read_family
from conformance.requirements.kills import killed_mutants
from conformance.suite import checks
from conformance.suite.registry import Check, registered

from .markdown import MADE_BY, table

_HEAD = """# The requirements

Everything that is asked of an avatar plugin, of livekit-agents itself, and of a deployed avatar.
`avatar-conformance explain` lists the same in a terminal, `avatar-conformance explain SWAP-02` has
one of them.

A **MUST** that fails fails the run; a **SHOULD** is shown. The *tier* is the lowest that asks for
the requirement: **swap-safe** has all that an agent needs to exchange avatars in the middle of a
call, **fault-safe** every MUST, **robust** every SHOULD as well. **deployed** is a tier of its own,
earned by what the vendor's worker does on a real server. Ids are never used again and never change
their meaning. *Killers* are broken providers of the kit's own tests that the checks of the
requirement must fail, each for its stated reason.
"""


def render() -> str:
    """The page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield MADE_BY
    yield _HEAD
    declared: dict[str, list[Check]] = {}
    checks.load()
    for check in (*registered(), *CHECKS, *EXCHANGE_CHECKS):
        declared.setdefault(check.requirement, []).append(check)
    for catalogue in (load_catalogue(), load_deployed()):
        for family in dict.fromkeys(requirement.family for requirement in catalogue.values()):
            if catalogue is not load_catalogue() and load_catalogue().family(family):
                continue  # what is asked of a deployed avatar too
            yield from _family(catalogue, family, declared)


def _family(catalogue: Catalogue, family: str, declared: dict[str, list[Check]]) -> Iterator[str]:
    requirements = catalogue.family(family)
    yield f"## {family}: {read_family(family.lower())['title']}"
    yield ""
    yield from table(
        ("", "level", "tier", ""),
        (
            (f"[{one.id}](#{one.id.lower()})", one.level.name, one.tier, one.text)
            for one in requirements
        ),
    )
    for one in requirements:
        yield from _requirement(catalogue, one, declared.get(one.id, []))


def _requirement(catalogue: Catalogue, one: Requirement, declared: list[Check]) -> Iterator[str]:
    yield f"### {one.id}"
    yield ""
    yield one.text
    yield ""
    scored = "" if catalogue.scored(one.id) else ", not scored yet"
    yield f"- **{one.level.name}** for the {one.subject}, {one.tier}, since {one.since}{scored}"
    yield f"- Why: {one.why}"
    source = f"<{one.source}>" if one.source.startswith("http") else f"`{one.source}`"
    yield f"- Source: {source}"
    yield f"- Likely mend: {one.hint}"
    if one.capability:
        yield f"- Depends on the capability `{one.capability}`"
    if one.excluded:
        yield f"- Not tested: {one.excluded}"
    for change in one.history:
        yield f"- Corrected in {change.revision}: {change.why}"
    for check in declared:
        variants = f" ({', '.join(check.variants)})" if check.variants else ""
        yield f"- Check: `{check.where}`{variants}"
    mutants = killed_mutants(one.id)
    if mutants:
        yield f"- Killers: {', '.join(f'`{name}`' for name in mutants)}"
    yield ""
