"""``avatar-conformance diff``: what has changed from one report or certificate to another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from conformance.results.comparison import CheckChange, Comparison

_HEADINGS = (
    ("regressions", "regressions"),
    ("fixes", "fixes"),
    ("elsewhere", "changed, held against no provider"),
    ("otherwise", "judged otherwise, no verdict on the behaviour"),
    ("added", "new checks"),
    ("removed", "removed checks"),
)


def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="A report or a certificate.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="A report or a certificate.")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON on stdout.")] = False,
) -> None:
    """Compare two runs: exit code 1 when a check or a tier is worse than before."""
    from conformance.certificate.loading import load
    from conformance.results.comparison import compare
    from conformance.results.json_input import shown

    comparison = compare(load(old).run, load(new).run)
    if as_json:
        typer.echo(json.dumps(comparison.to_json(), indent=1))
    else:
        for line in _table(comparison):
            typer.echo(shown(line))
    if comparison.regressed:
        raise typer.Exit(1)


def _table(comparison: Comparison) -> Iterator[str]:
    for note in comparison.notes:
        yield f"note: {note}"
    for step in comparison.tiers:
        was, now = step.versions
        lowered = "  LOWERED" if step.lowered else ""
        tiers = f"{step.before.value} -> {step.after.value}{lowered}"
        yield f"tier: {step.provider} {was} -> {now}: {tiers}"
    for name, heading in _HEADINGS:
        changes: tuple[CheckChange, ...] = getattr(comparison, name)
        if changes:
            yield f"{heading} ({len(changes)})"
            width = max(len(change.id) for change in changes)
            for change in changes:
                yield f"  {change.id:<{width}}  {change.level.name:<6}  {_step(change)}"
    if comparison.capabilities:
        yield f"capabilities ({len(comparison.capabilities)})"
        for claim in comparison.capabilities:
            yield f"  {claim.provider} {claim.capability}: {claim.before} -> {claim.after}"
    yield "worse than before" if comparison.regressed else "no regression"


def _step(change: CheckChange) -> str:
    before = change.before.value if change.before else None
    after = change.after.value if change.after else None
    if before is None or after is None:
        return before or after or ""
    return f"{before} -> {after}"
