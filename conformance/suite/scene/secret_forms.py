"""A secret in a text: as it is, encoded, or a part of it."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from functools import lru_cache
from urllib.parse import unquote

PART = 8
"""How many characters of a secret in a row give it away.

Fewer are no leak: the last four or six by which people tell their keys apart. Only the part of a
canary is looked at that is no word, behind its last hyphen.
"""


def leaked(secrets: Mapping[str, str], text: str) -> list[str]:
    """What ``text`` has of these secrets, in words: ``api_key``, ``api_key in base64`` ...

    Each secret is looked for as it is, percent-encoded, in base64 (both alphabets, whatever stands
    before it) and in hexadecimal digits, and for parts of `PART` characters.
    """
    plain = unquote(text) if "%" in text else text
    found = []
    for name, secret in secrets.items():
        if secret in text:
            found.append(name)
        elif secret in plain:
            found.append(f"{name}, percent-encoded")
        elif any(form in text for form in _base64(secret)):
            found.append(f"{name} in base64")
        elif secret.encode().hex() in text.lower():
            found.append(f"{name} in hexadecimal digits")
        elif any(part in plain for part in _parts(secret)):
            found.append(f"{PART} characters or more of {name}")
    return found


@lru_cache(maxsize=256)
def _base64(secret: str) -> tuple[str, ...]:
    return tuple(_encoded(secret.encode()))


def _encoded(secret: bytes) -> Iterator[str]:
    for before in range(3):
        whole = bytes(before) + secret
        whole = whole[: len(whole) // 3 * 3]  # what the text before and after it leaves alone
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(whole).decode()[4 if before else 0 :]


@lru_cache(maxsize=256)
def _parts(secret: str) -> tuple[str, ...]:
    words, _, random = secret.rpartition("-")
    if not words or len(random) < 2 * PART:
        return ()
    return tuple(random[begin : begin + PART] for begin in range(len(random) - PART + 1))


__all__ = ["PART", "leaked"]
