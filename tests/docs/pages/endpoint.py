"""docs/endpoint.md: the names of `conformance.endpoint`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import conformance.endpoint as package

from .markdown import MADE_BY, docstring
from .reference import of_class, of_function


def render() -> str:
    """The page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield MADE_BY
    yield "# Endpoint reference"
    yield ""
    yield docstring(package)
    yield ""
    yield "[agents](agents.md) shows it in an agent. Further names are the constant `BEFORE` and"
    yield "the type `AvatarFactory`, both of the switcher."
    yield ""
    for name in package.__all__:
        thing = getattr(package, name)
        if inspect.isclass(thing):
            yield from of_class(thing, level=2)
        elif inspect.isfunction(thing):
            yield from of_function(thing, level=2)
