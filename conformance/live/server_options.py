"""Which LiveKit server a user has named: on the command line, or in the environment."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from conformance.plugin.room import Credentials

OPTIONS = ("--livekit-url", "--livekit-api-key", "--livekit-api-secret")
VARIABLES = ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")
SCHEMES = ("ws", "wss", "http", "https")

Given = tuple["str | None", "str | None", "str | None"]


class NamedWrongly(ValueError):
    """A server is named in part, or in a way that leads nowhere. The message is one line."""


def named_server(given: Given, environ: Mapping[str, str]) -> Credentials | None:
    """The server of the options ``given`` (URL, key, secret), or else of ``environ``.

    None where no URL is given. Raises `NamedWrongly`.
    """
    values = [option or environ.get(name) for option, name in zip(given, VARIABLES, strict=True)]
    url, key, secret = values
    if not url:
        stray = [name for name, option in zip(OPTIONS, given, strict=True) if option]
        if stray:
            raise NamedWrongly(f"{stray[0]} needs {OPTIONS[0]}: which server is it for?")
        return None
    where = OPTIONS[0] if given[0] else VARIABLES[0]
    try:
        parts = urlsplit(url)
        usable = parts.scheme in SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise NamedWrongly(f"{where} {url!r} is no address of a server, as ws://127.0.0.1:7880 is")
    for name, variable, value in zip(OPTIONS[1:], VARIABLES[1:], (key, secret), strict=True):
        if not value:
            raise NamedWrongly(f"{where} needs {name} (or with --live {variable}) too")
    assert key is not None
    assert secret is not None
    return Credentials(url, key, secret)


__all__ = ["NamedWrongly", "named_server"]
