"""``avatar-conformance certify``: run the whole set against a wheel, and write a certificate."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from conformance.certificate.issuing import Issued


def certify(
    distribution: Annotated[
        str, typer.Argument(metavar="DIST", help="Like livekit-plugins-acme, or with ==VERSION.")
    ],
    wheel: Annotated[
        Path | None, typer.Option(help="The wheel to certify; without it, the index's.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The directory to write into.")] = Path(),
    days: Annotated[int, typer.Option(help="How long it is valid.", min=1, max=730)] = 180,
    adapter: Annotated[
        str, typer.Option(help="An adapter's .py file, or a requirement that brings one.")
    ] = "",
    provider: Annotated[
        list[str] | None,
        typer.Option(help="Of the distribution's providers only this one; repeatable."),
    ] = None,
    host: Annotated[
        str, typer.Option(help="A version of livekit-agents; the newest that fits otherwise.")
    ] = "",
    url: Annotated[
        str, typer.Option(help="Where the run can be looked up; in GitHub Actions by itself.")
    ] = "",
) -> None:
    """Certify a wheel in a fresh environment, and write DIST-VERSION.intoto.jsonl, unsigned."""
    from conformance.certificate.environment import CommandInstaller
    from conformance.certificate.isolated_run import SubprocessTrial
    from conformance.certificate.issuing import Request, certify

    request = Request(
        distribution=distribution,
        out=out,
        wheel=wheel,
        adapter=adapter,
        providers=tuple(provider or ()),
        host=host,
        days=days,
        url=url or _github_run(),
    )
    with _ended_by_sigterm():
        issued = certify(request, CommandInstaller.at_hand(), SubprocessTrial(_say), _say)
    _conclude(issued)


def _conclude(issued: Issued) -> None:
    from conformance.report.subject_words import tier_in_words
    from conformance.results.run import providers
    from conformance.results.tiers import Tier
    from conformance.results.verdict import verdict

    certificate = issued.certificate
    for reason in issued.nothing_because:
        _say(f"certifies nothing: {reason}")
    if certificate is None or certificate.tier is Tier.NONE:
        for subject in providers(issued.run):
            _say(f"{subject.name}: {tier_in_words(issued.run, subject)}")
        for problem in verdict(issued.run).problems:
            _say(f"not certified: {problem}")
    typer.echo(f"report       {issued.report}")
    if certificate is None:
        raise typer.Exit(1)
    if certificate.tier is Tier.NONE:
        typer.echo("certificate  none: no tier was earned")
        typer.echo(f"failures     {issued.path}")
        raise typer.Exit(1)
    typer.echo(f"tier         {certificate.tier.value}")
    typer.echo(f"certificate  {issued.path}")
    typer.echo(f"expires      {certificate.expires:%Y-%m-%d}")


def _say(line: str) -> None:
    from conformance.results.json_input import shown

    typer.echo(shown(line), err=True)


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end the command the ordinary way, with the judged process and its children."""

    def end(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _github_run() -> str:
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    server, repository, run = (os.environ.get(name, "") for name in names)
    return f"{server}/{repository}/actions/runs/{run}" if server and repository and run else ""
