"""``avatar-conformance baseline``: a deviations file from a report's failures."""

from __future__ import annotations

import datetime
import json
import os
from pathlib import Path
from typing import Annotated

import typer


def baseline(
    report: Annotated[Path, typer.Argument(metavar="REPORT", help="A JSON report.")],
    out: Annotated[Path, typer.Option(help="The deviations file to write.")],
    owner: Annotated[str, typer.Option(help="Who is to mend it.")],
    expires: Annotated[str, typer.Option(help="The last day it is accepted: YYYY-MM-DD.")],
    reference: Annotated[
        str, typer.Option(help="Where it is tracked; to be filled in by hand otherwise.")
    ] = "",
    reason: Annotated[
        str, typer.Option(help="Why it is accepted; what was observed otherwise.")
    ] = "",
    overwrite: Annotated[bool, typer.Option(help="Replace the file where there is one.")] = False,
) -> None:
    """Write a deviations file from a report's failures, for --conformance-deviations."""
    from conformance.certificate.loading import load_report
    from conformance.certificate.writing import write
    from conformance.certification.draft_deviations import draft_baseline
    from conformance.errors import UsageError

    day = _day(expires)
    if not owner.strip():
        raise UsageError("--owner is empty; name who is to mend it")
    if reason and len(reason) < 20:
        raise UsageError("--reason is too short; say what goes wrong and why, in 20 characters")
    if os.path.lexists(out) and not overwrite:
        raise UsageError(f"{out}: exists; give another name, or --overwrite")
    text = draft_baseline(
        load_report(report), owner=owner, expires=day, reason=reason, reference=reference
    )
    write(out, text)
    count = text.count('"requirement"')
    typer.echo(f"{out}: {count} deviations until {day}")
    unanswered = [e["requirement"] for e in json.loads(text)["deviations"] if not e["reference"]]
    if unanswered:
        typer.echo(
            f"no reference is given for {', '.join(unanswered)}: a run refuses the file until each "
            "says where it is tracked, or at which line of the plugin it is (--reference gives all "
            "the same)",
            err=True,
        )


def _day(text: str) -> datetime.date:
    from conformance.errors import UsageError
    from conformance.results.deviation import LONGEST

    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--expires {text!r} is no day; give one as 2027-01-31") from None
    if day < datetime.date.today():
        raise UsageError(f"--expires {day} is over; give a day to come")
    latest = datetime.date.today() + LONGEST
    if day > latest:
        raise UsageError(f"--expires {day} is more than 12 months ahead; give a day until {latest}")
    return day
