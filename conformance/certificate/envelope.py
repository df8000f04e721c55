"""The envelope of a certificate: DSSE, signed with an Ed25519 key, or a bare statement.

The encoding that is signed and the keys are securesystemslib's; it is needed only where a key is
used: ``pip install 'avatar-conformance[sign]'``.
"""

from __future__ import annotations

import base64
import binascii
import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.errors import UsageError
from conformance.results.json_input import read_bytes

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

PAYLOAD_TYPE = "application/vnd.in-toto+json"
_LARGEST_KEY = 2**16
_MAKE_KEYS = (
    "make one with: openssl genpkey -algorithm ed25519 -out key.pem; "
    "openssl pkey -in key.pem -pubout -out key.pub"
)


class BadSignature(ValueError):
    """The signature is none of that key's on that payload; the message says why, in one line."""


@dataclass(frozen=True)
class Envelope:
    """A payload and the signatures on it, decoded. A bare statement has no signature."""

    payload: bytes
    payload_type: str
    signatures: tuple[bytes, ...] = ()


def seal(payload: bytes, key: Ed25519PrivateKey) -> bytes:
    """The payload in a DSSE envelope, as one line of JSON without the end of the line."""
    from securesystemslib.dsse import Envelope as Dsse
    from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined]  # exported, by its documentation

    envelope = Dsse(payload, PAYLOAD_TYPE, {})
    envelope.sign(CryptoSigner(key))
    return json.dumps(envelope.to_dict(), separators=(",", ":")).encode("ascii")


def looks_like_envelope(data: Any) -> bool:
    """Whether a JSON value means to be a DSSE envelope."""
    return isinstance(data, dict) and "payload" in data and "signatures" in data


def open_envelope(data: Mapping[str, Any]) -> Envelope:
    """Decode an envelope; raises `BadSignature` for one that is damaged.

    Base64 is taken in its canonical form only, so that no byte of it can be changed unseen.
    """
    signatures = data["signatures"]
    if not isinstance(signatures, list) or not signatures:
        raise BadSignature("the envelope has no signature")
    if data.get("payloadType") != PAYLOAD_TYPE:
        raise BadSignature(f"the envelope's payloadType is not {PAYLOAD_TYPE}")
    decoded = []
    for entry in signatures:
        if not isinstance(entry, dict):
            raise BadSignature("a signature is no object")
        decoded.append(_decode("the signature", entry.get("sig")))
    return Envelope(_decode("the payload", data["payload"]), PAYLOAD_TYPE, tuple(decoded))


def check_signature(envelope: Envelope, key: Ed25519PublicKey) -> None:
    """Raise `BadSignature` unless one of the signatures is this key's on this payload."""
    from securesystemslib.dsse import Envelope as Dsse
    from securesystemslib.exceptions import UnverifiedSignatureError
    from securesystemslib.signer import Signature, SSlibKey  # type: ignore[attr-defined]  # exported, by its documentation

    if not envelope.signatures:
        raise BadSignature("the certificate is not signed")
    known = SSlibKey.from_crypto(key)
    signed = Dsse(envelope.payload, envelope.payload_type, {}).pae()
    for signature in envelope.signatures:
        try:
            known.verify_signature(Signature(known.keyid, signature.hex()), signed)
        except UnverifiedSignatureError:
            continue
        return
    raise BadSignature("it is not this key's, or payload or signature were changed")


def read_private_key(path: Path) -> Ed25519PrivateKey:
    """An Ed25519 private key in PEM; raises `UsageError`."""
    _need_library()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    data = read_bytes(path, limit=_LARGEST_KEY)
    try:
        key = load_pem_private_key(data, password=None)
    except TypeError:
        raise UsageError(f"{path}: the key is encrypted; decrypt it for this command") from None
    except (ValueError, UnsupportedAlgorithm):
        raise UsageError(f"{path}: is no private key in PEM; {_MAKE_KEYS}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"{path}: is a key, but not an Ed25519 one; {_MAKE_KEYS}")
    return key


def read_public_key(path: Path) -> Ed25519PublicKey:
    """An Ed25519 public key in PEM; raises `UsageError`."""
    _need_library()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    data = read_bytes(path, limit=_LARGEST_KEY)
    if b"PRIVATE KEY" in data:
        raise UsageError(
            f"{path}: is a private key; give its public half: openssl pkey -in key.pem -pubout"
        )
    try:
        key = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm):
        raise UsageError(f"{path}: is no public key in PEM; {_MAKE_KEYS}") from None
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError(f"{path}: is a key, but not an Ed25519 one; {_MAKE_KEYS}")
    return key


def _need_library() -> None:
    for module in ("securesystemslib", "cryptography"):
        if importlib.util.find_spec(module) is None:
            raise UsageError(f"--key needs {module}; run: pip install 'avatar-conformance[sign]'")


def _decode(what: str, text: Any) -> bytes:
    if not isinstance(text, str):
        raise BadSignature(f"{what} is no text")
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadSignature(f"{what} is no base64") from None
    if base64.b64encode(data).decode("ascii") != text:
        raise BadSignature(f"{what} is not in the canonical form of base64")
    return data
