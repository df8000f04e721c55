"""Whether an object is the plugin's own, from the distribution that is judged."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import json
import sys
from pathlib import Path
from urllib.parse import unquote, urlparse


def why_not_the_plugins(instance: object, named: type, distribution: str) -> str | None:
    """Why ``instance`` is not one of the plugin's class ``named``; None where it is.

    Its class is ``named``, or one derived from it that the distribution itself brings, in a file
    that is in its RECORD and has the digest that stands there. Of a distribution that is not
    installed, or keeps no list of its files, only the class is looked at.
    """
    cls = type(instance)
    if not issubclass(cls, named):
        return f"it is a {_name(cls)}, no {_name(named)}"
    lineage = cls.__mro__[: cls.__mro__.index(named) + 1]
    for base in lineage:
        why = _why_foreign(base, distribution)
        if why is not None:
            return why
    return None


def file_of(cls: type) -> Path | None:
    """The file that a class was defined in; None where its module has none."""
    name = getattr(sys.modules.get(cls.__module__), "__file__", None)
    return Path(name).resolve() if name else None


def _why_foreign(cls: type, distribution: str) -> str | None:
    try:
        installed = importlib.metadata.distribution(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None
    if not installed.files:
        return None
    source = file_of(cls)
    if source is None:
        return f"its class {_name(cls)} comes from no file"
    checkout = _editable(installed)
    if checkout is not None and source.is_relative_to(checkout):
        return None
    for file in installed.files:
        if file.name == source.name and Path(str(file.locate())).resolve() == source:
            recorded = file.hash
            if recorded is not None and _digest(recorded.mode, source) != recorded.value:
                return f"{file}, where {_name(cls)} is, is not as {distribution} was installed"
            return None
    return f"its class {_name(cls)} is in {source.name}, which is no file of {distribution}"


def _editable(installed: importlib.metadata.Distribution) -> Path | None:
    """The directory of an editable installation; None for another one."""
    text = installed.read_text("direct_url.json")
    origin = json.loads(text) if text else {}
    if not origin.get("dir_info", {}).get("editable"):
        return None
    return Path(unquote(urlparse(origin["url"]).path)).resolve()


def _digest(mode: str, path: Path) -> str:
    digest = hashlib.new(mode, path.read_bytes()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def _name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
