"""Where in a provider's own code an exception was raised."""

from __future__ import annotations

import traceback
from collections.abc import Sequence

from conformance.plugin.code_owner import is_foreign, place


def where_to_look(error: BaseException, request_violations: Sequence[str] = ()) -> str:
    """A hint for a provider that raised ``error`` where nothing was wrong.

    ``request_violations`` are what the vendor's stand-in had against the plugin's requests.
    """
    if request_violations:
        return not_as_described(request_violations)
    where = raised_in(error)
    return (
        f"{f'raised in {where}: ' if where else ''}look there first; the kit gave what the adapter "
        "declares, and the vendor's API answered as its vendor_backend() says"
    )


def not_as_described(request_violations: Sequence[str]) -> str:
    """A hint for requests that are not as the adapter describes the vendor's API."""
    return (
        f"the plugin's request is not what the adapter's vendor_backend() describes: "
        f"{'; '.join(dict.fromkeys(request_violations))}; mend whichever of the two is wrong"
    )


def raised_in(error: BaseException) -> str:
    """``module:function, line N`` of the provider's innermost frame; empty where it has none."""
    frames = [
        (frame, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if not is_foreign(frame)
    ]
    if not frames:
        return ""
    return place(*frames[-1])
