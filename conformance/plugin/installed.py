"""Requirements on the environment that a certification runs in."""

from __future__ import annotations

import importlib.metadata

from packaging.version import Version

from conformance.errors import UsageError

HOST = "livekit-agents"
OLDEST_HOST = "1.6.0"
KIT = "avatar-conformance"
PACKAGE = "conformance"


def check_environment() -> None:
    """Raise `UsageError` when this environment can't be certified in; imports no livekit."""
    _check_host()
    _check_package()


def host_version() -> str:
    """The version of livekit-agents that is installed; `UsageError` when none is."""
    try:
        return importlib.metadata.version(HOST)
    except importlib.metadata.PackageNotFoundError:
        raise UsageError(
            f"{HOST} is not installed; run: pip install '{HOST}>={OLDEST_HOST}'"
        ) from None


def has_module(distribution: str, module: str) -> bool:
    """Whether an installed distribution has a module, by the list of its files.

    True where it is not installed, or keeps no list of its Python files, as an editable one.
    """
    try:
        files = importlib.metadata.files(distribution) or []
    except importlib.metadata.PackageNotFoundError:
        return True
    path = module.replace(".", "/")
    names = {file.as_posix() for file in files if file.suffix == ".py"}
    return not names or f"{path}.py" in names or f"{path}/__init__.py" in names


def _check_host() -> None:
    installed = host_version()
    if Version(installed) < Version(OLDEST_HOST):
        raise UsageError(
            f"{HOST} {installed} is too old to be certified against; "
            f"run: pip install '{HOST}>={OLDEST_HOST}'"
        )


def _check_package() -> None:
    for distribution in importlib.metadata.distributions():
        name = distribution.metadata["Name"]
        if name and name.lower().replace("_", "-") != KIT and _has_package(distribution):
            raise UsageError(
                f"the distribution {name} has a top-level package {PACKAGE!r} too, and one hides "
                f"the other; run: pip uninstall {name}, then install {KIT} again"
            )


def _has_package(distribution: importlib.metadata.Distribution) -> bool:
    top_level = distribution.read_text("top_level.txt")
    if top_level is not None:
        return PACKAGE in top_level.split()
    record = distribution.read_text("RECORD") or ""
    return record.startswith(f"{PACKAGE}/") or f"\n{PACKAGE}/" in record
