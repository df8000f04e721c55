"""Where in a provider's own code an exception was raised."""

from __future__ import annotations

import json
from collections.abc import Callable

from conformance.suite.scene.error_site import raised_in, where_to_look


def caught(raising: Callable[[], None]) -> Exception:
    """What calling it raises."""
    try:
        raising()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def parses() -> None:
    """Fails in a library, as a provider's own code does."""
    json.loads("{")


def test_the_providers_own_innermost_frame_is_named() -> None:
    """Frames of the standard library below the provider's own are passed over."""
    place = raised_in(caught(parses))
    assert place.startswith(f"{__name__}:parses, line ")


def test_an_exception_from_nowhere_has_no_place() -> None:
    """One that was never raised has no frame, and the hint goes without."""
    assert raised_in(ValueError("no")) == ""
    assert where_to_look(ValueError("no")).startswith("look there first")
