"""Signing a certificate: after the run, when nothing that was judged is there any more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from conformance.errors import UsageError
from conformance.results.from_report import Contradiction
from conformance.results.json_input import LARGEST_CERTIFICATE, read_json, schema_problem

from .envelope import looks_like_envelope, seal
from .model import Certificate
from .statement import from_statement, render
from .writing import write

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def sign(path: Path, key: Ed25519PrivateKey) -> Certificate:
    """Sign the statement in ``path``, in place.

    Raises `UsageError` for a file that is signed already or is no statement of this kit.
    """
    statement = read_json(path, limit=LARGEST_CERTIFICATE)
    if looks_like_envelope(statement):
        raise UsageError(f"{path}: is signed already")
    problem = schema_problem("certificate", statement)
    if problem is not None:
        raise UsageError(f"{path}: is no certificate to sign: {problem}")
    try:
        certificate = from_statement(statement)
    except Contradiction as error:
        raise UsageError(f"{path}: is not signed, it contradicts itself: it {error}") from None
    write(path, seal(render(certificate), key).decode("utf-8") + "\n")
    return certificate
