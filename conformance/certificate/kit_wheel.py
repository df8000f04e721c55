"""The kit itself as a wheel, to be installed where a certification runs."""

from __future__ import annotations

import importlib.metadata
import itertools
import zipfile
from dataclasses import dataclass
from pathlib import Path

from conformance.errors import UsageError
from conformance.plugin.installed import KIT

from .digests import PACKAGE
from .environment import Environment, Installer
from .integrity import changes_against_record, read_record, record_digest, unknown_files
from .model import KitSource

_OF_THE_INSTALLATION = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")


@dataclass(frozen=True)
class KitWheel:
    """The kit's wheel, and whether it was made of an installed distribution or of a source tree."""

    path: Path
    source: KitSource


def make_kit_wheel(installer: Installer, environment: Environment, folder: Path) -> KitWheel:
    """Make a wheel of the kit that runs now.

    Raises `UsageError` when the installed kit is not as it was installed.
    """
    checkout = PACKAGE.parent
    if (checkout / "pyproject.toml").is_file() and (checkout / "schemas").is_dir():
        return KitWheel(installer.build(environment, checkout, folder), "source tree")
    return KitWheel(repack(PACKAGE.parent, folder), "distribution")


def repack(site_packages: Path, folder: Path) -> Path:
    """The wheel that an installed kit came from, made again of its files.

    Raises `UsageError` for a kit that has been changed since it was installed.
    """
    try:
        version = importlib.metadata.version(KIT)
    except importlib.metadata.PackageNotFoundError:
        raise UsageError(f"{KIT} is not installed; run: pip install {KIT}") from None
    info = site_packages / f"{KIT.replace('-', '_')}-{version}.dist-info"
    if not (info / "RECORD").is_file():
        raise UsageError(f"{info.name}/RECORD is missing; install {KIT} again")
    recorded = [name for name, _ in read_record(info / "RECORD")]
    changes = itertools.chain(
        changes_against_record(site_packages, [KIT]),
        (line for line in unknown_files(site_packages, recorded) if "__pycache__" not in line),
    )
    changed = next(changes, None)
    if changed is not None:
        raise UsageError(f"the kit is not as it was installed: {changed}; install {KIT} again")
    wheel = folder / f"{KIT.replace('-', '_')}-{version}-py3-none-any.whl"
    rows = []
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in recorded:
            # What lies outside, the script, is made anew by whoever installs the wheel.
            outside = name.startswith("..") or name.endswith(".pyc")
            if outside or name.rpartition("/")[2] in _OF_THE_INSTALLATION:
                continue
            data = (site_packages / name).read_bytes()
            archive.writestr(name, data)
            rows.append(f"{name},{record_digest(data)},{len(data)}")
        archive.writestr(f"{info.name}/RECORD", "\n".join([*rows, f"{info.name}/RECORD,,", ""]))
    return wheel
