"""``avatar-conformance verify``: judge a certificate, offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_WORDS = {"ok": "ok", "failed": "FAILED", "not checked": "-"}


def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="DIST-VERSION.intoto.jsonl")],
    wheel: Annotated[
        Path | None, typer.Option(help="The wheel that the certificate must be about.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="The Ed25519 public key (PEM) that must have signed it.")
    ] = None,
    allow_unsigned: Annotated[
        bool, typer.Option("--allow-unsigned", help="Take it without knowing who has made it.")
    ] = False,
    require_tier: Annotated[
        str, typer.Option(help="The tier that it must have: swap-safe, fault-safe or robust.")
    ] = "swap-safe",
) -> None:
    """Verify a certificate: exit code 0 certified, 1 not certified, 2 no certificate at all."""
    from conformance.certificate.envelope import read_public_key
    from conformance.certificate.verification import verify
    from conformance.results.json_input import shown
    from conformance.results.tiers import named_tier

    public = read_public_key(key) if key is not None else None
    required = named_tier("--require-tier", require_tier)
    verification = verify(
        file, wheel=wheel, key=public, required=required, allow_unsigned=allow_unsigned
    )
    for verdict in verification.verdicts:
        typer.echo(f"{_WORDS[verdict.state]:<6}  {verdict.name:<9}  {shown(verdict.detail)}")
    certificate = verification.certificate
    if not verification.certified or certificate is None:
        because = ", ".join(verification.named("failed")) or "schema"
        typer.echo(f"not certified: {because}")
        raise typer.Exit(1)
    unchecked = verification.named("not checked")
    but = f" (not checked: {', '.join(unchecked)})" if unchecked else ""
    typer.echo(shown(f"certified {certificate.tier.value}: {certificate}{but}"))
