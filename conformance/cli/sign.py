"""``avatar-conformance sign``: sign a certificate that `certify` has written."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def sign(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="DIST-VERSION.intoto.jsonl")],
    key: Annotated[Path, typer.Option(help="Sign with this Ed25519 private key (PEM).")],
) -> None:
    """Sign a certificate, in place: after the run, so that no judged plugin can read the key."""
    from conformance.certificate.envelope import read_private_key
    from conformance.certificate.signing import sign

    certificate = sign(file, read_private_key(key))
    typer.echo(f"signed       {file}: {certificate}, tier {certificate.tier.value}")
