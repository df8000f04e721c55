"""Whether the files that a run was made with are the files that were installed."""

from __future__ import annotations

import base64
import csv
import hashlib
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from packaging.utils import canonicalize_name

from .environment import Environment
from .wheel_contents import runs_at_startup

KIT_PACKAGES = ("conformance", "vendor_adapters")
AUDITED_DISTRIBUTIONS = (
    "livekit-agents",
    "livekit",
    "livekit-api",
    "pytest",
    "pluggy",
    "setuptools",
)
"""The distributions beside the kit whose files decide what a run finds."""

_SETUPTOOLS_OWN = (
    "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == "
    "'local'; enabled and __import__('_distutils_hack').add_shim();"
)


def changes_against_wheel(site_packages: Path, wheel: Path) -> Iterator[str]:
    """Files of the kit that are not as in the wheel that was installed, or are not in it at all."""
    with zipfile.ZipFile(wheel) as archive:
        known = {name for name in archive.namelist() if name.split("/")[0] in KIT_PACKAGES}
        for name in sorted(known):
            path = site_packages / name
            if not path.is_file():
                yield f"{name} is gone"
            elif path.read_bytes() != archive.read(name):
                yield f"{name} has been changed"
    yield from unknown_files(site_packages, known)


def changes_against_record(site_packages: Path, distributions: Iterable[str]) -> Iterator[str]:
    """Files of installed distributions that are not as their RECORD says."""
    wanted = set(distributions)
    for info in sorted(site_packages.glob("*.dist-info")):
        if canonicalize_name(info.name.partition("-")[0]) not in wanted:
            continue
        for name, digest in read_record(info / "RECORD"):
            path = site_packages / name
            if not path.is_file():
                yield f"{name} is gone"
            elif record_digest(path.read_bytes()) != digest:
                yield f"{name} has been changed"


def unknown_files(site_packages: Path, known: Iterable[str]) -> Iterator[str]:
    """Files in the kit's packages that are not known; a cached bytecode file is one as well."""
    expected = set(known)
    for package in KIT_PACKAGES:
        for path in sorted((site_packages / package).rglob("*")):
            name = path.relative_to(site_packages).as_posix()
            if path.is_file() and name not in expected:
                yield f"{name} does not belong to the kit"


def startup_files(site_packages: Path) -> dict[str, bytes]:
    """What Python runs at its start in ``site_packages``, by name; a directory has no content."""
    return {
        path.name: path.read_bytes() if path.is_file() else b""
        for path in sorted(site_packages.iterdir())
        if runs_at_startup(path.name)
    }


def unasked_files(site_packages: Path, known: Mapping[str, bytes]) -> Iterator[str]:
    """Files that Python runs at its start, and that are not ``known``, whoever has brought them."""
    for name, content in startup_files(site_packages).items():
        if known.get(name) != content and content.decode("utf-8", "replace").strip() != (
            _SETUPTOOLS_OWN
        ):
            yield f"{name}, which Python runs unasked"


def interpreter(environment: Environment) -> tuple[str, ...]:
    """What the environment's Python is, to be compared: its file, and its configuration."""
    python = environment.python
    if not python.exists():
        return ()
    configuration = python.parent.parent / "pyvenv.cfg"
    said = configuration.read_text("utf-8") if configuration.is_file() else ""
    return (str(python.resolve()), record_digest(python.read_bytes()), said)


def read_record(record: Path) -> Iterator[tuple[str, str]]:
    """The files in a RECORD that have a digest, with it."""
    with record.open(encoding="utf-8", newline="") as file:
        for row in csv.reader(file):
            if len(row) == 3 and row[1].startswith("sha256="):
                yield PurePosixPath(row[0]).as_posix(), row[1]


def record_digest(data: bytes) -> str:
    """The digest as a RECORD writes it."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=")
    return f"sha256={digest.decode('ascii')}"
