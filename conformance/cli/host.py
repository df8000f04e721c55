"""``avatar-conformance host [HD-nn]``: what the installed livekit-agents gets wrong."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from conformance.requirements.host_defects import HostDefect

_WIDTH = 100


def host(
    defect: Annotated[
        str | None, typer.Argument(metavar="HD-nn", help="One defect; all of them without it.")
    ] = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="In the form of a bug report, one for each.")
    ] = False,
) -> None:
    """Show what the installed livekit-agents gets wrong, and what mends it.

    Of each defect: what it does, a script that shows it with livekit-agents alone, a workaround,
    and its mend as a diff against the installed files. Without an id and without --markdown, one
    line for each.
    """
    from conformance.host import version

    shown = _chosen(defect)
    if markdown:
        typer.echo("\n".join(_page(shown, version())), nl=False)
    elif defect is not None:
        typer.echo("\n".join(_in_full(shown[0], version())))
    else:
        typer.echo(f"livekit-agents {version()}: {len(shown)} known defects")
        for each in shown:
            blocks = ", ".join(each.checks) or "no check"
            typer.echo(f"{each.id}  {each.symbol.removeprefix('livekit.agents.')}")
            typer.echo(textwrap.indent(textwrap.fill(f"{each.text} ({blocks})", 92), " " * 7))


def _chosen(wanted: str | None) -> list[HostDefect]:
    from conformance.errors import UsageError
    from conformance.requirements.host_defects import host_defects, of_installed_host

    if wanted is None:
        return sorted(of_installed_host(), key=lambda defect: defect.id)
    known = {defect.id: defect for defect in host_defects()}
    if wanted.upper() not in known:
        raise UsageError(f"there is no host defect {wanted!r}; there are: {', '.join(known)}")
    return [known[wanted.upper()]]


def _in_full(defect: HostDefect, installed: str) -> list[str]:
    from conformance.host import defects

    return [
        f"{defect.id}  {defect.symbol}",
        "",
        *textwrap.wrap(defect.text, _WIDTH),
        "",
        f"hosts:      {defect.hosts}; {installed} is installed",
        *textwrap.wrap(f"workaround: {defect.workaround}", _WIDTH, subsequent_indent=" " * 12),
        f"blocks:     {', '.join(defect.checks) or 'no check'}",
        "",
        "A script that fails where livekit-agents has it:",
        "",
        textwrap.indent(defects.reproduction(defect.id).read_text("utf-8").rstrip(), "    "),
        "",
        *_mend(defect, "    ", ""),
    ]


def _mend(defect: HostDefect, indent: str, fence: str) -> list[str]:
    from conformance.host import defects

    try:
        diff = defects.mend_as_diff(defect.id).rstrip()
    except defects.NoMend as none:
        return [f"No mend: {defect.no_mend or none}"]
    mend = ["The mend:", "", f"{fence}diff" if fence else "", textwrap.indent(diff, indent)]
    return [*mend, fence] if fence else [line for line in mend if line]


def _page(shown: list[HostDefect], installed: str) -> list[str]:
    """The bug reports, as Markdown."""
    lines = [
        f"# Known defects of livekit-agents {installed}",
        "",
        "Made by `avatar-conformance host --markdown`. A check that one of these blocks is played",
        "again on a host that is mended of it, in the same process, and says so.",
        "",
    ]
    if len(shown) == 1:
        lines = []
    return [*lines, *(line for defect in shown for line in _report(defect, installed))]


def _report(defect: HostDefect, installed: str) -> list[str]:
    from conformance.host import defects

    return [
        f"## {defect.id}: `{defect.symbol}`",
        "",
        *textwrap.wrap(f"{defect.text[0].upper()}{defect.text[1:]}.", _WIDTH),
        "",
        f"- Versions: `{defect.hosts}`; this was made with {installed}",
        f"- Workaround: {defect.workaround}",
        f"- Blocks: {', '.join(defect.checks) or 'no check'}",
        "",
        "<details><summary>A script that shows it</summary>",
        "",
        "```python",
        defects.reproduction(defect.id).read_text("utf-8").rstrip(),
        "```",
        "",
        "</details>",
        "",
        *_mend(defect, "", "```"),
        "",
    ]
