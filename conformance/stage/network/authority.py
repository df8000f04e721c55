"""The certificate authority of the run: every host that is served has a certificate of its own.

Clients trust it while a network is entered, whichever context for TLS they bring along.
"""

from __future__ import annotations

import ssl
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import trustme


class Authority:
    """Signs the certificates of one process's runs; its key is in no file."""

    def __init__(self) -> None:
        self._authority = trustme.CA(organization_name="avatar-conformance")
        self._certificate = self._authority.cert_pem.bytes().decode()
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._trusting: weakref.WeakSet[ssl.SSLContext] = weakref.WeakSet()

    def server_context(self, host: str) -> ssl.SSLContext:
        """What a server needs to speak TLS as ``host``."""
        if host not in self._contexts:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._authority.issue_cert(host).configure_cert(context)
            self._contexts[host] = context
        return self._contexts[host]

    def trusted_by(self, context: ssl.SSLContext) -> None:
        """Make a client's context trust the authority."""
        if context not in self._trusting:
            context.load_verify_locations(cadata=self._certificate)
            self._trusting.add(context)

    @contextmanager
    def trusted(self) -> Iterator[None]:
        """Make every client that speaks TLS meanwhile trust the authority."""
        names = ("wrap_bio", "wrap_socket")
        real = {name: vars(ssl.SSLContext)[name] for name in names}
        for name in names:
            setattr(ssl.SSLContext, name, self._trusting_first(real[name]))
        try:
            yield
        finally:
            for name in names:
                setattr(ssl.SSLContext, name, real[name])

    def _trusting_first(self, wrap: Callable[..., Any]) -> Callable[..., Any]:
        def trusting(context: ssl.SSLContext, *args: Any, **options: Any) -> Any:
            if not options.get("server_side"):
                self.trusted_by(context)
            return wrap(context, *args, **options)

        return trusting


@cache
def run_authority() -> Authority:
    """The authority of this process."""
    return Authority()
